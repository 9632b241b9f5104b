"""A Raspberry Pi's own cameras (CSI), through picamera2.

Debian's package holds it, since it has to fit the system's libcamera; the station's environment sees
that package only where it was made with ``--system-site-packages``. No test here reaches it: the library
does not run without libcamera and a Pi's image processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drivers.camera_sources import Data, Wanted
from kiosk.core.errors import DeviceError

PACKAGE = "python3-picamera2"
BUFFERS = 2
"""One is being filled while the other is looked at."""


class CsiSource:
    """An open camera; hands over the brightness plane of YUV420."""

    def __init__(self, camera: Any, wanted: Wanted) -> None:
        self._camera = camera
        self._wanted = wanted

    def read(self) -> Data | None:
        planes = np.asarray(self._camera.capture_array("main"), np.uint8)
        bright = planes[: self._wanted.height_px, : self._wanted.width_px]
        return np.ascontiguousarray(bright) if bright.size else None

    def expose(self, ms: float | None) -> None:
        if ms is None:
            self._camera.set_controls({"AeEnable": True})
        else:
            self._camera.set_controls({"AeEnable": False, "ExposureTime": round(ms * 1_000)})

    def release(self) -> None:
        self._camera.stop()
        self._camera.close()


def open_csi(number: int, wanted: Wanted) -> CsiSource | None:
    """Camera ``number``; None when it is not there. DeviceError ``camera_library`` without picamera2."""
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise DeviceError(
            "camera_library",
            "A camera at csi:… needs picamera2, which is not installed for the station.",
            f"Install Debian's {PACKAGE}, and make .venv anew with --system-site-packages.",
        ) from error
    try:
        camera = Picamera2(number)
        size = (wanted.width_px, wanted.height_px)
        camera.configure(
            camera.create_video_configuration(
                main={"format": "YUV420", "size": size},
                controls={"FrameRate": wanted.fps},
                buffer_count=BUFFERS,
            )
        )
        camera.start()
    except (RuntimeError, IndexError, OSError):
        return None  # not there, or somebody else's
    return CsiSource(camera, wanted)

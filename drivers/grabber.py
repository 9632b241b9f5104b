"""Takes every frame a camera gives and keeps the newest one only.

A camera's driver queues frames. Whoever decodes for longer than a frame lasts and then asks for the
next gets an old one, later and later. So a thread of its own asks without pause.

A library may hold a thread inside a read for seconds. A grabber that is no longer wanted is therefore
left alone (:meth:`Grabber.abandon`) and lets go of the camera when its read returns.
"""

from __future__ import annotations

import threading

from drivers.camera_sources import Source, Wanted, open_source
from drivers.clock import boottime_ms
from drivers.frame import Frame
from kiosk.core.errors import DeviceError

MAX_BAD_READS = 3
"""So many reads in a row without a picture: the camera is gone."""


class Grabber:
    """One opened camera. ``source`` as in :func:`open_source`."""

    def __init__(self, source: int | str, wanted: Wanted) -> None:
        self._source = source
        self._wanted = wanted
        self._news = threading.Condition()
        self._frame: Frame | None = None
        self._ended = False
        self._unwanted = threading.Event()
        self._exposure_ms: float | None = None
        self.trouble: DeviceError | None = None
        """Why it could not be opened, where more is known than that."""
        threading.Thread(target=self._run, name=f"grabber:{source}", daemon=True).start()

    def newest(self, after: int, patience_s: float) -> Frame | None:
        """The newest frame, if it is numbered above ``after``; None when none came in time."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self._is_newer(after), patience_s)
            return self._frame if self._is_newer(after) else None

    @property
    def ended(self) -> bool:
        """Whether the camera could not be opened, or stopped giving pictures."""
        return self._ended

    def expose(self, ms: float | None) -> None:
        """The exposure wanted from the next frame on; None for automatic. Returns at once."""
        self._exposure_ms = ms

    def abandon(self) -> None:
        """No more frames are wanted. Returns at once."""
        self._unwanted.set()

    def _is_newer(self, after: int) -> bool:
        return self._frame is not None and self._frame.number > after

    def _run(self) -> None:
        try:
            source = open_source(self._source, self._wanted)
            if source is not None:
                self._grab(source)
        except DeviceError as error:
            self.trouble = error
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    def _grab(self, source: Source) -> None:
        number = bad = 0
        exposed_ms: float | None = None
        while bad < MAX_BAD_READS and not self._unwanted.is_set():
            data = source.read()
            if data is None or data.size == 0:
                bad += 1
                continue
            bad, number = 0, number + 1
            with self._news:
                self._frame = Frame(data, boottime_ms(), number)
                self._news.notify_all()
            wished_ms = self._exposure_ms
            if wished_ms != exposed_ms:
                source.expose(wished_ms)
                exposed_ms = wished_ms
        if exposed_ms is not None:
            source.expose(None)  # as it was found
        source.release()

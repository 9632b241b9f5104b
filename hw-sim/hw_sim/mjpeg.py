"""A camera on the network: an MJPEG stream over HTTP, into which cards are held.

It listens on loopback only and renders only while somebody watches; the quiet scene is rendered
once, so that it costs little beside the station on a small machine. Viewers may come, go and die.
A card shown comes in from below, is held by a hand that trembles, and goes out again.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.cardprint import Gray, Pose, face, lay

WIDTH_PX, HEIGHT_PX = 640, 480
QUIET_FPS, CARD_FPS = 10, 15
QUIET_FRAMES = 12
NOISE_FIELDS = 6
NOISE_SIGMA = 4.0
JPEG_QUALITY = 85
MAX_VIEWERS = 8
MAX_REQUEST_BYTES = 8192
SEND_S = 2.0
"""A viewer that takes no frame for so long is gone."""
COME_S, GO_S = 0.35, 0.3
EXPOSURE_S = 0.008

_HEAD = (
    b"HTTP/1.0 200 OK\r\nCache-Control: no-store\r\n"
    b"Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class _Showing:
    """One card held into the picture, and how this hand holds it."""

    card: Gray
    begun_s: float
    seconds: float
    width_px: float
    roll: float
    pitch: float
    yaw: float
    phase: float

    def pose(self, now_s: float) -> Pose | None:
        """Where the card is; None when it is out of the picture."""
        at_s = now_s - self.begun_s
        if not 0 <= at_s < self.seconds:
            return None
        x_px, y_px = self._place(at_s)
        before = self._place(at_s - EXPOSURE_S)
        return Pose(
            x_px,
            y_px,
            self.width_px,
            self.roll,
            self.pitch,
            self.yaw,
            smear_px=(x_px - before[0], y_px - before[1]),
            defocus_px=0.6,
        )

    def _place(self, at_s: float) -> tuple[float, float]:
        come = min(1.0, max(0.0, at_s / COME_S))
        go = min(1.0, max(0.0, (self.seconds - at_s) / GO_S))
        near = min(come, go)
        near = near * near * (3 - 2 * near)
        tremble = 3.0 * np.sin(2 * np.pi * 5.0 * at_s + self.phase)
        sway = 10.0 * np.sin(2 * np.pi * 0.4 * at_s + self.phase)
        return float(320 + sway + tremble), float(760 - 520 * near + 0.7 * tremble)


class Reel:
    """Pictures made beforehand, ``fps`` a second: ``once`` in their order, then ``rest`` round and round.
    ``sent_ms`` is when each of ``once`` went out (boottime)."""

    def __init__(self, once: Sequence[bytes], rest: Sequence[bytes], fps: int) -> None:
        self.fps = fps
        self.sent_ms: list[int] = []
        self._once = once
        self._rest = itertools.cycle(rest)

    def take(self) -> bytes:
        """The next JPEG."""
        number = len(self.sent_ms)
        if number == len(self._once):
            return next(self._rest)
        self.sent_ms.append(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)
        return self._once[number]


class CameraPeer:
    """The camera. All methods may be called from any thread; ``port`` 0 takes a free one."""

    def __init__(self, port: int, seed: int = 1, light: float = 1.0) -> None:
        self._random = np.random.default_rng(seed)
        self._hands = np.random.default_rng(seed + 1)  # other draws than the noise's, other thread
        self._scene, self._tint = self._room(light)
        self._light = light
        self._noise = [self._noise_field() for _ in range(NOISE_FIELDS)]
        self._quiet = [self._encoded(self._scene) for _ in range(QUIET_FRAMES)]
        self._showing: _Showing | None = None
        self._reel: Reel | None = None
        self._turn = 0
        self._frozen = False
        self._stalled = False
        self._stop = threading.Event()
        self._fresh = threading.Condition()
        self._jpeg, self._count, self._viewers = self._quiet[0], 0, 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.2)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/cam.mjpg"
        self._threads = [
            threading.Thread(target=self._accept, name="camera-accept", daemon=True),
            threading.Thread(target=self._render, name="camera-render", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def show(self, text: str, seconds: float) -> None:
        """Hold a card with this QR text into the picture, coming and going included."""
        dice = self._hands
        card = np.clip(face(text) * self._light, 0, 255).astype(np.uint8)
        self._reel = None
        self._showing = _Showing(
            card,
            time.monotonic(),
            seconds,
            width_px=dice.uniform(250, 330),
            roll=dice.uniform(-25, 25),
            pitch=dice.uniform(-12, 12),
            yaw=dice.uniform(-12, 12),
            phase=dice.uniform(0, 2 * np.pi),
        )

    def hide(self) -> None:
        """Take the card away at once."""
        self._showing = None

    def play(self, reel: Reel) -> None:
        """Send these pictures instead of what it sees itself."""
        self._showing, self._reel = None, reel

    def freeze(self, frozen: bool = True) -> None:
        """Repeat one picture, as a camera whose sensor hangs."""
        self._frozen = frozen

    def stall(self, stalled: bool = True) -> None:
        """Send no picture any more and keep the connection."""
        self._stalled = stalled

    def stop(self) -> None:
        """Unplug it."""
        self._stop.set()
        with self._fresh:
            self._fresh.notify_all()
        for thread in self._threads:
            thread.join(2)
        self._listener.close()

    # -- pictures -------------------------------------------------------------------------------

    def _room(self, light: float) -> tuple[Gray, NDArray[np.uint8]]:
        size = (WIDTH_PX, HEIGHT_PX)
        coarse = self._random.integers(50, 190, (9, 12)).astype(np.float32) * light
        scene = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        for _ in range(14):  # shelves, posters, edges
            x, y = self._random.integers(0, (WIDTH_PX, HEIGHT_PX))
            w, h = self._random.integers(20, 160, 2)
            shade = float(self._random.integers(30, 220)) * light
            cv2.rectangle(scene, (int(x), int(y)), (int(x + w), int(y + h)), shade, -1)
        colours = self._random.integers(0, 40, (6, 8, 3)).astype(np.uint8)
        tint = cv2.resize(colours, size, interpolation=cv2.INTER_LINEAR)
        return np.clip(scene, 0, 255).astype(np.uint8), np.asarray(tint, np.uint8)

    def _noise_field(self) -> NDArray[np.uint8]:
        shape = (HEIGHT_PX, WIDTH_PX)
        return np.abs(self._random.normal(0, NOISE_SIGMA, shape)).astype(np.uint8)

    def _encoded(self, gray: Gray) -> bytes:
        more, less = self._random.choice(NOISE_FIELDS, 2, replace=False)
        noisy = cv2.subtract(cv2.add(gray, self._noise[more]), self._noise[less])
        picture = cv2.add(cv2.cvtColor(noisy, cv2.COLOR_GRAY2BGR), self._tint)
        done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        assert done
        return bytes(jpeg)

    def _render(self) -> None:
        due_s = time.monotonic()
        while not self._stop.is_set():
            showing, reel = self._showing, self._reel
            pose = showing.pose(time.monotonic()) if showing else None
            if self._viewers and not self._stalled:
                jpeg = self._jpeg if self._frozen else self._picture(showing, pose, reel)
                with self._fresh:
                    self._jpeg = jpeg
                    self._count += 1
                    self._fresh.notify_all()
            fps = reel.fps if reel else CARD_FPS if pose else QUIET_FPS
            due_s = max(due_s + 1 / fps, time.monotonic())
            self._stop.wait(due_s - time.monotonic())

    def _picture(self, showing: _Showing | None, pose: Pose | None, reel: Reel | None) -> bytes:
        if reel:
            return reel.take()
        if showing and pose:
            return self._encoded(lay(self._scene, showing.card, pose))
        self._turn = (self._turn + 1) % QUIET_FRAMES
        return self._quiet[self._turn]

    # -- viewers --------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                viewer, _ = self._listener.accept()
            except TimeoutError:
                continue
            if self._viewers >= MAX_VIEWERS:
                viewer.close()
                continue
            viewer.settimeout(SEND_S)
            threading.Thread(
                target=self._serve, args=(viewer,), name="camera-viewer", daemon=True
            ).start()

    def _serve(self, viewer: socket.socket) -> None:
        with self._fresh:
            self._viewers += 1
        try:
            with viewer:
                request = b""
                while b"\r\n\r\n" not in request and len(request) < MAX_REQUEST_BYTES:
                    more = viewer.recv(1024)
                    if not more:
                        return
                    request += more
                viewer.sendall(_HEAD)
                self._stream(viewer)
        except OSError:
            return  # the viewer died or went away
        finally:
            with self._fresh:
                self._viewers -= 1

    def _stream(self, viewer: socket.socket) -> None:
        sent = -1
        while not self._stop.is_set():
            with self._fresh:
                self._fresh.wait(0.5)
                if self._count == sent:
                    continue
                sent, jpeg = self._count, self._jpeg
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            viewer.sendall(head.encode() + jpeg + b"\r\n")

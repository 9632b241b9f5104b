"""Reading QR codes from a live picture: cheap while nothing moves, thorough while something does.

Theory: the time until a moving card is read is ruled by its first sharp frame, so no frame is worth
much work and every frame is worth a little. While something moves, each frame gets the fast decoder
and, if that finds nothing, one of the costly steps in turn. While nothing moves, a frame gets one
step now and then, for a card that was laid down unseen.
"""

from __future__ import annotations

from drivers.qr import LIVE_STEPS, plain
from drivers.qr_code import Code
from drivers.vision import Gray, load_cv2

ALERT_MS = 2_000
"""Full attention goes on so long after the last movement or reading."""
GLANCE_MS = 500
"""Without movement, a look so often."""
REFERENCE_MS = 200
"""A picture is compared with one about so much older: slow movements add up."""
THUMB_PX = (80, 60)
MOVED_LEVELS = 10
"""Grey levels (of 255) by which a thumbnail's pixel must change; noise averages to about 1."""
MOVED_PIXELS = 10
"""So many of the thumbnail's 4,800 pixels changed: something the size of a finger."""


class MotionGate:
    """Whether something moves before the camera."""

    def __init__(self) -> None:
        self._reference: Gray | None = None
        self._reference_ms = 0
        self._moved_ms = -ALERT_MS

    def alert(self, gray: Gray, t_ms: int) -> bool:
        """Look at a frame; whether something moved in the last ``ALERT_MS``."""
        cv2 = load_cv2()
        thumb: Gray = cv2.resize(gray, THUMB_PX, interpolation=cv2.INTER_AREA)
        if self._reference is None:
            self._reference, self._reference_ms = thumb, t_ms
        change = cv2.absdiff(thumb, self._reference)
        if int((change > MOVED_LEVELS).sum()) >= MOVED_PIXELS:
            self.wake(t_ms)
        if t_ms - self._reference_ms >= REFERENCE_MS:
            self._reference, self._reference_ms = thumb, t_ms
        return t_ms - self._moved_ms < ALERT_MS

    def wake(self, t_ms: int) -> None:
        """Something is there, moving or not."""
        self._moved_ms = t_ms


class FrameReader:
    """Finds QR codes in frames that come one after another."""

    def __init__(self) -> None:
        self._gate = MotionGate()
        self._turn = 0
        self._glance_ms: int | None = None

    def read(self, gray: Gray, t_ms: int) -> list[Code]:
        """The codes found in this frame; ``t_ms`` rises from frame to frame."""
        if not self._gate.alert(gray, t_ms):
            if self._glance_ms is not None and t_ms - self._glance_ms < GLANCE_MS:
                return []
            self._glance_ms = t_ms
        codes = plain(gray) or self._next_step(gray)
        if codes:
            self._gate.wake(t_ms)
        return codes

    def _next_step(self, gray: Gray) -> list[Code]:
        self._turn = (self._turn + 1) % len(LIVE_STEPS)
        return LIVE_STEPS[self._turn](gray)

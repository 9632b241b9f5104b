"""Reading QR codes from a live picture: cheap while nothing moves, thorough while something does.

Theory: the time until a moving card is read is ruled by its first sharp frame, so no frame is worth much
work and every frame is worth a little. While something moves, each frame gets zxing-cpp as it is. If
that reads nothing there, the costly steps follow in turn, first the one that read last, on the region
where a code was seen or where it moves, until the frame's share of the processor is used. Then the next
newest frame is as good a chance as more work on this one.

The share is counted in this thread's own processor time: what a step costs here and now, on whatever
machine. What a frame used too much, the next ones do without: they are not even decoded.

While nothing moves, a frame's thumbnail is looked at every ``GATE_MS``, and a frame read every
``GLANCE_MS`` for a card that was laid down unseen.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from drivers.frame import Frame
from drivers.live import LIVE_STEPS, sight
from drivers.motion import Box, MotionGate
from drivers.qr_code import Code
from drivers.vision import Gray

SEARCH_SHARE = 0.18
"""Of one core, for decoding and reading; what the camera's own thread needs comes on top."""
SAVED_MS = 40.0
"""So much of it may be saved up while nothing is to do, for the first frames of a card."""
GATE_MS = 60
"""Without movement, a look at a thumbnail so often: at 30 frames a second at every other."""
GLANCE_MS = 1_000
"""Without movement, a reading so often."""
REGION_MS = 1_000
"""A code seen is looked for in its place for so long."""
MARGIN = 0.06
"""Of the picture, around what moved or was seen: a hand is quick, and a code needs its quiet zone."""


class Budget:
    """Processor time to spend: a share of the time that goes by."""

    def __init__(self, cpu_s: Callable[[], float]) -> None:
        self._cpu_s = cpu_s
        self._left_ms = SAVED_MS
        self._earned_ms: int | None = None
        self._counted_s = cpu_s()

    def earn(self, t_ms: int) -> None:
        """Time went by until ``t_ms``."""
        if self._earned_ms is not None:
            self._left_ms += SEARCH_SHARE * (t_ms - self._earned_ms)
        self._earned_ms = t_ms
        self._left_ms = min(self._left_ms, SAVED_MS)

    @property
    def some_left(self) -> bool:
        """Whether something may be done; what was done since the last call is paid first."""
        now_s = self._cpu_s()
        self._left_ms -= 1_000 * (now_s - self._counted_s)
        self._counted_s = now_s
        return self._left_ms > 0


class FrameReader:
    """Finds QR codes in frames that come one after another. ``cpu_s`` the processor time used so far."""

    def __init__(self, cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._gate = MotionGate()
        self._budget = Budget(cpu_s)
        self._alert = False
        self._looked_ms: int | None = None
        self._glance_ms: int | None = None
        self._turn = 0
        self._lucky: int | None = None
        self._region: Box | None = None
        self._region_ms = 0
        self._seen_turn = False

    @property
    def moving(self) -> bool:
        """Whether something moved in the frame looked at last."""
        return self._gate.moving

    def read(self, frame: Frame) -> list[Code]:
        """The codes found in this frame; ``t_ms`` rises from frame to frame."""
        t_ms = frame.t_ms
        self._budget.earn(t_ms)
        if not self._alert and self._looked_ms is not None and t_ms - self._looked_ms < GATE_MS:
            return []
        if not self._budget.some_left:
            return []
        self._looked_ms = t_ms
        gray = frame.gray if self._alert else None  # its thumbnail then costs next to nothing
        thumb = frame.thumb
        if thumb is None:
            return []
        self._alert = self._gate.alert(thumb, t_ms)
        if not self._alert:
            if self._glance_ms is not None and t_ms - self._glance_ms < GLANCE_MS:
                return []
            self._glance_ms = t_ms
        gray = frame.gray
        return [] if gray is None else self._read(gray, t_ms)

    def _read(self, gray: Gray, t_ms: int) -> list[Code]:
        seen = sight(gray)
        for left, top, right, bottom in seen.unread:
            self._seen_at(_box(gray, left, top, right, bottom), t_ms)
        region = self._where(t_ms)
        # A code that is read where nothing moves is a poster on the wall, with a worn card beside it.
        card_is_read = any(self._moves_at(_box_of(gray, code)) for code in seen.codes)
        most = len(LIVE_STEPS) if self._alert and not card_is_read else 1
        return seen.codes + self._steps(gray, region, most, seen.codes, t_ms)

    def _steps(
        self, gray: Gray, region: Box, most: int, known: list[Code], t_ms: int
    ) -> list[Code]:
        """What at most so many steps find in the region, beside what is known."""
        part, left, top = _cut(gray, region)
        for number in self._order()[:most]:
            if not self._budget.some_left:
                break
            found = [code.moved_by(left, top) for code in LIVE_STEPS[number](part)]
            codes = [code for code in found if not any(map(code.overlaps, known))]
            if number != self._lucky:
                self._turn = (number + 1) % len(LIVE_STEPS)
            elif not codes:
                self._lucky = None
            if codes:
                self._lucky = number
                for code in codes:
                    self._seen_at(_box_of(gray, code), t_ms)
                return codes
        return []

    def _order(self) -> list[int]:
        """Every step once: the one that read last, then from where the last frame's turn ended."""
        count = len(LIVE_STEPS)
        turn = [(self._turn + step) % count for step in range(count)]
        return (
            turn if self._lucky is None else [self._lucky, *(n for n in turn if n != self._lucky)]
        )

    def _where(self, t_ms: int) -> Box:
        """Where a card may be: where a code was seen lately, or where something moved, by turns when
        both are known; what was seen may be a poster that nobody can read."""
        self._seen_turn = not self._seen_turn
        seen = self._region if t_ms - self._region_ms < REGION_MS else None
        moved = None if self._gate.box is None else self._gate.box.grown(MARGIN)
        if seen is not None and (self._seen_turn or moved is None):
            return seen
        return moved or WHOLE

    def _moves_at(self, box: Box) -> bool:
        return self._gate.box is None or self._gate.box.overlaps(box)

    def _seen_at(self, box: Box, t_ms: int) -> None:
        self._region, self._region_ms = box.grown(MARGIN), t_ms


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def _box(gray: Gray, left: float, top: float, right: float, bottom: float) -> Box:
    height, width = gray.shape
    return Box(left / width, top / height, right / width, bottom / height)


def _box_of(gray: Gray, code: Code) -> Box:
    return _box(gray, code.left, code.top, code.right, code.bottom)


def _cut(gray: Gray, box: Box) -> tuple[Gray, int, int]:
    """The part within ``box``, and where it begins in pixels."""
    height, width = gray.shape
    left, top = int(box.left * width), int(box.top * height)
    right, bottom = round(box.right * width), round(box.bottom * height)
    return np.ascontiguousarray(gray[top:bottom, left:right]), left, top

"""How hard batches are pressed together: processor time against bytes on the line.

Measured on batches of 128 KiB (2 cores of a server; a Raspberry Pi takes about five times as long):

=======  ================  ====================
level    bytes an entry    microseconds an entry
=======  ================  ====================
plain    347               0
1        40                1.2
6        31                3.1
9        30                7.0
=======  ================  ====================

Even a line that takes all at once gains from level 1: what broker and receivers do not copy makes up for
half of it. So ``auto`` presses lightly on a fast line and harder where the line is what all wait for,
``always`` as hard as it goes (bytes are paid for), ``never`` not at all (a broker in the same house, a slow
processor).
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from sync.messages import deflate

Compress = Literal["auto", "always", "never"]
FAST_BYTES_PER_S = 2_000_000
"""About 16 Mbit/s: below, a batch waits longer for the line than for the processor."""
LIGHT, HARD, HARDEST = 1, 6, 9
WEIGHT = 0.2
"""Of the newest measurement in the running mean."""
MEASURED_BYTES = 2_048
"""Smaller messages say more of the round trip than of the line."""


class Packing:
    """One connection's, as ``auto`` measures it; ``begin`` with each new one."""

    def __init__(self, compress: Compress) -> None:
        self._compress = compress
        self._on_way: deque[tuple[int, int, float]] = deque()
        """Of each message: its bytes, the bytes under way with it, and when it was handed over."""
        self._rate: float | None = None

    def begin(self) -> None:
        """A new line: slow until it proves fast."""
        self._on_way.clear()
        self._rate = None

    @property
    def level(self) -> int | None:
        """Of zlib; None for plain."""
        if self._compress == "never":
            return None
        if self._compress == "always":
            return HARDEST
        return LIGHT if self._rate is not None and self._rate >= FAST_BYTES_PER_S else HARD

    def pack(self, plain: bytes, now_s: float) -> tuple[str, bytes]:
        """(content type, payload) of a batch that is handed to the broker now."""
        content_type, data = deflate(plain, self.level)
        before = sum(size for size, _, _ in self._on_way)
        self._on_way.append((len(data), before + len(data), now_s))
        return content_type, data

    def withdrawn(self) -> None:
        """The last one was not sent after all."""
        self._on_way.pop()

    def taken(self, now_s: float) -> None:
        """The oldest message's PUBACK came."""
        if not self._on_way:
            return
        size, with_others, at_s = self._on_way.popleft()
        if size < MEASURED_BYTES:
            return
        rate = with_others / max(now_s - at_s, 1e-6)
        self._rate = rate if self._rate is None else self._rate + WEIGHT * (rate - self._rate)

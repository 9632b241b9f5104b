"""What goes ahead of a backlog: entries of this moment, in small batches of their own.

Theory: a batch is proven by its own signature, wherever it stands, and the city parks what does not join on
yet (at most 64 batches of a station). So an entry that is written while a long backlog drains is sent at
once, waits at the city as verified and not yet joined, and is sent again in its order when the backlog has
come so far: twice, which storing by ``(ledger, seq)`` does not mind. Nothing overtakes a backlog of less
than ``BEHIND`` entries, which is gone in a moment.

The first ``AT_ONCE`` batches go as they come, later ones ever more rarely and with more in each, so that
``MOST`` are enough for a day of draining and leave the city's places for what receivers overtake.
"""

from __future__ import annotations

from collections import deque

BEHIND = 2_000
ENTRIES = 200
"""In one batch, at most."""
AT_ONCE = 12
MOST = 28
PACE_MS = 1_000
"""After ``AT_ONCE``, the wait before the next; it doubles with each."""


class Ahead:
    """Which entries count as of this moment, and which of them have gone."""

    def __init__(self) -> None:
        self._after = 0
        """Up to here everything goes in its order, or went ahead."""
        self._gone: deque[int] = deque()  # the last seqs of batches that the watermark has not met
        self._due_ms = 0

    def mark(self, head: int) -> None:
        """What there is now is backlog: only what comes after it is of this moment."""
        self._after = max(self._after, head)

    def begin(self, head: int) -> None:
        """Another ledger, or another process of the station's."""
        self._after, self._due_ms = head, 0
        self._gone.clear()

    def wanted(self, sent: int, head: int, now_ms: int) -> int | None:
        """After which entry to fetch, None where nothing is to go ahead of the one after ``sent``."""
        if head <= self._after or self._after - sent < BEHIND:
            return None
        if len(self._gone) >= MOST or now_ms < self._due_ms:
            return None
        return self._after

    def went(self, last: int, now_ms: int) -> None:
        """The batch after what ``wanted`` said is under way."""
        self._after = last
        self._gone.append(last)
        over = len(self._gone) - AT_ONCE
        self._due_ms = now_ms + PACE_MS * 2**over if over >= 0 else 0

    def joined(self, watermark: int) -> None:
        """The city has come so far."""
        while self._gone and self._gone[0] <= watermark:
            self._gone.popleft()

"""Batches handed to the broker whose PUBACK has not come: how many there may be, and what they cover.

Theory: the broker bounds them (MQTT 5, Receive Maximum), and so does the wait of what comes after them. On
a slow line they queue in the socket, and an entry of this moment would stand behind all of them. The queue
is what a PUBACK takes longer than the quickest of this connection (as LEDBAT has it, RFC 6817): above
``QUEUE_MS`` the bound is halved, at most once for each that was under way, below it grows by one. A line
without a queue is never held up, however long its round trip.

PUBACKs come in the order of the messages (MQTT 5, 4.6), so none needs a name.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

LEAST = 2
"""One under way while the next is written."""
MOST = 16
QUEUE_MS = 250
FULL_BYTES = 32_768
"""Only batches at least as large measure the line: a small one is quick on any."""
RESERVED = 2
"""Places of the broker's maximum that are only for what goes ahead of others."""


@dataclass(frozen=True, slots=True)
class _Sent:
    first: int
    last: int
    at_ms: int
    full: bool


class OnWay:
    """One connection's; ``begin`` with each new one."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque()
        self.begin(1)

    def begin(self, receive_maximum: int) -> None:
        """A new connection: nothing is under way."""
        self._sent.clear()
        self._maximum = max(1, receive_maximum)
        self._bound = MOST
        self._quickest_ms: int | None = None
        self._halved_ms = -1

    def __len__(self) -> int:
        return len(self._sent)

    def room(self, *, ahead: bool = False) -> bool:
        """Whether one more may go; ``ahead`` for a small one that is not to wait for the others."""
        if ahead:
            return len(self._sent) < self._maximum
        kept = RESERVED if self._maximum > 2 * RESERVED else 0
        return len(self._sent) < min(self._bound, self._maximum - kept)

    def add(self, first: int, last: int, size: int, now_ms: int) -> None:
        """A batch was handed over."""
        self._sent.append(_Sent(first, last, now_ms, size >= FULL_BYTES))

    def birth(self, now_ms: int) -> None:
        """What is no batch, and answered all the same."""
        self.add(0, 0, 0, now_ms)

    def withdrawn(self, last: int) -> None:
        """The batch that ends there was not sent after all."""
        for sent in reversed(self._sent):
            if sent.last == last:
                self._sent.remove(sent)
                return

    def taken(self, now_ms: int) -> None:
        """A PUBACK came; one too many is nothing."""
        if not self._sent:
            return
        sent = self._sent.popleft()
        if not sent.full:
            return
        took_ms = now_ms - sent.at_ms
        self._quickest_ms = min(took_ms, self._quickest_ms or took_ms)
        if took_ms - self._quickest_ms <= QUEUE_MS:
            self._bound = min(MOST, self._bound + 1)
        elif sent.at_ms > self._halved_ms:
            self._bound = max(LEAST, self._bound // 2)
            self._halved_ms = now_ms

    def covers(self, seq: int) -> bool:
        """Whether the broker may not have this entry yet."""
        return any(sent.first <= seq <= sent.last for sent in self._sent)

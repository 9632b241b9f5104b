"""The way to the broker as the rules see it: where it stands, when it is tried again, how full it is.

A state machine of its own inside ``uplink``'s: four states, the waits between them, and the count of what
the broker has not yet answered (PUBACKs), which it bounds (MQTT 5, 4.9, Receive Maximum).
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from sync.link_codes import TWIN
from sync.on_way import OnWay
from sync.reconnecting import Reconnecting
from sync.uplink_events import (
    BatchFetched,
    Event,
    Hurried,
    LinkDown,
    LinkUp,
    Renewed,
    StationUp,
    Tick,
)
from sync.uplink_pace import (
    CONNECT_TIMEOUT_MS,
    CUTS,
    PUBACK_TIMEOUT_MS,
    TWIN_MS,
    Pace,
)


class Link(enum.Enum):
    """The way to the broker."""

    IDLE = "no station has been seen yet, so nobody knows the topics"
    WAITING = "before the next try"
    CONNECTING = "connection asked for"
    UP = "connected and subscribed"


_STEPS: dict[tuple[Link, type[Event]], Link] = {
    (Link.IDLE, StationUp): Link.CONNECTING,
    (Link.WAITING, Tick): Link.CONNECTING,
    (Link.WAITING, Renewed): Link.CONNECTING,
    (Link.WAITING, Hurried): Link.CONNECTING,
    (Link.CONNECTING, LinkUp): Link.UP,
    (Link.CONNECTING, LinkDown): Link.WAITING,
    (Link.CONNECTING, Tick): Link.WAITING,
    (Link.UP, LinkDown): Link.WAITING,
    (Link.UP, Tick): Link.WAITING,
    (Link.UP, Renewed): Link.CONNECTING,
}
"""What an event makes of the link; the ``Tick`` rows only once their deadline has passed."""


class Wire:
    """``random`` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float], pace: Pace) -> None:
        self._random = random
        self._pace = pace
        self.link = Link.IDLE
        self.due_ms: int | None = None
        """When the next try begins, or the one that runs is given up."""
        self.puback_due_ms: int | None = None
        self.on_way = OnWay()
        self._reconnecting = Reconnecting(random)
        self._refused = 0  # tries in a row that were refused
        self._up_since_ms = 0
        self._cuts = 0
        self._twin = False  # the last connection was taken over

    @property
    def up(self) -> bool:
        return self.link is Link.UP

    def room(self, *, ahead: bool = False) -> bool:
        """Whether one more message may go before an earlier one is answered."""
        return self.up and self.on_way.room(ahead=ahead)

    def connecting(self, event: type[Event], now_ms: int) -> None:
        self._step(event)
        self._begin(1)
        self.due_ms = now_ms + CONNECT_TIMEOUT_MS

    def opened(self, receive_maximum: int, now_ms: int) -> None:
        self._step(LinkUp)
        self.due_ms = None
        self._up_since_ms = now_ms
        self._begin(receive_maximum)

    def lost(self, event: type[Event], code: str, now_ms: int) -> str:
        """Down, until a wait drawn by chance is over. The code, or what it comes to by its repetition."""
        up_ms = self._heard_ms(now_ms) - self._up_since_ms if self.up else 0
        if up_ms >= TWIN_MS:
            self._refused = self._cuts = 0
        if self.up and code == "hung_up":
            self._cuts += 1
        elif not (self.up and code == "connection_lost"):
            self._cuts = 0  # else it says nothing: who is hung up on while sending sees a reset
        if self._cuts >= CUTS:
            code = "cut_short"
        self._step(event)
        self._begin(1)
        self._twin = code in TWIN
        refused_ms = self._pace.refused_ms(code, self._refused)
        if refused_ms is None:
            self.due_ms = now_ms + self._reconnecting.wait_ms(up_ms)
        else:
            self._refused += 1
            self.due_ms = now_ms + int(self._random() * refused_ms)
        return code

    def progressed(self) -> None:
        """The city signed for more: whatever was wrong is not any more. For twins it does so in turn."""
        if not self._twin:
            self._refused = 0
        self._reconnecting.well()

    def published(self, now_ms: int, batch: BatchFetched | None = None) -> None:
        """One more PUBACK is due, of a batch or of a birth. The timer runs from the first that is."""
        if batch is None:
            self.on_way.birth(now_ms)
        else:
            self.on_way.add(batch.after + 1, batch.last, len(batch.payload), now_ms)
        if self.puback_due_ms is None:
            self.puback_due_ms = now_ms + PUBACK_TIMEOUT_MS

    def beside(self, now_ms: int) -> bool:
        """Takes a place for what the rules did not ask for (a reply, a birth said anew, seals of an ended
        ledger), until its PUBACK; False where there is none."""
        free = self.room(ahead=True)
        if free:
            self.published(now_ms)
        return free

    def answered(self, now_ms: int) -> None:
        """One PUBACK came; the next one has its own time."""
        self.on_way.taken(now_ms)
        self.puback_due_ms = now_ms + PUBACK_TIMEOUT_MS if self.on_way else None

    def withdrawn(self, last: int) -> None:
        """A batch was not sent, so nothing will answer."""
        self.on_way.withdrawn(last)
        if not self.on_way:
            self.puback_due_ms = None

    def _heard_ms(self, now_ms: int) -> int:
        """Until when the broker was there: a connection that fell silent at once was never a good one."""
        due_ms = self.puback_due_ms
        return now_ms if due_ms is None or now_ms < due_ms else due_ms - PUBACK_TIMEOUT_MS

    def _begin(self, receive_maximum: int) -> None:
        self.on_way.begin(receive_maximum)
        self.puback_due_ms = None

    def _step(self, event: type[Event]) -> None:
        self.link = _STEPS[self.link, event]

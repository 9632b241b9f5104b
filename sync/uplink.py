"""The uplink's rules, without I/O: which batch goes when, and what an acknowledgement means.

Theory of operation
-------------------
The station's ledger is the queue; the uplink keeps none. It remembers three numbers: ``watermark``
(the city has committed this, signed), ``sent`` (the last seq published since it last went back)
and ``head`` (the last seq there is). While the way to the city is up and ``sent < head`` it fetches
the batch after ``sent`` and publishes it, so a live entry goes at once and a long queue goes as a
*window* of batches.

Only an acknowledgement that the station has judged good moves ``watermark``. A PUBACK says that a
broker took the message and nothing more; it is counted because the broker bounds how many may be
in flight (MQTT 5, Receive Maximum), and because a broker that sends none is not there.

``sent`` goes back to ``watermark`` on: a new connection, another start of the station, a newer
epoch, the city's ``gap``, and the acknowledgement timer. A repeated acknowledgement changes
nothing, so duplicates never multiply. After silence one batch at a time probes until there is
progress. What the city refuses (``unknown_key``, ``fork``, ``bad_signature``…) is held and probed
again later: nothing is ever dropped here, because nothing is kept here.

Every wait before trying again is drawn at random ("full jitter"), so that a thousand stations do
not return in step after a broker's restart: ``reconnecting`` says how.

The caller hands in one event at a time with the time in milliseconds of a monotonic clock and
carries out the actions in order; it calls with ``Tick`` no later than ``deadline_ms``.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

from sync.messages import StationState
from sync.reconnecting import Reconnecting
from sync.uplink_events import (
    AckArrived,
    AckJudged,
    Action,
    Announce,
    BatchFetched,
    Connect,
    Disconnect,
    Event,
    Fetch,
    Judge,
    LedgerMoved,
    LinkDown,
    LinkUp,
    NothingFetched,
    Puback,
    Publish,
    Report,
    StationDown,
    StationUp,
    Tick,
)

WINDOW = 16
"""Batches published and not yet acknowledged by the city."""
ACK_TIMEOUT_MS = 10_000
"""Silence of the city after a batch before the uplink goes back; doubles while it lasts."""
ACK_TIMEOUT_LIMIT_MS = 300_000
PUBACK_TIMEOUT_MS = 20_000
"""A broker that stops sending PUBACKs is given up, even while it answers pings."""
CONNECT_TIMEOUT_MS = 20_000
"""A broker that takes the connection and never answers is given up."""
HOLD_BASE_MS = 4_000
HOLD_LIMIT_MS = 300_000
"""Bounds of the jittered wait after the city refused."""
GAP_REPEAT_MS = 5_000
"""The city tells a gap no more often; a second one sooner is a copy of the first."""

_QUIET_REASONS = frozenset({"other_ledger", "old_epoch", "old_seq"})
"""Ordinary: an old retained acknowledgement, or two receivers that overtake each other."""


class Link(enum.Enum):
    """The way to the broker."""

    IDLE = "no station has been seen yet, so nobody knows the topics"
    WAITING = "before the next try"
    CONNECTING = "connection asked for"
    UP = "connected and subscribed"


class Flow(enum.Enum):
    """How batches go while the link is up."""

    SENDING = "a window of batches"
    PROBING = "one batch at a time, until there is progress"
    HELD = "none, until the wait is over"


_LINK_STEPS: dict[tuple[Link, type[Event]], Link] = {
    (Link.IDLE, StationUp): Link.CONNECTING,
    (Link.WAITING, Tick): Link.CONNECTING,
    (Link.CONNECTING, LinkUp): Link.UP,
    (Link.CONNECTING, LinkDown): Link.WAITING,
    (Link.CONNECTING, Tick): Link.WAITING,
    (Link.UP, LinkDown): Link.WAITING,
    (Link.UP, Tick): Link.WAITING,
}
"""What an event makes of the link; the ``Tick`` rows only once their deadline has passed."""

_REFUSALS = {
    "unknown_key": "The city does not know this station's key.",
    "fork": "The city holds other entries under these numbers.",
    "bad_signature": "The city finds the signature wrong.",
    "genesis": "The city does not take this ledger's beginning as this station's.",
    "other_station": "The city has this ledger under another station's name.",
}
_SILENT = "The city does not acknowledge."


class Uplink:
    """One station's uplink. ``random`` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.link = Link.IDLE
        self.flow = Flow.SENDING
        self.station: StationState = "down"
        self.ledger: str | None = None
        self.epoch = 0
        self.watermark = 0
        self.sent = 0
        self.head = 0
        self._unacknowledged: deque[int] = deque()  # the last seq of each batch in the window
        self._pubacks_due = 0
        self._receive_maximum = 1
        self._fetching = False
        self._reconnecting = Reconnecting(random)
        self._silences = 0  # acknowledgement timers that ran out in a row
        self._refusals = 0  # batches that the city refused in a row
        self._up_since_ms = 0
        self._went_back_ms: int | None = None
        self._link_due_ms: int | None = None
        self._puback_due_ms: int | None = None
        self._flow_due_ms: int | None = None
        self._reported: Report | None = None
        self._actions: list[Action] = []

    @property
    def deadline_ms(self) -> int | None:
        """When the next ``Tick`` is needed, None when only an event can change anything."""
        due = (self._link_due_ms, self._puback_due_ms, self._flow_due_ms)
        return min((each for each in due if each is not None), default=None)

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take one event; what is to be done now, in order."""
        self._actions = []
        match event:
            case StationUp():
                self._station_up(event, now_ms)
            case StationDown(stalled):
                self._fetching = False
                self._show("stalled" if stalled else "down")
            case LedgerMoved():
                self._moved(event.watermark, event.epoch, now_ms)
                self.head = event.head
            case BatchFetched():
                self._fetched(event, now_ms)
            case NothingFetched(after):
                self._fetching = False
                if after == self.sent:
                    self.head = after
            case LinkUp(receive_maximum):
                self._link_up(receive_maximum, now_ms)
            case LinkDown(code, words):
                self._link_down(code, words, now_ms)
            case Puback():
                self._puback(event, now_ms)
            case AckArrived(payload):
                if self.station == "up":
                    self._actions.append(Judge(payload))
            case AckJudged():
                self._judged(event, now_ms)
            case Tick():
                self._tick(now_ms)
        self._fetch_next()
        assert self.watermark <= self.sent
        return self._actions

    # --- the station -----------------------------------------------------------------------------

    def _station_up(self, event: StationUp, now_ms: int) -> None:
        self.ledger, self.epoch = event.ledger, event.epoch
        self.head, self.watermark = event.head, event.watermark
        self._fetching = False
        self._go_back(Flow.SENDING, now_ms)
        self._show("up")
        if self._reported is not None:
            self._actions.append(self._reported)  # a new process has not heard it yet
        if self.link is Link.IDLE:
            self._connect(StationUp, now_ms)

    def _show(self, station: StationState) -> None:
        changed, self.station = self.station != station, station
        if changed and self.link is Link.UP:
            self._actions.append(Announce(station))

    def _fetch_next(self) -> None:
        limit = {Flow.SENDING: WINDOW, Flow.PROBING: 1, Flow.HELD: 0}[self.flow]
        if (
            self.link is Link.UP
            and self.station == "up"
            and not self._fetching
            and self.sent < self.head
            and len(self._unacknowledged) < limit
            and self._pubacks_due < self._receive_maximum
        ):
            self._fetching = True
            self._actions.append(Fetch(self.sent))

    def _fetched(self, event: BatchFetched, now_ms: int) -> None:
        self._fetching = False
        wanted = event.after == self.sent and event.last > event.after
        if not wanted or self.link is not Link.UP or self.flow is Flow.HELD:
            return  # the uplink went back, or lost the link, while the station was reading
        self.sent = event.last
        self.head = max(self.head, event.last)
        self._unacknowledged.append(event.last)
        self._pubacks_due += 1
        if self._puback_due_ms is None:
            self._puback_due_ms = now_ms + PUBACK_TIMEOUT_MS
        self._actions.append(Publish(event.last, event.payload))
        if self._flow_due_ms is None:
            self._flow_due_ms = now_ms + self._patience_ms()

    # --- the link --------------------------------------------------------------------------------

    def _step(self, event: type[Event]) -> None:
        self.link = _LINK_STEPS[self.link, event]

    def _connect(self, event: type[Event], now_ms: int) -> None:
        self._step(event)
        self._link_due_ms = now_ms + CONNECT_TIMEOUT_MS
        self._actions.append(Connect())

    def _link_up(self, receive_maximum: int, now_ms: int) -> None:
        if self.link is not Link.CONNECTING:
            return  # of a connection that was given up
        self._step(LinkUp)
        self._link_due_ms = None
        self._up_since_ms = now_ms
        self._receive_maximum = max(1, receive_maximum)
        self._expect_pubacks(0, now_ms)
        self._go_back(Flow.PROBING if self._silences or self._refusals else Flow.SENDING, now_ms)
        self._actions.append(Announce(self.station))
        self._report(Report(True, None, ""))

    def _link_down(self, code: str, words: str, now_ms: int) -> None:
        if self.link not in (Link.CONNECTING, Link.UP):
            return
        up_ms = self._up_ms(now_ms)
        self._step(LinkDown)
        self._lost(code, words, up_ms, now_ms)

    def _give_up(self, code: str, words: str, now_ms: int) -> None:
        up_ms = self._up_ms(now_ms)
        self._step(Tick)
        self._actions.append(Disconnect())
        self._lost(code, words, up_ms, now_ms)

    def _up_ms(self, now_ms: int) -> int:
        return now_ms - self._up_since_ms if self.link is Link.UP else 0

    def _lost(self, code: str, words: str, up_ms: int, now_ms: int) -> None:
        self._expect_pubacks(0, now_ms)
        self._go_back(self.flow, now_ms)
        self._flow_due_ms = None
        self._link_due_ms = now_ms + self._reconnecting.wait_ms(up_ms)
        self._report(Report(False, code, words))

    def _puback(self, event: Puback, now_ms: int) -> None:
        self._expect_pubacks(max(0, self._pubacks_due - 1), now_ms)
        if event.code is not None and self.flow is not Flow.HELD:
            self._hold(event.code, event.words, now_ms)

    def _expect_pubacks(self, due: int, now_ms: int) -> None:
        self._pubacks_due = due
        self._puback_due_ms = now_ms + PUBACK_TIMEOUT_MS if due else None

    # --- acknowledgements ------------------------------------------------------------------------

    def _judged(self, event: AckJudged, now_ms: int) -> None:
        if not event.accepted:
            if event.reason is not None and event.reason not in _QUIET_REASONS:
                words = "What came as the city's acknowledgement does not count."
                self._report(Report(self.link is Link.UP, f"ack_{event.reason}", words))
            return
        progressed = self._moved(event.watermark, event.epoch, now_ms)
        error = event.error
        if error is None:
            self._well()
        elif error.code == "gap":
            recent = self._went_back_ms is not None and now_ms - self._went_back_ms < GAP_REPEAT_MS
            if self.sent > self.watermark and not recent:
                self._go_back(Flow.PROBING, now_ms)
        elif not progressed:
            words = _REFUSALS.get(error.code, "The city refuses what this station sends.")
            if self.flow is Flow.HELD:
                self._report(Report(self.link is Link.UP, error.code, words))
            else:
                self._hold(error.code, words, now_ms)

    def _well(self) -> None:
        """The city answered and found nothing wrong, progress or not: nothing is held up any more."""
        if self.flow is Flow.HELD:
            self.flow, self._flow_due_ms = Flow.PROBING, None
        if self.link is Link.UP:
            self._report(Report(True, None, ""))

    def _moved(self, watermark: int, epoch: int, now_ms: int) -> bool:
        """The station's watermark or epoch, from whichever way it came; True on progress."""
        if epoch != self.epoch or watermark < self.watermark:
            self.epoch, self.watermark = epoch, watermark
            self._go_back(Flow.SENDING, now_ms)
            return True
        if watermark == self.watermark:
            return False
        self.watermark = watermark
        self.sent = max(self.sent, watermark)
        self.head = max(self.head, watermark)
        while self._unacknowledged and self._unacknowledged[0] <= watermark:
            self._unacknowledged.popleft()
        self._silences = self._refusals = 0
        self._reconnecting.well()
        self.flow = Flow.SENDING
        self._flow_due_ms = now_ms + self._patience_ms() if self._unacknowledged else None
        if self.link is Link.UP:
            self._report(Report(True, None, ""))
        return True

    def _go_back(self, flow: Flow, now_ms: int) -> None:
        self.sent = self.watermark
        self._unacknowledged.clear()
        self._went_back_ms = now_ms
        if self.flow is Flow.HELD and flow is Flow.HELD:
            return
        self.flow = flow
        self._flow_due_ms = None

    def _hold(self, code: str, words: str, now_ms: int) -> None:
        self._go_back(Flow.HELD, now_ms)
        self._flow_due_ms = now_ms + self._jitter(HOLD_BASE_MS, HOLD_LIMIT_MS, self._refusals)
        self._refusals += 1
        self._report(Report(self.link is Link.UP, code, words))

    # --- time ------------------------------------------------------------------------------------

    def _tick(self, now_ms: int) -> None:
        if self._link_due_ms is not None and now_ms >= self._link_due_ms:
            if self.link is Link.WAITING:
                self._connect(Tick, now_ms)
            else:
                self._give_up("broker_silent", "The broker does not answer.", now_ms)
        if self._puback_due_ms is not None and now_ms >= self._puback_due_ms:
            self._give_up("broker_silent", "The broker does not answer.", now_ms)
        if self._flow_due_ms is not None and now_ms >= self._flow_due_ms:
            if self.flow is Flow.HELD:
                self.flow, self._flow_due_ms = Flow.PROBING, None
                return
            self._silences += 1
            self._go_back(Flow.PROBING, now_ms)
            self._report(Report(True, "city_silent", _SILENT))

    def _patience_ms(self) -> int:
        return int(min(ACK_TIMEOUT_LIMIT_MS, ACK_TIMEOUT_MS * 2 ** min(self._silences, 16)))

    def _jitter(self, base_ms: int, limit_ms: int, tries: int) -> int:
        return int(self._random() * min(limit_ms, base_ms * 2 ** min(tries, 16)))

    def _report(self, report: Report) -> None:
        if report != self._reported:
            self._reported = report
            self._actions.append(report)

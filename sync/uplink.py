"""The uplink's rules, without I/O: which batch goes when, and what an acknowledgement means.

Theory of operation
-------------------
The station's ledger is the queue; the uplink keeps none. It remembers three numbers: ``watermark``
(the city has committed this, signed), ``sent`` (the last seq published since it last went back)
and ``head`` (the last seq there is). While the way to the city is up and ``sent < head`` it fetches
the batch after ``sent`` and publishes it, so a live entry goes at once and a long queue goes as a
*window* of batches; what is written while a long queue drains goes ahead of it (``ahead``).

Only an acknowledgement that the station has judged good moves ``watermark``. A PUBACK says that a
broker took the message and nothing more; it is counted because the broker bounds how many may be
in flight, births among them, because what is in flight delays what comes after it (``on_way``), and
because a broker that sends none is not there. A batch that it finds too large is fetched again at half
the size (``batch_size``).

``sent`` goes back to ``watermark`` on: a new connection, another start of the station, a newer
epoch, the city's ``gap``, and the acknowledgement timer. A repeated acknowledgement changes
nothing, so duplicates never multiply. After silence one batch at a time probes until there is
progress. What the city refuses (``unknown_key``, ``fork``, ``bad_signature``…) is held and probed
again later: nothing is ever dropped here, because nothing is kept here.
Waits before trying again are ``uplink_pace``'s, what the station hears ``uplink_telling``'s.

The caller hands in one event at a time with the milliseconds of a monotonic clock and carries out the
actions in order; it calls with ``Tick`` no later than ``deadline_ms``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sync.ahead import ENTRIES, Ahead
from sync.batch_size import BatchSize
from sync.gathered import Gathered
from sync.messages import StationState
from sync.uplink_events import (
    AckArrived,
    AckJudged,
    Action,
    Announce,
    BatchFetched,
    Certificate,
    Connect,
    Disconnect,
    Event,
    Fetch,
    Hurried,
    Judge,
    LedgerMoved,
    LinkDown,
    LinkUp,
    Noted,
    NothingFetched,
    Puback,
    Publish,
    Renewed,
    StationDown,
    StationUp,
    Tick,
    TooLarge,
)
from sync.uplink_pace import (
    ACK_TIMEOUT_LIMIT_MS,
    ACK_TIMEOUT_MS,
    GAP_REPEAT_MS,
    HOLD_BASE_MS,
    HOLD_LIMIT_MS,
    Flow,
    Pace,
    doubled,
    past,
)
from sync.uplink_telling import QUIET_REASONS, Telling
from sync.uplink_wire import Link, Wire


class Uplink:
    """One station's uplink. ``random`` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float], pace: Pace | None = None) -> None:
        self._random = random
        self._pace = pace or Pace()
        self._wire = Wire(random, self._pace)
        self.beside = self._wire.beside
        self._telling = Telling()
        self.flow = Flow.SENDING
        self.station: StationState = "down"
        self.epoch = self._turn = 0
        self.watermark = 0
        self.sent = 0
        self.head = 0
        self._unacknowledged: deque[int] = deque()  # the last seq of each batch in the window
        self._announce_due = False
        self._fetching: Fetch | None = None
        self._ahead = Ahead()
        self._size = BatchSize()
        self._gathered = Gathered(self._pace.gather_ms)
        self._silences = 0  # acknowledgement timers that ran out in a row
        self._refusals = 0  # batches that the city refused in a row
        self._went_back_ms: int | None = None
        self._flow_due_ms: int | None = None
        self._announce_again_ms: int | None = None
        self._actions: list[Action] = []

    @property
    def link(self) -> Link:
        """The way to the broker."""
        return self._wire.link

    @property
    def deadline_ms(self) -> int | None:
        """When the next ``Tick`` is needed, None when only an event can change anything."""
        due = (
            self._wire.due_ms,
            self._wire.puback_due_ms,
            self._flow_due_ms,
            self._gathered.due_ms,
            self._announce_again_ms,
            self._telling.due_ms,
        )
        return min((each for each in due if each is not None), default=None)

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take one event; what is to be done now, in order."""
        self._actions = []
        match event:
            case StationUp():
                self._station_up(event, now_ms)
            case StationDown(stalled):
                self._fetching = None
                self._show("stalled" if stalled else "down")
            case LedgerMoved():
                self._moved(event, now_ms)
                self.head = event.head
            case BatchFetched():
                self._fetched(event, now_ms)
            case NothingFetched(after):
                asked, self._fetching = self._fetching, None
                if after == self.sent or (asked is not None and asked.after == after):
                    self.head = after
            case LinkUp(receive_maximum):
                self._link_up(receive_maximum, now_ms)
            case LinkDown(code, words):
                self._link_down(code, words, now_ms)
            case Puback(of="beside"):
                self._wire.answered(now_ms)
            case Puback():
                self._puback(event, now_ms)
            case TooLarge(last):
                self._wire.withdrawn(last)
                self._too_large(last, now_ms)
            case Noted(code, words):
                self._telling.note(code, words)
            case Certificate(until_ms):
                self._telling.certificate(until_ms)
            case Renewed():
                self._renewed(now_ms)
            case Hurried():
                if self.link is Link.WAITING:
                    self._connect(Hurried, now_ms)
            case AckArrived(payload):
                self._ack_arrived(payload)
            case AckJudged():
                self._judged(event, now_ms)
            case Tick():
                self._tick(now_ms)
        self._announce_next(now_ms)
        self._fetch_next(now_ms)
        if (report := self._telling.take()) is not None:
            self._actions.append(report)
        assert self.watermark <= self.sent
        return self._actions

    # --- the station -----------------------------------------------------------------------------

    def _station_up(self, event: StationUp, now_ms: int) -> None:
        self.epoch, self._turn = event.epoch, event.turn or 0
        self.head, self.watermark = event.head, event.watermark
        self._fetching = None
        self._ahead.begin(event.head)
        self._go_back(Flow.SENDING, now_ms)
        self._show("up")
        if self._telling.said is not None:
            self._actions.append(self._telling.said)  # a new process has not heard it yet
        if self.link is Link.IDLE:
            self._connect(StationUp, now_ms)

    def _show(self, station: StationState) -> None:
        changed, self.station = self.station != station, station
        self._announce_due = self._announce_due or (changed and self._wire.up)

    def _announce_next(self, now_ms: int) -> None:
        if self._announce_due and self._wire.room(ahead=True):
            self._announce_due = False
            self._wire.published(now_ms)
            self._actions.append(Announce(self.station))

    def _fetch_next(self, now_ms: int) -> None:
        if not self._wire.up or self.station != "up" or self._fetching is not None:
            return
        live = self._ahead.wanted(self.sent, self.head, now_ms)
        if live is not None and self.flow is Flow.SENDING and self._wire.room(ahead=True):
            self._fetching = Fetch(live, min(ENTRIES, self._size.entries), ahead=True)
        elif (
            self.sent < self.head
            and len(self._unacknowledged) < self.flow.window
            and self._wire.room()
            and self._gathered.ready(self.sent, self.head, now_ms)
        ):
            self._fetching = Fetch(self.sent, self._size.entries)
        if self._fetching is not None:
            self._actions.append(self._fetching)

    def _fetched(self, event: BatchFetched, now_ms: int) -> None:
        asked, self._fetching = self._fetching, None
        if not self._wire.up or self.flow is Flow.HELD or event.last <= event.after:
            return
        if asked is not None and asked.ahead and asked.after == event.after > self.sent:
            self._ahead.went(event.last, now_ms)
            self._publish(event, now_ms)
            return
        if event.after != self.sent:
            return  # the uplink went back while the station was reading
        self.sent = event.last
        self._unacknowledged.append(event.last)
        self._publish(event, now_ms)
        if self._flow_due_ms is None:
            self._flow_due_ms = now_ms + self._patience_ms()

    def _publish(self, event: BatchFetched, now_ms: int) -> None:
        self.head = max(self.head, event.last)
        self._wire.published(now_ms, event)
        self._actions.append(Publish(event.last, event.payload))

    # --- the link --------------------------------------------------------------------------------

    def _connect(self, event: type[Event], now_ms: int) -> None:
        self._wire.connecting(event, now_ms)
        self._actions.append(Connect())

    def _link_up(self, receive_maximum: int, now_ms: int) -> None:
        if self.link is not Link.CONNECTING:
            return  # of a connection that was given up
        self._wire.opened(receive_maximum, now_ms)
        self._go_back(Flow.PROBING if self._silences or self._refusals else Flow.SENDING, now_ms)
        self._announce_due = True
        self._telling.up(now_ms)

    def _link_down(self, code: str, words: str, now_ms: int) -> None:
        if self.link not in (Link.CONNECTING, Link.UP):
            return
        if self._wire.up and code == "packet_too_large":
            self._size.halve(0)
        self._lost(LinkDown, code, words, now_ms)

    def _lost(self, event: type[Event], code: str, words: str, now_ms: int) -> None:
        told = self._wire.lost(event, code, now_ms)
        self._unlinked(now_ms)
        self._telling.down(told, words if told == code else "")

    def _unlinked(self, now_ms: int) -> None:
        """What was on its way is not any more."""
        self._go_back(self.flow, now_ms)
        self._flow_due_ms = self._announce_again_ms = None
        self._announce_due = False
        self._gathered.forget()
        self._size.new_link()

    def _renewed(self, now_ms: int) -> None:
        """New certificates lie there: use them now, also where the old ones were refused."""
        if self.link not in (Link.UP, Link.WAITING):
            return
        if self._wire.up:
            self._actions.append(Disconnect())
            self._unlinked(now_ms)
        self._connect(Renewed, now_ms)

    def _puback(self, event: Puback, now_ms: int) -> None:
        self._wire.answered(now_ms)
        stale = self._size.answered()
        if event.of == "state":
            if event.code is None:
                self._telling.unnote("state_refused")
            else:
                self._telling.note("state_refused", event.words)
                self._announce_again_ms = now_ms + HOLD_LIMIT_MS
        elif event.code == "packet_too_large":
            if not stale:
                self._too_large(self.sent, now_ms)
        elif event.code is not None and self.flow is not Flow.HELD:
            self._hold(event.code, event.words, now_ms)

    def _too_large(self, last: int, now_ms: int) -> None:
        if self.flow is Flow.HELD or last != self.sent:
            return  # the uplink went back from it
        if self._size.halve(len(self._wire.on_way)):
            self._go_back(Flow.PROBING, now_ms)
        else:
            self._hold("packet_too_large", "", now_ms)

    # --- acknowledgements ------------------------------------------------------------------------

    def _ack_arrived(self, payload: bytes) -> None:
        if not payload:
            self._telling.bad_ack_gone()  # an empty message is how a retained one is taken away
        elif self.station == "up":
            self._actions.append(Judge(payload))

    def _judged(self, event: AckJudged, now_ms: int) -> None:
        if not event.accepted:
            if event.reason is not None and event.reason not in QUIET_REASONS:
                self._telling.held_up(f"ack_{event.reason}", online=self._wire.up)
            return
        progressed = self._moved(event, now_ms)
        error = event.error
        if error is None:  # progress or not, nothing is held up any more
            if self.flow is Flow.HELD:
                self.flow, self._flow_due_ms = Flow.PROBING, None
            if self._wire.up:
                self._telling.well()
        elif error.code == "gap":
            recent = self._went_back_ms is not None and now_ms - self._went_back_ms < GAP_REPEAT_MS
            # What the broker has not taken yet is late, not lost.
            late = self._wire.on_way.covers(self.watermark + 1)
            if self.sent > self.watermark and not recent and not late:
                self._go_back(Flow.PROBING, now_ms)
        elif not progressed:
            if self.flow is Flow.HELD:
                self._telling.held_up(error.code, online=self._wire.up)
            else:
                self._hold(error.code, "", now_ms)

    def _moved(self, event: LedgerMoved | AckJudged, now_ms: int) -> bool:
        """The station's watermark or epoch, from whichever way it came; True on progress."""
        watermark, epoch = event.watermark, event.epoch
        if event.turn is not None and event.turn < self._turn:
            return False  # it crossed a later word on its way
        self._turn = event.turn or 0
        # With its first word ever the city begins no new life: what is on its way is on its way to it.
        another = epoch != self.epoch and self.epoch > 0
        self.epoch = epoch
        if another or watermark < self.watermark:
            self.watermark = watermark
            self._go_back(Flow.SENDING, now_ms)
            return True
        if watermark == self.watermark:
            return False
        self.watermark = watermark
        self.sent = max(self.sent, watermark)
        self.head = max(self.head, watermark)
        while self._unacknowledged and self._unacknowledged[0] <= watermark:
            self._unacknowledged.popleft()
        self._wire.progressed()
        self._silences = self._refusals = 0
        self._ahead.joined(watermark)
        if self.flow is not Flow.SENDING:
            self.flow = Flow.SENDING
            self._ahead.mark(self.head)
        self._flow_due_ms = now_ms + self._patience_ms() if self._unacknowledged else None
        if self._wire.up:
            self._telling.well()
        return True

    def _go_back(self, flow: Flow, now_ms: int) -> None:
        self.sent = self.watermark
        self._ahead.mark(self.head)
        self._unacknowledged.clear()
        self._went_back_ms = now_ms
        if self.flow is Flow.HELD and flow is Flow.HELD:
            return
        self.flow = flow
        self._flow_due_ms = None

    def _hold(self, code: str, words: str, now_ms: int) -> None:
        self._go_back(Flow.HELD, now_ms)
        bound_ms = doubled(HOLD_BASE_MS, HOLD_LIMIT_MS, self._refusals)
        self._flow_due_ms = now_ms + int(self._random() * bound_ms)
        self._refusals += 1
        self._telling.held_up(code, words, online=self._wire.up)

    def _tick(self, now_ms: int) -> None:
        if self.link is Link.WAITING and past(self._wire.due_ms, now_ms):
            self._connect(Tick, now_ms)
        elif past(self._wire.due_ms, now_ms) or past(self._wire.puback_due_ms, now_ms):
            self._actions.append(Disconnect())
            self._lost(Tick, "broker_silent", "The broker does not answer.", now_ms)
        self._gathered.tick(self.head, now_ms)
        if past(self._announce_again_ms, now_ms):
            self._announce_again_ms, self._announce_due = None, self._wire.up
        self._telling.tick(now_ms)
        if past(self._flow_due_ms, now_ms):
            if self.flow is Flow.HELD:
                self.flow, self._flow_due_ms = Flow.PROBING, None
                return
            self._silences += 1
            self._go_back(Flow.PROBING, now_ms)
            self._telling.held_up("city_silent")

    def _patience_ms(self) -> int:
        return doubled(ACK_TIMEOUT_MS, ACK_TIMEOUT_LIMIT_MS, self._silences)

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
in flight (MQTT 5, Receive Maximum), births among them, and because a broker that sends none is not there.
A batch that the broker finds too large is fetched again at half the size.

``sent`` goes back to ``watermark`` on: a new connection, another start of the station, a newer
epoch, the city's ``gap``, and the acknowledgement timer. A repeated acknowledgement changes
nothing, so duplicates never multiply. After silence one batch at a time probes until there is
progress. What the city refuses (``unknown_key``, ``fork``, ``bad_signature``…) is held and probed
again later: nothing is ever dropped here, because nothing is kept here.

Waits before trying again are ``uplink_pace``'s, what the station hears of all this ``uplink_telling``'s.

The caller hands in one event at a time with the time in milliseconds of a monotonic clock and
carries out the actions in order; it calls with ``Tick`` no later than ``deadline_ms``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sync.messages import MAX_ENTRIES, StationState
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
    GATHER_ENTRIES,
    HOLD_BASE_MS,
    HOLD_LIMIT_MS,
    WINDOW,
    Flow,
    Pace,
    doubled,
)
from sync.uplink_telling import QUIET_REASONS, Telling
from sync.uplink_wire import Link, Wire


class Uplink:
    """One station's uplink. ``random`` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float], pace: Pace | None = None) -> None:
        self._random = random
        self._pace = pace or Pace()
        self._wire = Wire(random, self._pace)
        self._telling = Telling()
        self.flow = Flow.SENDING
        self.station: StationState = "down"
        self.ledger: str | None = None
        self.epoch = 0
        self.watermark = 0
        self.sent = 0
        self.head = 0
        self._unacknowledged: deque[int] = deque()  # the last seq of each batch in the window
        self._announce_due = False
        self._fetching = False
        self._batch_entries = MAX_ENTRIES
        self._silences = 0  # acknowledgement timers that ran out in a row
        self._refusals = 0  # batches that the city refused in a row
        self._went_back_ms: int | None = None
        self._flow_due_ms: int | None = None
        self._gather_due_ms: int | None = None
        self._gathered_to = 0  # entries up to here have waited for others
        self._stale_pubacks = 0  # of batches that were found too large together with the first
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
            self._gather_due_ms,
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
            case TooLarge(last):
                self._wire.answered(now_ms)  # nothing was sent, so nothing will answer
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
        self.ledger, self.epoch = event.ledger, event.epoch
        self.head, self.watermark = event.head, event.watermark
        self._fetching = False
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
        if self._announce_due and self._wire.room:
            self._announce_due = False
            self._wire.published(now_ms)
            self._actions.append(Announce(self.station))

    def _fetch_next(self, now_ms: int) -> None:
        limit = {Flow.SENDING: WINDOW, Flow.PROBING: 1, Flow.HELD: 0}[self.flow]
        if (
            self._wire.room
            and self.station == "up"
            and not self._fetching
            and self.sent < self.head
            and len(self._unacknowledged) < limit
            and self._gathered(now_ms)
        ):
            self._fetching = True
            self._actions.append(Fetch(self.sent, self._batch_entries))

    def _gathered(self, now_ms: int) -> bool:
        """Whether what there is has waited long enough for more, or is enough."""
        wait_ms = self._pace.gather_ms
        if not wait_ms or self.sent < self._gathered_to or self.head - self.sent >= GATHER_ENTRIES:
            return True
        if self._gather_due_ms is None:
            self._gather_due_ms = now_ms + wait_ms
        return False

    def _fetched(self, event: BatchFetched, now_ms: int) -> None:
        self._fetching = False
        wanted = event.after == self.sent and event.last > event.after
        if not wanted or not self._wire.up or self.flow is Flow.HELD:
            return  # the uplink went back, or lost the link, while the station was reading
        self.sent = event.last
        self.head = max(self.head, event.last)
        self._unacknowledged.append(event.last)
        self._wire.published(now_ms)
        self._actions.append(Publish(event.last, event.payload))
        if self._flow_due_ms is None:
            self._flow_due_ms = now_ms + self._patience_ms()

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
            self._batch_entries = max(1, self._batch_entries // 2)
        self._lost(LinkDown, code, words, now_ms)

    def _lost(self, event: type[Event], code: str, words: str, now_ms: int) -> None:
        told = self._wire.lost(event, code, now_ms)
        self._unlinked(now_ms)
        self._telling.down(told, words if told == code else "")

    def _unlinked(self, now_ms: int) -> None:
        """What was on its way is not any more."""
        self._go_back(self.flow, now_ms)
        self._flow_due_ms = self._gather_due_ms = self._announce_again_ms = None
        self._announce_due, self._stale_pubacks = False, 0

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
        stale, self._stale_pubacks = self._stale_pubacks > 0, max(0, self._stale_pubacks - 1)
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
        self._stale_pubacks = self._wire.pubacks_due
        if self._batch_entries == 1:
            self._hold("packet_too_large", "", now_ms)
        else:
            self._batch_entries //= 2  # as long as this process lives: the bound is a setting there
            self._go_back(Flow.PROBING, now_ms)

    # --- acknowledgements ------------------------------------------------------------------------

    def _ack_arrived(self, payload: bytes) -> None:
        said = self._telling.said
        if self.station == "up" and payload:
            self._actions.append(Judge(payload))
        elif said is not None and said.online and (said.code or "").startswith("ack_"):
            self._telling.well()  # somebody took a bad one away: an empty message is how (3.3.1.3)

    def _judged(self, event: AckJudged, now_ms: int) -> None:
        if not event.accepted:
            if event.reason is not None and event.reason not in QUIET_REASONS:
                self._telling.held_up(f"ack_{event.reason}", online=self._wire.up)
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
            if self.flow is Flow.HELD:
                self._telling.held_up(error.code, online=self._wire.up)
            else:
                self._hold(error.code, "", now_ms)

    def _well(self) -> None:
        """The city answered and found nothing wrong, progress or not: nothing is held up any more."""
        if self.flow is Flow.HELD:
            self.flow, self._flow_due_ms = Flow.PROBING, None
        if self._wire.up:
            self._telling.well()

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
        self._wire.progressed()
        self._silences = self._refusals = 0
        self.flow = Flow.SENDING
        self._flow_due_ms = now_ms + self._patience_ms() if self._unacknowledged else None
        if self._wire.up:
            self._telling.well()
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
        self._telling.held_up(code, words, online=self._wire.up)

    # --- time ------------------------------------------------------------------------------------

    def _tick(self, now_ms: int) -> None:
        if self._wire.due_ms is not None and now_ms >= self._wire.due_ms:
            if self.link is Link.WAITING:
                self._connect(Tick, now_ms)
            else:
                self._give_up(now_ms)
        if self._wire.puback_due_ms is not None and now_ms >= self._wire.puback_due_ms:
            self._give_up(now_ms)
        if self._gather_due_ms is not None and now_ms >= self._gather_due_ms:
            self._gather_due_ms, self._gathered_to = None, self.head
        if self._announce_again_ms is not None and now_ms >= self._announce_again_ms:
            self._announce_again_ms, self._announce_due = None, self._wire.up
        if self._telling.due_ms is not None and now_ms >= self._telling.due_ms:
            self._telling.lasted()
        if self._flow_due_ms is not None and now_ms >= self._flow_due_ms:
            if self.flow is Flow.HELD:
                self.flow, self._flow_due_ms = Flow.PROBING, None
                return
            self._silences += 1
            self._go_back(Flow.PROBING, now_ms)
            self._telling.held_up("city_silent")

    def _give_up(self, now_ms: int) -> None:
        self._actions.append(Disconnect())
        self._lost(Tick, "broker_silent", "The broker does not answer.", now_ms)

    def _patience_ms(self) -> int:
        return doubled(ACK_TIMEOUT_MS, ACK_TIMEOUT_LIMIT_MS, self._silences)

    def _jitter(self, base_ms: int, limit_ms: int, tries: int) -> int:
        return int(self._random() * doubled(base_ms, limit_ms, tries))

"""The station's rules: who is here, what fell where, and what is written about it.

Invariants
  1. Nothing is believed, shown as done or beeped before the ledger has committed it.
  2. Every entry on a bin begins where the bin's last one ended (exact conservation); what belongs to
     no visit is written with its cause before the next visit's first drop.
  3. ``visit_close`` is a visit's last entry.

Theory of operation. An event updates what is known at once (a bin's plateau, who showed a card) and
queues *intents*. Intents are taken one by one: each looks at the present state and makes the drafts of
one transaction. While a transaction is with the edge no other intent is taken; ``recorded`` applies the
drafts to the state and tells the screen, ``failed`` puts the intent back and tries again later (a full
disk loses no weight). The edge calls ``handle`` for every event, then ``recorded`` or ``failed`` for each
``Record`` that it gets, before the next event.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from kiosk.core.bin import Bin, PendingSwap, Settled
from kiosk.core.config import StationRules
from kiosk.core.effects import Beep, Effect, Item, Lamp, Record
from kiosk.core.entries import (
    Alarm,
    AnyDraft,
    BagSwap,
    Cause,
    Checkin,
    Claim,
    Clock,
    ItemCount,
    Mode,
    Unattributed,
    VisitClose,
    Weighing,
)
from kiosk.core.events import (
    CardRefused,
    CardSeen,
    ClockKnown,
    CountsBlock,
    DeviceBack,
    DeviceLost,
    Event,
    IndicatorReading,
    LidMoved,
    LinkChanged,
    Moment,
    Tick,
    Touch,
)
from kiosk.core.memory import Memory
from kiosk.core.points import visit_points
from kiosk.core.settle import Motion
from kiosk.core.showing import Showing
from kiosk.core.view import BinState, BinView, View
from kiosk.core.visits import NO_ONE, Owner, Visit, owner_of

SWAP_QUIET_MS = 3_000
"""So long a bin must keep still near its empty weight before a bag change is written."""

NEW_BAG_MS = 30_000
"""So long after a bag change small movements near empty are the new bag being pulled straight."""

SETTLE_LIMIT_MS = 20_000
"""A visit that has ended waits no longer than this for a change that will not settle."""

VISIT_LIMIT_MS = 30 * 60_000
"""No visit is longer."""

KEEP_ENDED_MS = 60_000
"""So long an ended visit is remembered, to tell whose an earlier movement was."""

RETRY_MS = 1_000
"""Between two attempts to write when the storage fails."""

MAX_INTENTS = 1_024
MAX_OPEN_VISITS = 32
MAX_RECENT = 512
ALARM_EVERY_MS = 60_000
"""A flapping device writes no more than one alarm entry in this time."""


@dataclass(frozen=True, slots=True)
class _Greet:
    card: CardSeen


@dataclass(frozen=True, slots=True)
class _ClaimFor:
    card: CardSeen
    visit: Visit


@dataclass(frozen=True, slots=True)
class _Settle:
    settled: Settled


@dataclass(frozen=True, slots=True)
class _Swap:
    bin: str


@dataclass(frozen=True, slots=True)
class _Close:
    visit: Visit


@dataclass(frozen=True, slots=True)
class _Piece:
    bin: str
    t_ms: int


@dataclass(frozen=True, slots=True)
class _Answer:
    bin: str
    action: str
    t_ms: int


@dataclass(frozen=True, slots=True)
class _Write:
    draft: AnyDraft


_Intent = _Greet | _ClaimFor | _Settle | _Swap | _Close | _Piece | _Answer | _Write


class Station:
    """One station's rules and state. Not thread-safe: the main thread alone calls it."""

    def __init__(self, rules: StationRules, memory: Memory) -> None:
        books = {book.bin: book for book in memory.books}
        self._rules = rules
        self._memory = memory
        self.bins = {b.bin: Bin(b, books[b.bin]) for b in rules.bins}
        self._visits: list[Visit] = []
        self._closed: set[str] = set()
        self._recent: dict[bytes, tuple[int, dict[str, int]]] = {}
        self._credited = dict(memory.credited)
        self._names = 0
        self._intents: deque[_Intent] = deque(
            _Write(VisitClose(visit, "restart")) for visit in memory.open_visits
        )
        self._held: list[Settled] = []
        """Settled, but a card shown in this very moment might still say whose it is."""
        self._awaiting: tuple[_Intent, tuple[Item, ...]] | None = None
        self._blocked_until_ms: int | None = None
        self._now = Moment(0, 0, "unsynced", 0)
        self._showing = Showing()
        self._counters = {"checkins": 0, "refusals": 0, "records": 0}
        self._claim_until_ms = 0
        self._lamp_off_ms: dict[str, int] = {}
        self.lost: dict[str, DeviceLost] = {}
        """Devices that are away, by name."""
        self._alarmed_ms: dict[str, int] = {}
        self._online = False

    # -- the edge's side ------------------------------------------------------------------------

    def handle(self, event: Event, now: Moment) -> list[Effect]:
        """One event in; effects out, in the order in which the edge must carry them out."""
        self._now = now
        effects: list[Effect] = []
        match event:
            case CountsBlock() | IndicatorReading():
                self._weigh(event)
            case CardSeen():
                self._card(event)
            case CardRefused():
                self._counters["refusals"] += 1
                self._showing.show("refused", event.t_ms)
                effects.append(Beep("refused"))
            case LidMoved():
                self._lid(event)
            case Touch():
                self._touch(event)
            case DeviceLost():
                effects += self._device_lost(event)
            case DeviceBack():
                self._device_back(event)
            case ClockKnown():
                clock = Clock(event.utc_ms, event.uncertainty_ms, event.source)
                self._intend(_Write(clock))
            case LinkChanged():
                self._online = event.online
            case Tick():
                pass
        # Samples are some tenths of a second old when their block comes; time goes by the clock.
        return self._advance(effects + self._pass_time(now.boot_ms))

    def recorded(self, items: tuple[Item, ...], seqs: tuple[int, ...]) -> list[Effect]:
        """The edge has committed the awaited drafts."""
        assert self._awaiting is not None and self._awaiting[1] == items and len(seqs) == len(items)
        intent, _ = self._awaiting
        self._awaiting = None
        self._blocked_until_ms = None
        for item in items:
            self._apply(item.draft)
        return self._advance(self._after(intent, items))

    def failed(self, items: tuple[Item, ...]) -> list[Effect]:
        """The edge could not write: weights are tried again, a card has to be shown again."""
        assert self._awaiting is not None and self._awaiting[1] == items
        intent, _ = self._awaiting
        self._awaiting = None
        self._blocked_until_ms = self._now.boot_ms + RETRY_MS
        if not isinstance(intent, _Greet | _ClaimFor):
            self._intents.appendleft(intent)
        return [Beep("trouble")]

    # -- intents --------------------------------------------------------------------------------

    def _intend(self, intent: _Intent) -> None:
        if len(self._intents) >= MAX_INTENTS:
            # The storage has failed for long: from here on the gap is closed as one, honestly.
            if isinstance(intent, _Settle):
                self.bins[intent.settled.bin].interrupt()
            return
        self._intents.append(intent)

    def _advance(self, effects: list[Effect]) -> list[Effect]:
        blocked = self._blocked_until_ms
        if blocked is not None and self._now.boot_ms < blocked:
            return effects
        while self._intents and self._awaiting is None:
            intent = self._intents.popleft()
            drafts = self._decide(intent)
            if drafts is None:
                continue
            if not drafts:
                effects += self._after(intent, ())
                continue
            items = tuple(
                Item(d, intent.card.pseudonym if isinstance(d, Checkin | Claim) else None)
                if isinstance(intent, _Greet | _ClaimFor)
                else Item(d)
                for d in drafts
            )
            self._awaiting = (intent, items)
            effects.append(Record(items))
        return effects

    def _decide(self, intent: _Intent) -> tuple[AnyDraft, ...] | None:
        """The drafts of one transaction; () for nothing to write, None for nothing to do."""
        match intent:
            case _Greet():
                return self._decide_greet(intent.card)
            case _ClaimFor():
                if intent.visit.visit in self._closed:
                    self._intents.appendleft(_Greet(intent.card))
                    return None
                return (Claim(intent.visit.visit, None),)
            case _Settle():
                return self._decide_settle(intent.settled)
            case _Swap():
                return self._decide_swap(self.bins[intent.bin])
            case _Close():
                return self._decide_close(intent.visit)
            case _Piece():
                return self._decide_piece(intent)
            case _Answer():
                return self._decide_answer(intent)
            case _Write():
                return (intent.draft,)

    def _apply(self, draft: AnyDraft) -> None:
        """Believe what is durable."""
        bin_id = getattr(draft, "bin", None)
        if isinstance(draft, Weighing):
            visit = self._visit(draft.visit)
            if visit is not None:
                visit.net_g[draft.item] = visit.net_g.get(draft.item, 0) + draft.net_g
                visit.put_in_g[draft.bin] = visit.put_in_g.get(draft.bin, 0) + draft.net_g
        elif isinstance(draft, VisitClose):
            self._closed.add(draft.visit)
        elif isinstance(draft, ItemCount):
            visit = self._visit(draft.visit)
            if visit is not None:
                visit.pieces += draft.count or 0
            return
        if bin_id is not None and not isinstance(draft, ItemCount):
            self.bins[bin_id].booked(draft)

    def _after(self, intent: _Intent, items: tuple[Item, ...]) -> list[Effect]:
        """What follows a commit: the screen, the beep, the lamp."""
        match intent:
            case _Greet():
                return self._greeted(intent.card, items)
            case _ClaimFor():
                intent.visit.pseudonym = intent.card.pseudonym
                self._claim_until_ms = 0
                return self._seen(intent.card.t_ms, intent.visit)
            case _Settle():
                return self._weighed(intent.settled, items)
            case _Swap():
                self._forget_bag(intent.bin)
            case _Close():
                self._closed_up(intent.visit)
            case _Piece():
                return self._counted(intent, items)
            case _Answer():
                bin_ = self.bins[intent.bin]
                if bin_.stage == "question":
                    bin_.stage, bin_.asked = "normal", None
                self._forget_bag(intent.bin)
            case _Write():
                pass
        return []

    # -- cards ----------------------------------------------------------------------------------

    def _card(self, card: CardSeen) -> None:
        if self._blocked_until_ms is not None and self._now.boot_ms < self._blocked_until_ms:
            return
        claimable = self._claimable(card.t_ms)
        if self._claim_until_ms > card.t_ms and claimable is not None:
            self._intend(_ClaimFor(card, claimable))
        else:
            self._intend(_Greet(card))

    def _decide_greet(self, card: CardSeen) -> tuple[AnyDraft, ...]:
        if self._open_visit_of(card.pseudonym) is not None:
            return ()
        tariff = self._rules.tariff
        fresh = self._credited.get(card.pseudonym) != self._now.day
        return (
            Checkin(
                visit=self._name("v") if self._rules.link_days > 0 else None,
                seal=None,
                by=card.by,
                proves=card.proves,
                tariff=tariff.number,
                points=tariff.per_visit if tariff.mode == "visit" and fresh else 0,
            ),
        )

    def _greeted(self, card: CardSeen, items: tuple[Item, ...]) -> list[Effect]:
        again = self._open_visit_of(card.pseudonym)
        if again is not None:
            again.active_ms = card.t_ms
            return self._seen(card.t_ms, again)
        if self._rules.crowd == "one_by_one":
            for visit in self._visits:
                self._end(visit, card.t_ms, "next_card")
        checkin = items[0].draft
        assert isinstance(checkin, Checkin)
        visit = Visit(checkin.visit or self._name("v"), card.t_ms, card.pseudonym, card.t_ms)
        ended_ms, net_g = self._recent.get(card.pseudonym, (0, {}))
        if net_g and card.t_ms - ended_ms <= self._rules.reopen_ms:
            visit.net_g = dict(net_g)
        self._credited[card.pseudonym] = self._now.day
        self._visits.append(visit)
        self._bound_visits(card.t_ms)
        return self._seen(card.t_ms, visit)

    def _seen(self, t_ms: int, visit: Visit) -> list[Effect]:
        self._counters["checkins"] += 1
        if self._showing.phase != "weighing":
            self._showing.show("greeting", t_ms, visit=visit)
        return [Beep("seen")]

    def _claimable(self, t_ms: int) -> Visit | None:
        """The visit without a card that somebody may still say was theirs."""
        if self._rules.crowd != "one_by_one":
            return None
        for visit in reversed(self._visits):
            fresh = t_ms - visit.active_ms <= self._rules.claim_ms or t_ms < self._claim_until_ms
            if visit.pseudonym is None and visit.visit not in self._closed and fresh:
                return visit
        return None

    # -- visits ---------------------------------------------------------------------------------

    def _name(self, letter: str) -> str:
        self._names += 1
        return f"{self._memory.prefix}-{letter}{self._names}"

    def _visit(self, visit_id: str | None) -> Visit | None:
        return next((v for v in self._visits if v.visit == visit_id), None)

    def _open_visits(self) -> list[Visit]:
        return [v for v in self._visits if v.ended_ms is None]

    def _current(self) -> Visit | None:
        return max(self._open_visits(), key=lambda v: v.opened_ms, default=None)

    def _open_visit_of(self, pseudonym: bytes) -> Visit | None:
        return next((v for v in self._open_visits() if v.pseudonym == pseudonym), None)

    def _end(self, visit: Visit, t_ms: int, why: str) -> None:
        if visit.ended_ms is None:
            visit.ended_ms, visit.why = t_ms, why

    def _bound_visits(self, t_ms: int) -> None:
        for visit in self._open_visits()[:-MAX_OPEN_VISITS]:
            self._end(visit, t_ms, "limit")

    def _closable(self, visit: Visit, t_ms: int) -> bool:
        if visit.ended_ms is None or visit.visit in self._closed:
            return False
        if any(isinstance(i, _Close) and i.visit is visit for i in self._intents):
            return False
        if t_ms - visit.ended_ms >= SETTLE_LIMIT_MS:
            return True
        for bin_ in self.bins.values():
            since_ms = bin_.moving_since_ms
            if since_ms is not None and visit.opened_ms <= since_ms < visit.ended_ms:
                return False
            if bin_.swap is not None and bin_.engaged == visit.visit:
                return False
        return not any(s.began_ms < visit.ended_ms for s in self._held)

    def _decide_close(self, visit: Visit) -> tuple[AnyDraft, ...]:
        drafts: list[AnyDraft] = []
        for bin_ in self.bins.values():
            if bin_.engaged != visit.visit or bin_.base_g is None or not bin_.weighs:
                continue
            level_g = bin_.base_g if bin_.level_g is None else bin_.level_g
            drafts += self._flush(bin_, bin_.base_g)
            drafts += bin_.unattributed("remainder", bin_.base_g, level_g, bin_.scale.division_g)
        why = visit.why
        assert why in ("idle", "next_card", "goodbye", "restart", "limit")
        return (*drafts, VisitClose(visit.visit, why))  # type: ignore[arg-type]

    def _closed_up(self, visit: Visit) -> None:
        for bin_ in self.bins.values():
            if bin_.engaged == visit.visit:
                bin_.engaged = bin_.base_g = None
        if visit.pseudonym is not None and visit.net_g:
            self._recent[visit.pseudonym] = (visit.ended_ms or 0, visit.net_g)
            while len(self._recent) > MAX_RECENT:
                self._recent.pop(next(iter(self._recent)))

    # -- weights --------------------------------------------------------------------------------

    def _weigh(self, event: CountsBlock | IndicatorReading) -> None:
        bin_ = self.bins.get(event.bin)
        if bin_ is None:
            return
        for sign in bin_.feed(event):
            if isinstance(sign, Motion):
                self._moved(bin_, sign.t_ms)
            else:
                self._touch_visit(sign.t_ms)
                self._held.append(sign)

    def _moved(self, bin_: Bin, t_ms: int) -> None:
        self._touch_visit(t_ms)
        if bin_.weighs:
            self._showing.show("weighing", t_ms, bin_id=bin_.rules.bin, visit=self._current())

    def _touch_visit(self, t_ms: int) -> None:
        """Somebody is at a bin: the visit that it can only be goes on."""
        visits = self._open_visits()
        if self._rules.crowd == "one_by_one" or len(visits) == 1:
            for visit in visits:
                visit.active_ms = max(visit.active_ms, t_ms)

    def _decide_settle(self, settled: Settled) -> tuple[AnyDraft, ...] | None:
        bin_ = self.bins[settled.bin]
        if bin_.lost or bin_.broken or bin_.stage in ("none", "question"):
            return None
        if bin_.stage in ("starting", "gap"):
            return self._join(bin_, settled)
        if bin_.stage == "away":
            return self._come_back(bin_, settled)
        if bin_.below_empty(settled.gross_g):
            bin_.stage, bin_.swap = "away", None
            bin_.engaged = bin_.base_g = None
            return None
        if bin_.swap is not None:
            return self._swap_goes_on(bin_, bin_.swap, settled)
        return self._change(bin_, settled)

    def _join(self, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
        """The first stable weight since a start or a gap."""
        if bin_.below_empty(settled.gross_g):
            bin_.stage = "away"
            return None
        drafts = bin_.first_stable(
            settled,
            same_boot=self._memory.same_boot,
            after_gap=bin_.stage == "gap",
            new_bag=self._name("b"),
        )
        if drafts is None:
            bin_.stage, bin_.asked = "question", settled
        return drafts

    def _come_back(self, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
        gross_g, book_g = settled.gross_g, bin_.book.gross_g
        if bin_.below_empty(gross_g) or book_g is None:
            return None
        if bin_.near_empty(gross_g) and not bin_.near_empty(book_g):
            return (bin_.bag_swap(self._name("b"), book_g, gross_g),)
        near = abs(gross_g - book_g) <= bin_.scale.division_g
        cause: Cause = "drift" if near else "removal"
        return bin_.unattributed(cause, book_g, gross_g, settled.uncertainty_g)

    def _swap_goes_on(
        self, bin_: Bin, swap: PendingSwap, settled: Settled
    ) -> tuple[AnyDraft, ...] | None:
        if bin_.near_empty(settled.gross_g):
            moved = replace(swap.settled, gross_g=settled.gross_g, t_ms=settled.t_ms)
            bin_.swap = PendingSwap(moved, settled.t_ms)
            return None
        # Something fell into the new bag before the change was written: first the bag, then it.
        self._intents.appendleft(_Settle(replace(settled, before_g=swap.settled.gross_g)))
        self._intents.appendleft(_Swap(settled.bin))
        return None

    def _change(self, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
        book_g = bin_.book.gross_g
        assert book_g is not None
        left_g = book_g if settled.before_g is None else settled.before_g
        owner = self._owner(settled)
        visit = owner.visit
        mine = visit is not None and bin_.engaged == visit.visit and bin_.base_g is not None
        base_g = bin_.base_g if mine and bin_.base_g is not None else left_g
        change_g, fall_g = settled.gross_g - base_g, left_g - settled.gross_g
        d = bin_.scale.division_g
        put_in_g = 0 if visit is None else visit.put_in_g.get(settled.bin, 0)
        if (
            bin_.near_empty(settled.gross_g)
            and fall_g >= bin_.rules.bag_min_g
            and put_in_g < fall_g - d
        ):
            bin_.swap = PendingSwap(replace(settled, before_g=left_g), settled.t_ms)
            return None
        least_g = bin_.scale.min_increment_g
        if owner.anonymous and bin_.quantised:
            least_g += d  # a rounded value may flicker by one division on its own
        if abs(change_g) < least_g:
            self._small(bin_, visit, base_g, settled)
            return None
        if self._is_new_bag(bin_, owner, left_g, settled):
            return bin_.unattributed("drift", book_g, settled.gross_g, settled.uncertainty_g)
        flush = self._flush(bin_, base_g, visit)
        if owner.anonymous:
            if change_g < 0:
                removal = bin_.unattributed(
                    "removal", base_g, settled.gross_g, settled.uncertainty_g
                )
                return (*flush, *removal)
            visit = Visit(self._name("v"), settled.began_ms, None, settled.t_ms)
            self._visits.append(visit)
        return (*flush, self._weighing(bin_, visit, base_g, settled))

    def _owner(self, settled: Settled) -> Owner:
        until_ms = settled.t_ms
        if self._rules.crowd == "one_by_one":
            until_ms = max(until_ms, settled.began_ms + self._rules.handover_ms)
        owner = owner_of(
            settled.began_ms,
            until_ms,
            self._visits,
            self._rules.crowd,
            self._rules.handover_ms,
        )
        if owner.visit is not None and owner.visit.visit in self._closed:
            return NO_ONE
        return owner

    def _is_new_bag(self, bin_: Bin, owner: Owner, left_g: int, settled: Settled) -> bool:
        if bin_.swapped_ms is None or not owner.anonymous:
            return False
        just = settled.t_ms - bin_.swapped_ms <= NEW_BAG_MS
        return just and bin_.near_empty(left_g) and bin_.near_empty(settled.gross_g)

    def _small(self, bin_: Bin, visit: Visit | None, base_g: int, settled: Settled) -> None:
        """Too little to be counted by itself: carried within the visit, thanked, never a 0."""
        if visit is None:
            return
        bin_.engaged, bin_.base_g = visit.visit, base_g
        step_g = settled.gross_g - (base_g if settled.before_g is None else settled.before_g)
        if step_g > settled.uncertainty_g:
            self._showing.show("small", settled.t_ms, bin_id=settled.bin, visit=visit)

    def _flush(
        self, bin_: Bin, base_g: int, visit: Visit | None = None
    ) -> tuple[Unattributed, ...]:
        """Before a drop is counted from ``base_g``: the book is brought there, with the cause."""
        book_g = bin_.book.gross_g
        assert book_g is not None
        others = bin_.engaged is not None and (visit is None or bin_.engaged != visit.visit)
        cause: Cause = "remainder" if others else bin_.quiet_cause(book_g, base_g)
        return bin_.unattributed(cause, book_g, base_g, bin_.scale.division_g)

    def _weighing(self, bin_: Bin, visit: Visit | None, base_g: int, settled: Settled) -> Weighing:
        net_g = settled.gross_g - base_g
        tariff = self._rules.tariff
        points = 0
        if visit is not None:
            item = bin_.rules.item
            after = {**visit.net_g, item: visit.net_g.get(item, 0) + net_g}
            points = visit_points(tariff, after) - visit_points(tariff, visit.net_g)
        return Weighing(
            bin=bin_.rules.bin,
            item=bin_.rules.item,
            bag=bin_.book.bag,
            visit=None if visit is None else visit.visit,
            net_g=net_g,
            gross_before_g=base_g,
            gross_after_g=settled.gross_g,
            uncertainty_g=settled.uncertainty_g,
            division_g=bin_.scale.division_g,
            adjustment=bin_.book.adjustment,
            mode=self._mode(bin_, net_g),
            catalogue=self._rules.catalogue,
            tariff=tariff.number,
            points=points,
        )

    def _mode(self, bin_: Bin, net_g: int) -> Mode:
        """``certified`` only where a verified indicator's own stable telegrams made both."""
        until = bin_.scale.certified_until_day
        if until is None or not bin_.quantised or self._now.clock != "synced":
            return "estimate"
        in_time = self._now.day <= until
        return "certified" if in_time and abs(net_g) >= bin_.scale.certified_min_g else "estimate"

    def _weighed(self, settled: Settled, items: tuple[Item, ...]) -> list[Effect]:
        bin_ = self.bins[settled.bin]
        if bin_.stage in ("starting", "gap", "away"):
            bin_.stage = "normal"
            bin_.engaged = bin_.base_g = None
            if any(isinstance(item.draft, BagSwap) for item in items):
                self._forget_bag(settled.bin)
            return []
        last = items[-1].draft if items else None
        if not isinstance(last, Weighing):
            bin_.engaged = bin_.base_g = None
            return []
        visit = self._visit(last.visit)
        bin_.engaged = last.visit
        bin_.base_g = None if last.visit is None else settled.gross_g
        if visit is not None:
            visit.active_ms = max(visit.active_ms, settled.t_ms)
        self._counters["records"] += 1
        phase = "recorded" if last.net_g > 0 else "taken_out"
        self._showing.show(
            "recorded" if phase == "recorded" else "taken_out",
            settled.t_ms,
            bin_id=settled.bin,
            net_g=last.net_g,
            visit=visit,
        )
        self._lamp_off_ms[settled.bin] = settled.t_ms + self._rules.thanks_ms
        return [Beep("recorded"), Lamp(settled.bin, "on")]

    # -- bags -----------------------------------------------------------------------------------

    def _decide_swap(self, bin_: Bin) -> tuple[AnyDraft, ...] | None:
        if bin_.swap is None:
            return None
        settled = bin_.swap.settled
        before_g = settled.before_g
        assert before_g is not None
        flush = self._flush(bin_, before_g)
        return (*flush, bin_.bag_swap(self._name("b"), before_g, settled.gross_g))

    def _forget_bag(self, bin_id: str) -> None:
        bin_ = self.bins[bin_id]
        bin_.swap = None
        bin_.engaged = bin_.base_g = None
        bin_.full = False
        bin_.swapped_ms = self._now.boot_ms
        for visit in self._visits:
            visit.put_in_g.pop(bin_id, None)

    # -- bins without a scale, touches, devices -------------------------------------------------

    def _lid(self, event: LidMoved) -> None:
        bin_ = self.bins.get(event.bin)
        if bin_ is None:
            return
        was_open, bin_.lid_open = bin_.lid_open, event.open
        self._touch_visit(event.t_ms)
        if was_open and not event.open and not bin_.weighs and bin_.stage != "starting":
            self._intend(_Piece(event.bin, event.t_ms))

    def _decide_piece(self, intent: _Piece) -> tuple[AnyDraft, ...]:
        open_visits = self._open_visits()
        if not open_visits:
            visit = Visit(self._name("v"), intent.t_ms, None, intent.t_ms)
            self._visits.append(visit)
        elif len(open_visits) > 1:
            visit = None
        else:
            visit = open_visits[0]
        bin_ = self.bins[intent.bin].rules
        name = None if visit is None else visit.visit
        return (ItemCount(item=bin_.item, bin=bin_.bin, visit=name, count=1),)

    def _counted(self, intent: _Piece, items: tuple[Item, ...]) -> list[Effect]:
        draft = items[0].draft
        assert isinstance(draft, ItemCount)
        visit = self._visit(draft.visit)
        if visit is not None:
            visit.active_ms = max(visit.active_ms, intent.t_ms)
            self._showing.thank(intent.t_ms, visit)
        self._lamp_off_ms[intent.bin] = intent.t_ms + self._rules.thanks_ms
        return [Beep("recorded"), Lamp(intent.bin, "on")]

    def _touch(self, touch: Touch) -> None:
        bin_ = None if touch.bin is None else self.bins.get(touch.bin)
        match touch.action:
            case "claim":
                if self._claimable(touch.t_ms) is not None:
                    self._claim_until_ms = touch.t_ms + self._rules.touch_ms
            case "goodbye":
                visit = self._current()
                if visit is not None:
                    self._end(visit, touch.t_ms, "goodbye")
            case "full" if bin_ is not None:
                bin_.full = True
            case "count" if bin_ is not None and not bin_.weighs:
                self._intend(_Piece(bin_.rules.bin, touch.t_ms))
            case "scale_broken" if bin_ is not None and bin_.rules.scale is not None:
                bin_.broken = True
                bin_.interrupt()
            case "scale_mended" if bin_ is not None and bin_.broken:
                bin_.broken = False
                bin_.interrupt()
            case "bag_swap" | "indicator_zeroed" if bin_ is not None:
                self._intend(_Answer(bin_.rules.bin, touch.action, touch.t_ms))
            case _:
                pass

    def _decide_answer(self, answer: _Answer) -> tuple[AnyDraft, ...] | None:
        """A caretaker's word: what the scale alone cannot tell."""
        bin_ = self.bins[answer.bin]
        book_g = bin_.book.gross_g
        if bin_.asked is not None and bin_.stage == "question" and book_g is not None:
            asked = bin_.asked
            if answer.action == "bag_swap":
                return (bin_.bag_swap(self._name("b"), book_g, asked.gross_g),)
            cause: Cause = "indicator_zeroed"
            return bin_.unattributed(cause, book_g, asked.gross_g, asked.uncertainty_g)
        if answer.action != "bag_swap" or bin_.weighs or bin_.stage == "starting":
            return None  # a bin that weighs sees its bag change by itself
        after_g = None if book_g is None else bin_.book.empty_g
        return (bin_.bag_swap(self._name("b"), book_g, after_g),)

    def _device_lost(self, event: DeviceLost) -> list[Effect]:
        if event.device in self.lost:
            return []
        self.lost[event.device] = event
        kind, _, name = event.device.partition(":")
        bin_ = self.bins.get(name) if kind == "scale" else None
        if bin_ is not None:
            bin_.lost = True
            self._held = [s for s in self._held if s.bin != name]
            bin_.interrupt()
        last_ms = self._alarmed_ms.get(event.device)
        if last_ms is None or event.t_ms - last_ms >= ALARM_EVERY_MS:
            self._alarmed_ms[event.device] = event.t_ms
            self._intend(_Write(Alarm(event.code, event.device, "on", event.detail)))
        return [Beep("trouble")]

    def _device_back(self, event: DeviceBack) -> None:
        if event.device not in self.lost:
            return
        del self.lost[event.device]
        kind, _, name = event.device.partition(":")
        bin_ = self.bins.get(name) if kind == "scale" else None
        if bin_ is not None:
            bin_.lost = False
            bin_.interrupt()
        self._intend(_Write(Alarm("device_back", event.device, "off", "")))

    # -- time -----------------------------------------------------------------------------------

    def _pass_time(self, t_ms: int) -> list[Effect]:
        moving = any(b.moving_since_ms is not None for b in self.bins.values())
        for settled in [s for s in self._held if self._decided(s, t_ms)]:
            self._held.remove(settled)
            self._intend(_Settle(settled))
        for bin_ in self.bins.values():
            swap = bin_.swap
            still = bin_.moving_since_ms is None
            if swap is not None and still and t_ms - swap.since_ms >= SWAP_QUIET_MS:
                self._intend(_Swap(bin_.rules.bin))
        for visit in self._open_visits():
            idle_ms = self._rules.visit_idle_ms
            if visit.pseudonym is None and self._rules.crowd == "one_by_one":
                idle_ms = max(idle_ms, self._rules.claim_ms)
            waiting = self._claim_until_ms > t_ms and visit.pseudonym is None
            if t_ms - visit.opened_ms >= VISIT_LIMIT_MS:
                self._end(visit, t_ms, "limit")
            elif t_ms - visit.active_ms >= idle_ms and not waiting:
                self._end(visit, t_ms, "idle")
        for visit in self._visits:
            if self._closable(visit, t_ms):
                self._intend(_Close(visit))
        self._forget_visits(t_ms)
        self._showing.pass_time(t_ms, self._current(), self._rules.thanks_ms, moving)
        off = [b for b, until_ms in self._lamp_off_ms.items() if t_ms >= until_ms]
        for bin_id in off:
            del self._lamp_off_ms[bin_id]
        return [Lamp(bin_id, "off") for bin_id in off]

    def _decided(self, settled: Settled, t_ms: int) -> bool:
        """Whether no card can change any more whose this is (``visits.owner_of``)."""
        if self._rules.crowd == "together" or self.bins[settled.bin].stage != "normal":
            return True
        return t_ms - settled.began_ms >= self._rules.handover_ms

    def _forget_visits(self, t_ms: int) -> None:
        """Ended visits stay while a movement of their time may still settle."""
        moving = [b.moving_since_ms for b in self.bins.values() if b.moving_since_ms is not None]
        oldest_ms = min(moving, default=t_ms)
        keep_ms = min(oldest_ms, t_ms - KEEP_ENDED_MS)
        gone = [
            v
            for v in self._visits
            if v.visit in self._closed and v.ended_ms is not None and v.ended_ms < keep_ms
        ]
        for visit in gone:
            self._visits.remove(visit)
            self._closed.discard(visit.visit)

    # -- the screen -----------------------------------------------------------------------------

    def view(self) -> View:
        """What the screen has to draw now."""
        showing = self._showing
        active = self.bins.get(showing.bin) if showing.bin else None
        visit = showing.visit
        points: int | None = None
        if self._rules.tariff.mode != "none" and visit is not None and visit.pseudonym is not None:
            points = visit_points(self._rules.tariff, visit.net_g)
            if self._rules.tariff.mode == "visit":
                points = self._rules.tariff.per_visit
        t_ms = self._now.boot_ms
        return View(
            phase=showing.phase,
            since_ms=showing.since_ms,
            bin=showing.bin,
            net_g=showing.net_g,
            live_g=None if active is None else _rounded(active, self._live_change(active)),
            visit_g=0 if visit is None else visit.brought_g(),
            points=points,
            estimate=not self._certified(active),
            checkins=self._counters["checkins"],
            refusals=self._counters["refusals"],
            records=self._counters["records"],
            visits_open=len(self._open_visits()),
            can_claim=self._claim_until_ms <= t_ms and self._claimable(t_ms) is not None,
            claiming=self._claim_until_ms > t_ms,
            online=self._online,
            storage_trouble=self._blocked_until_ms is not None,
            bins=tuple(self._bin_view(b) for b in self.bins.values()),
        )

    def _live_change(self, bin_: Bin) -> int | None:
        """What has been laid into the bin since it last stood still."""
        if bin_.live_g is None or bin_.book.gross_g is None:
            return None
        base_g = bin_.base_g if bin_.base_g is not None else bin_.book.gross_g
        return bin_.live_g - base_g

    def _certified(self, bin_: Bin | None) -> bool:
        return (
            bin_ is not None and bin_.stage == "normal" and self._mode(bin_, 1 << 30) != "estimate"
        )

    def _bin_view(self, bin_: Bin) -> BinView:
        state: BinState = "ready"
        if bin_.stage == "none" or bin_.broken:
            state = "no_scale"
        elif bin_.lost:
            state = "trouble"
        elif bin_.stage == "question":
            state = "question"
        elif bin_.stage == "away":
            state = "away"
        elif bin_.stage in ("starting", "gap"):
            state = "starting"
        elif bin_.moving_since_ms is not None:
            state = "weighing"
        elif bin_.full or (bin_.fill_pct() or 0) >= 100:
            state = "full"
        return BinView(
            bin=bin_.rules.bin,
            item=bin_.rules.item,
            state=state,
            live_g=_rounded(bin_, bin_.live_g),
            fill_pct=bin_.fill_pct(),
            certified=self._certified(bin_),
        )


def _rounded(bin_: Bin, grams: int | None) -> int | None:
    """To the division, as a scale shows it."""
    if grams is None or bin_.rules.scale is None:
        return None
    d = bin_.rules.scale.division_g
    return round(grams / d) * d

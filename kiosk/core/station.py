"""The station's rules: who is here, what fell where, and what is written about it.

Invariants
  1. Nothing is believed, or shown or beeped as done, before the ledger has committed it. The tone "seen"
     says that a card was seen, and comes before anything else.
  2. Every entry on a bin begins where the bin's last one ended (exact conservation); what belongs to
     no visit is written with its cause before the next visit's first drop.
  3. ``visit_close`` is a visit's last entry.

Theory of operation. An event updates what is known at once (a bin's plateau, who showed a card) and
queues *intents*. Intents are taken one by one: each looks at the present state and makes the drafts of
one transaction. While a transaction is with the edge no other intent is taken; ``recorded`` applies the
drafts to the state and tells the screen, ``failed`` puts the intent back and tries again later (a full
disk loses no weight). The edge calls ``handle`` for every event, then ``recorded`` or ``failed`` for each
``Record`` that it gets, before the next event.

Events come in and effects go out here; what each means is in a room of its own. All of them share one
``state``; a room that writes has ``decide`` (an intent's drafts) and ``done`` (what follows the commit),
called by ``deciding``.

============ ======================================================================================
``checkins`` a card is shown: check-in, greeting, claim (the card itself: ``cards``);
             ``residents`` what is remembered of it: ``earned``, ``ties``
``balances`` a touch, and then a card: what the city says of its points
``holding``  a spare card becomes somebody's, a lost one is replaced or closed
``visits``   who is here; ``closing`` how a visit ends; ``owners`` whose a change is
``weights``  samples to stable weights (``settle``, ``bin``), and what they mean:
             ``gaps`` (nobody looked), ``bags`` (a bag was changed), ``drops`` (a drop)
             ``slow`` (what comes too slowly for a plateau), ``putback`` (what comes back),
             ``doubts`` (what may be wind)
``zeroing``  the empty weight: zero-tracking, zero-setting, tare; ``adjusting`` a scale's new line;
             ``thermometer`` what warmth does to it
``pieces``   bins that do not weigh; ``fullness`` bins that are full; ``heat`` a station that is hot
``obeying``  the city's commands, and closing and opening (``orders``, ``standing``)
``corner``   the caretaker's corner: who may work at the screen, and until when
``classroom`` a class that weighs in teams; ``noting`` what people write down or say together
``touches``  fingers on the screen; ``devices`` lost and back; ``ruling`` what the city sets
``booking``  what is durable becomes true
``showing``  the screen's phase; ``turns`` whose turn it is; ``viewing`` all that it draws; ``lamps``
============ ======================================================================================
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core import (
    bags,
    balances,
    booking,
    checkins,
    classroom,
    closing,
    corner,
    deciding,
    devices,
    doubts,
    fullness,
    heat,
    holding,
    noting,
    obeying,
    pieces,
    slow,
    thermometer,
    touches,
    viewing,
    weights,
    zeroing,
)
from kiosk.core.bin import Bin
from kiosk.core.config import StationRules
from kiosk.core.effects import Beep, Effect, Item, Record
from kiosk.core.entries import Clock
from kiosk.core.events import (
    BalanceTold,
    CardRefused,
    CardSeen,
    CardWork,
    ClockKnown,
    CornerActed,
    CornerAsked,
    CountsBlock,
    DeviceBack,
    DeviceLost,
    Event,
    FillMoved,
    Heated,
    IndicatorReading,
    LidMoved,
    LinkChanged,
    Moment,
    Noted,
    OrderGiven,
    ScaleAdjusted,
    ServiceAsked,
    SlipSeen,
    Tick,
    Touch,
    TownSaid,
    Warmth,
    ZeroAsked,
)
from kiosk.core.intents import (
    Adjust,
    AskBalance,
    BeginCard,
    ClaimFor,
    Greet,
    Intent,
    Note,
    Obey,
    Rule,
    Serve,
    Teach,
    Write,
    Zero,
)
from kiosk.core.memory import Memory
from kiosk.core.quiet_hours import is_quiet
from kiosk.core.standing import Standing
from kiosk.core.state import begin
from kiosk.core.taught import ClassAsked, TeamChosen
from kiosk.core.view import View

RETRY_MS = 1_000
"""Between two attempts to write when the storage fails."""

TOLD_MS = 6_000
"""So long the screen says it, where nothing waits to be tried again: a card shown has to be read about."""

CREEPS_MS = 500
"""What goes slowly is looked at so often."""


class Station:
    """One station's rules and state. Not thread-safe: the main thread alone calls it."""

    def __init__(self, rules: StationRules, memory: Memory) -> None:
        self._state = begin(rules, memory)
        self._awaiting: tuple[Intent, tuple[Item, ...]] | None = None
        self._crept_ms = 0
        self._passed_ms: int | None = None
        self._stirred = True
        """Something has happened since time passed last; else a second look at one moment sees nothing."""
        self._failed_ms: int | None = None
        """When the storage last failed; None when it has worked since, or nothing waits for it."""

    @property
    def bins(self) -> dict[str, Bin]:
        """The bins, by name."""
        return self._state.bins

    @property
    def lost(self) -> dict[str, DeviceLost]:
        """Devices that are away, by name."""
        return self._state.lost

    @property
    def standing(self) -> Standing:
        """What the city and caretakers ordered."""
        return self._state.orders

    @property
    def temperature_mc(self) -> int | None:
        """The machine's own, in 1/1000 °C; None while nobody knows."""
        return self._state.temperature_mc

    def view(self) -> View:
        """What the screen has to draw now."""
        return viewing.view(self._state, storage_trouble=self._failed_ms is not None)

    # -- the edge's side ------------------------------------------------------------------------

    def handle(self, event: Event, now: Moment) -> list[Effect]:
        """One event in; effects out, in the order in which the edge must carry them out."""
        self._state.now = now
        self._state.residents.doubt_day(now.clock != "synced")
        effects = self._take(event)
        # Samples are some tenths of a second old when their block comes; time goes by the clock.
        if self._stirred or now.boot_ms != self._passed_ms:
            self._passed_ms, self._stirred = now.boot_ms, False
            effects += self._pass_time(now.boot_ms)
        return self._heard(self._advance(effects))

    def recorded(self, items: tuple[Item, ...], seqs: tuple[int, ...]) -> list[Effect]:
        """The edge has committed the awaited drafts."""
        assert len(seqs) == len(items)
        intent = self._answered(items)
        self._failed_ms = None
        for item in items:
            booking.believe(self._state, item.draft)
        return self._heard(self._advance(deciding.done(self._state, intent, items)))

    def failed(self, items: tuple[Item, ...]) -> list[Effect]:
        """The edge could not write: weights are tried again, a card has to be shown again."""
        intent = self._answered(items)
        self._failed_ms = self._state.now.boot_ms
        if isinstance(intent, Greet | BeginCard):
            card = intent.card
            checkins.somebody_else(self._state, card.t_ms, card.names)
        elif not isinstance(intent, ClaimFor | AskBalance | Note):
            self._state.intend_first(intent)
        return self._heard([Beep("trouble")])

    def _heard(self, effects: list[Effect]) -> list[Effect]:
        """The same without a tone in the quiet hours."""
        state = self._state
        if not is_quiet(state.rules.quiet, state.known, state.now):
            return effects
        return [replace(one, silent=True) if isinstance(one, Beep) else one for one in effects]

    def _answered(self, items: tuple[Item, ...]) -> Intent:
        assert self._awaiting is not None and self._awaiting[1] == items
        intent, _ = self._awaiting
        self._awaiting, self._stirred = None, True
        return intent

    # -- what happened --------------------------------------------------------------------------

    def _take(self, event: Event) -> list[Effect]:
        """What is known at once, before anything is written."""
        state = self._state
        if isinstance(event, CountsBlock):
            self._stirred |= weights.sampled(state, event)
            return []
        self._stirred = True
        match event:
            case IndicatorReading():
                weights.sampled(state, event)
            case CardSeen():
                if not self._blocked():
                    effects = holding.shown(state, event)
                    return checkins.shown(state, event) if effects is None else effects
                # Nobody is greeted whose check-in may not be kept.
                checkins.somebody_else(state, event.t_ms, event.names)
            case SlipSeen():
                return holding.slip_shown(state, event)
            case CardWork():
                holding.asked(state, event)
            case CornerAsked():
                corner.asked(state, event)
            case CornerActed():
                if corner.acted(state, event):
                    effects = self._take(event.act)
                    if isinstance(event.act, Touch):
                        state.answer(event.request, "done")
                    return effects
            case CardRefused():
                return holding.refused(state, event)
            case LidMoved():
                pieces.lid_moved(state, event)
            case FillMoved():
                fullness.sensed(state, event)
            case Heated():
                heat.felt(state, event)
            case Touch():
                touches.touched(state, event)
            case DeviceLost():
                return devices.lost(state, event)
            case DeviceBack():
                devices.back(state, event)
            case ClockKnown():
                state.intend(Write(Clock(event.utc_ms, event.uncertainty_ms, event.source)))
            case LinkChanged():
                state.online = event.online
            case Warmth():
                thermometer.seen(state, event)
            case ZeroAsked():
                state.intend(Zero(event))
            case ServiceAsked():
                state.intend(Serve(event))
            case ScaleAdjusted():
                state.intend(Adjust(event))
            case BalanceTold():
                balances.told(state, event)
            case TownSaid():
                state.intend(Rule(event))
            case OrderGiven():
                state.intend(Obey(event))
            case Noted():
                if not self._blocked():
                    noting.noted(state, event)
            case ClassAsked():
                state.intend(Teach(event))
            case TeamChosen():
                classroom.chosen(state, event)
            case Tick():
                pass
        return []

    def _pass_time(self, t_ms: int) -> list[Effect]:
        state = self._state
        # What lies still and waits for its owner (``held``) or its writing stays in sight, too.
        waits = bool(state.held) or (bool(state.intents) and self._failed_ms is None)
        waits |= doubts.waits_in_sight(state)
        moving = state.showing.phase == "weighing" and (
            waits or any(b.moving_since_ms is not None and not b.blind for b in state.bins.values())
        )
        weights.pass_time(state, t_ms)
        doubts.pass_time(state, t_ms)
        if t_ms - self._crept_ms >= CREEPS_MS:
            self._crept_ms = t_ms
            slow.pass_time(state, t_ms)
            zeroing.pass_time(state, t_ms)
            thermometer.pass_time(state, t_ms)
        bags.pass_time(state, t_ms)
        fullness.pass_time(state, t_ms)
        holding.pass_time(state, t_ms)
        corner.pass_time(state, t_ms)
        classroom.pass_time(state, t_ms)
        closing.pass_time(state, t_ms)
        obeying.pass_time(state)
        state.turns.pass_time(t_ms)
        state.showing.pass_time(t_ms, state.visits.current(), state.rules.thanks_ms, moving)
        if self._failed_ms is not None and t_ms - self._failed_ms >= TOLD_MS and not state.intents:
            self._failed_ms = None
        return [*state.lamps.pass_time(t_ms)]

    # -- what is written ------------------------------------------------------------------------

    def _blocked(self) -> bool:
        failed_ms = self._failed_ms
        return failed_ms is not None and self._state.now.boot_ms < failed_ms + RETRY_MS

    def _advance(self, effects: list[Effect]) -> list[Effect]:
        """Takes intents until one needs the ledger."""
        if self._blocked():
            return effects
        while self._state.intents and self._awaiting is None:
            intent = self._state.intents.popleft()
            self._stirred = True
            drafts = deciding.decide(self._state, intent)
            if drafts:
                items = tuple(deciding.item(intent, draft) for draft in drafts)
                self._awaiting = (intent, items)
                effects.append(Record(items))
            elif drafts is not None:
                effects += deciding.done(self._state, intent, ())
        effects += self._state.told
        self._state.told.clear()
        return effects

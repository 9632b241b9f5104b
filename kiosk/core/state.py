"""What one station knows now, for its rules to share: who is here, what stands where, what is meant.

Each rule is a module of functions that take this state. They change it by what *happened* (a card, a
movement, a touch); what is *written* changes it only after the commit (``booking``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from kiosk.core.bin import Bin
from kiosk.core.config import StationRules
from kiosk.core.cornered import Bags, Corner
from kiosk.core.effects import AnswerCode, Answered, Lamp
from kiosk.core.entries import CloseCause, VisitClose
from kiosk.core.events import DeviceLost, Moment, SlipSeen
from kiosk.core.intents import MAX_INTENTS, Intent, Settle, Write
from kiosk.core.lamps import Lamps
from kiosk.core.memory import Memory
from kiosk.core.residents import Residents
from kiosk.core.settled import Settled
from kiosk.core.showing import Showing
from kiosk.core.standing import Standing
from kiosk.core.taught import Classroom
from kiosk.core.timely import KnownTime
from kiosk.core.turns import Turns
from kiosk.core.view import Warm
from kiosk.core.visits import Visits

_NO_EVENT_YET = Moment(0, 0, "unsynced", 0)


@dataclass(slots=True)
class Counters:
    """Counts since the start, for the screen and the health message."""

    checkins: int = 0
    refusals: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True)
class Awaited:
    """What the next card or slip means until ``until_ms`` (``holding``): ``begin`` a spare card,
    ``balance`` whose points are asked for (``balances``), ``slip`` a lost card's, ``replace`` the ``lost``
    card by a spare one, ``close`` whatever is shown, ``appoint`` a caretaker's to be, ``corner`` one's.
    ``request`` the caretaker's, "" after a touch."""

    what: Literal["begin", "balance", "slip", "replace", "close", "appoint", "corner"]
    until_ms: int
    request: str = ""
    lost: SlipSeen | None = None
    cause: CloseCause = "lost"


@dataclass(slots=True)
class State:
    """Made by ``begin``. The station's main thread alone changes it."""

    rules: StationRules
    prefix: str
    """Of every name given since this start; none was used before."""
    same_boot: bool
    bins: dict[str, Bin]
    residents: Residents
    intents: deque[Intent]
    """Taken one by one by the station; bounded by ``intend``."""
    orders: Standing
    """What the city and caretakers ordered, and what was done."""
    now: Moment = _NO_EVENT_YET
    known: KnownTime = field(default_factory=KnownTime)
    """What is known of the time, also where the clock is not synchronised."""
    visits: Visits = field(default_factory=Visits)
    held: list[Settled] = field(default_factory=list)
    """Settled, but a card shown in this very moment might still say whose it is."""
    claim_until_ms: int = 0
    """Until then the next card claims the drop made without one."""
    awaited: Awaited | None = None
    begun: set[bytes] = field(default_factory=set)
    """Spare cards begun since the start: a reader may have asked a moment before."""
    closed: set[bytes] = field(default_factory=set)
    """Cards closed here since the start."""
    lost: dict[str, DeviceLost] = field(default_factory=dict)
    """Devices that are away, by name."""
    alarmed_ms: dict[str, int] = field(default_factory=dict)
    """When each device's last alarm was written."""
    showing: Showing = field(default_factory=Showing)
    lamps: Lamps = field(default_factory=Lamps)
    turns: Turns = field(default_factory=Turns)
    counters: Counters = field(default_factory=Counters)
    told: list[Answered] = field(default_factory=list)
    """Answers that have not gone out yet."""
    online: bool = False
    here_until_ms: int = 0
    """Until then the screen says that this is the station that the city looks for."""
    warm: Warm | None = None
    """What the station's warmth asks of the screen."""
    temperature_mc: int | None = None
    """The station's own, in 1/1000 °C; None while nobody knows."""
    corner: Corner = field(default_factory=Corner)
    classroom: Classroom | None = None
    """While a class is here."""
    bags: dict[str, Bags] = field(default_factory=dict)
    """Of each bin whose bag was changed since the start."""
    names: int = 0

    def name(self, letter: str) -> str:
        """A name for a visit (``v``) or a bag (``b``) that was never used."""
        self.names += 1
        return f"{self.prefix}-{letter}{self.names}"

    def light(self, bin_id: str, until_ms: int) -> list[Lamp]:
        """A bin's lamp; a locked one stays dark."""
        return [] if bin_id in self.orders.locked else [self.lamps.light(bin_id, until_ms)]

    def answer(self, request: str, code: AnswerCode, bin_: Bin | None = None) -> None:
        """Answers an asked ``request``; "" is nobody's."""
        if request:
            number = 0 if bin_ is None else bin_.book.adjustment
            zero_g = 0 if bin_ is None else bin_.book.empty_g
            self.told.append(Answered(request, code, number, zero_g))

    def intend(self, intent: Intent) -> None:
        """Puts it behind the others."""
        if len(self.intents) >= MAX_INTENTS:
            # The storage has failed for long: from here on the gap is closed as one, honestly.
            if isinstance(intent, Settle):
                self.bins[intent.settled.bin].interrupt()
            return
        self.intents.append(intent)

    def intend_first(self, intent: Intent) -> None:
        """Puts one that is part of what is being decided, or failed, before the others."""
        self.intents.appendleft(intent)


def begin(rules: StationRules, memory: Memory) -> State:
    """The state at a start: visits that the last start left open are closed first."""
    books = {book.bin: book for book in memory.books}
    state = State(
        rules=rules,
        prefix=memory.prefix,
        same_boot=memory.same_boot,
        bins={b.bin: Bin(b, books[b.bin], cold=not memory.same_boot) for b in rules.bins},
        residents=Residents(memory, rules.limits_a_day),
        orders=memory.orders,
        turns=Turns(resumed=bool(memory.open_visits)),
        intents=deque(Write(VisitClose(visit, "restart")) for visit in memory.open_visits),
    )
    for name, said in memory.orders.full.items():
        if name in state.bins:
            state.bins[name].full_by.update(said)
    for name in memory.orders.broken:
        if name in state.bins and state.bins[name].rules.scale is not None:
            state.bins[name].broken, state.bins[name].stage = True, "gap"
    return state

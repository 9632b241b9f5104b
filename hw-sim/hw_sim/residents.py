"""The people who come: what they do, at life's pace, looking at the screen as a resident would.

Invariant: whatever a person does to a bin goes through the :class:`Stage`, which writes it down as
the truth. A person never knows more of the station than its screen shows.

Theory: a person is a *script*, a generator that yields wherever time passes and goes on at the
stage's next beat (some tens of milliseconds). So a script reads from top to bottom like the visit
itself, hundreds run in virtual time in the tests, and nothing sleeps. Every wait has a bound.

Manners (``docs/contracts.md``): take turns; drop no sooner than ``AFTER_GREETING_S`` after the
greeting; show the card again when not greeted, and when the station was dead meanwhile; drop without a
card only when no visit is open.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

from hw_sim.screen_watch import Sight

Script = Generator[None, None, None]
Asking = Generator[None, None, bool]

AFTER_GREETING_S = 2.5
GREETING_WAIT_S = 4.0
SHOW_S = 2.5
CARD_AWAY_S = 0.8
"""A reader counts a card anew only after it has left the field."""
MAX_TRIES = 12
RECORD_WAIT_S = 12.0
SMALL_WAIT_S = 4.0
DEAD_WAIT_S = 20.0
"""So long a person waits for a dead station, then goes home."""
QUIET_WAIT_S = 25.0
LEAST_LEFT_G = 700
"""What a person leaves in the bin when taking something out: less would look like a bag change."""
WORTH_CHANGING_G = 900


@dataclass(frozen=True, slots=True)
class Card:
    """One card: ``kind`` qr (``token`` the text) or nfc (``token`` the UID in hex)."""

    name: str
    kind: Literal["qr", "nfc"]
    token: str
    good: bool = True


@dataclass(frozen=True, slots=True)
class BinSpot:
    """A bin as people see it."""

    bin: str
    item: str
    weighs: bool


class Stage(Protocol):
    """Where people act. Grams are true grams; ``card`` is a card's name or None."""

    @property
    def now_s(self) -> float: ...

    @property
    def sight(self) -> Sight: ...

    @property
    def spots(self) -> tuple[BinSpot, ...]: ...

    def holds_g(self, bin_id: str) -> int:
        """What truly lies in the bin."""

    def show(self, card: Card, seconds: float) -> None: ...

    def put_away(self) -> None: ...

    def lay(self, bin_id: str, grams: int, card: str | None) -> None: ...

    def lid(self, bin_id: str, opened: bool) -> None: ...

    def knock(self, bin_id: str) -> None: ...

    def lift_bag(self, bin_id: str) -> None: ...

    def set_bag(self, bin_id: str) -> None: ...

    def tell(self, what: str, **facts: str | int | float | bool | None) -> None:
        """A line for whoever watches the world."""


TURN_S = 2.4
"""Residents take turns: nobody steps up while the last one's bag still swings."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one carded visit will do: drops, and whether something is taken out or knocked."""

    card: Card
    drops: int = 1
    takes_out: bool = False
    knocks: bool = False
    hurried: bool = False
    """Goes to the next bin without waiting for the weight."""


class People:
    """The scripts, on one stage with one source of chance."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        self.stage = stage
        self.rng = rng

    # -- scripts --------------------------------------------------------------------------------

    def visit(self, plan: Plan) -> Script:
        """Card, greeting, drops, perhaps something out again, home."""
        stage, card = self.stage, plan.card
        stage.tell("comes", card=card.name, by=card.kind)
        yield from self._pause(0.3, 0.8)
        greeted_life = yield from self._check_in(card)
        if greeted_life is None:
            stage.tell("leaves", card=card.name, served=False)
            return
        for number in range(plan.drops):
            greeted_life = yield from self._greeted_still(card, greeted_life)
            if greeted_life is None:
                break
            takes_out = plan.takes_out and number == 0
            spot = self._choose(weighing=takes_out)
            if plan.knocks and number == 0:
                stage.knock(self._choose(weighing=True).bin)
            least_g = LEAST_LEFT_G + 200 if takes_out else 0
            yield from self._drop(spot, card.name, least_g=least_g, wait=not plan.hurried)
            yield from self._pause(0.3, 0.9)
            if takes_out:
                greeted_life = yield from self._greeted_still(card, greeted_life)
                if greeted_life is None:
                    break
                yield from self._take_out(spot, card.name)
        if plan.hurried:
            yield from self._pause(TURN_S, TURN_S + 0.6)
        stage.tell("leaves", card=card.name, served=True)

    def refused(self, card: Card) -> Script:
        """Somebody whose card is not taken: reads the screen and goes."""
        self.stage.tell("comes", card=card.name, by=card.kind)
        yield from self._pause(0.3, 0.8)
        if (yield from self._check_in(card)) is not None:
            self.stage.tell("wrongly_greeted", card=card.name)
        yield from self._pause(0.5, 1.0)
        self.stage.tell("leaves", card=card.name, served=False)

    def nameless(self) -> Script:
        """Somebody without a card: waits until nobody's visit is open, drops, watches, goes."""
        if not (yield from self._alone()):
            return
        self.stage.tell("comes", card=None, by=None)
        yield from self._pause(0.3, 0.8)
        if not _nobody(self.stage.sight):
            self.stage.tell("leaves", card=None, served=False)
            return
        yield from self._drop(self._choose(weighing=True), None)
        self.stage.tell("leaves", card=None, served=True)

    def bag_change(self) -> Script:
        """A caretaker: the fullest bag out, a new one in, the lid down."""
        stage = self.stage
        if not (yield from self._alone()):
            return
        fullest = max(
            (spot.bin for spot in stage.spots if spot.weighs), key=stage.holds_g, default=None
        )
        if fullest is None or stage.holds_g(fullest) < WORTH_CHANGING_G:
            return
        # A bag that goes before a station just started has weighed it takes its last drops along.
        weighed = yield from self._until(
            lambda: stage.sight.connected and fullest not in stage.sight.starting, QUIET_WAIT_S
        )
        if not weighed:
            return
        stage.tell("bag_change", bin=fullest)
        stage.lift_bag(fullest)
        yield from self._pause(1.5, 3.0)
        stage.set_bag(fullest)
        yield from self._pause(5.0, 6.5)

    # -- parts of a visit -----------------------------------------------------------------------

    def _check_in(self, card: Card) -> Generator[None, None, int | None]:
        """Show the card until greeted: the station's life then, None when not taken."""
        stage = self.stage
        if not (yield from self._until(lambda: stage.sight.connected, DEAD_WAIT_S)):
            return None
        for _ in range(MAX_TRIES):
            before = stage.sight
            stage.show(card, SHOW_S)
            seen = yield from self._until(self._answer_to(before), GREETING_WAIT_S)
            after = stage.sight
            if seen:
                yield from self._pause(0.2, 0.4)
            stage.put_away()
            if seen and _greeted(before, after):
                yield from self._pause(AFTER_GREETING_S, AFTER_GREETING_S + 0.7)
                return after.life
            if seen:
                return None
            stage.tell("not_greeted", card=card.name)
            yield from self._pause(CARD_AWAY_S, CARD_AWAY_S + 0.3)
        return None

    def _answer_to(self, before: Sight) -> Callable[[], bool]:
        """Whether the screen has greeted or refused since ``before``."""
        stage = self.stage
        return lambda: _greeted(before, stage.sight) or _refused(before, stage.sight)

    def _greeted_still(self, card: Card, life: int) -> Generator[None, None, int | None]:
        """Go on when the station lives on; else wait for it and show the card again."""
        for _ in range(MAX_TRIES):
            sight = self.stage.sight
            if sight.connected and sight.life == life:
                return life
            self.stage.tell("station_was_dead", card=card.name)
            again = yield from self._check_in(card)
            if again is None:
                return None
            life = again
        return None

    def _drop(
        self, spot: BinSpot, card: str | None, *, least_g: int = 0, wait: bool = True
    ) -> Script:
        stage = self.stage
        grams = max(self._grams(), least_g)
        if not spot.weighs:
            stage.lid(spot.bin, True)
            yield from self._pause(0.7, 1.2)
            stage.lay(spot.bin, grams, card)
            yield from self._pause(0.7, 1.2)
            stage.lid(spot.bin, False)
            return
        before = stage.sight
        stage.lay(spot.bin, grams, card)
        if wait:
            limit_s = RECORD_WAIT_S if grams >= 40 else SMALL_WAIT_S
            yield from self._until(lambda: _recorded(before, stage.sight), limit_s)

    def _take_out(self, spot: BinSpot, card: str) -> Script:
        """Something that should not have gone in: out again, by the same hand."""
        yield from self._pause(0.3, 0.8)
        stage = self.stage
        spare_g = stage.holds_g(spot.bin) - LEAST_LEFT_G
        grams = min(spare_g, self.rng.randrange(120, 900))
        if grams < 60:
            return
        before = stage.sight
        stage.lay(spot.bin, -grams, card)
        yield from self._until(lambda: _recorded(before, stage.sight), RECORD_WAIT_S)

    def _alone(self) -> Asking:
        """Wait until the screen says that no visit is open."""
        return (yield from self._until(lambda: _nobody(self.stage.sight), QUIET_WAIT_S))

    def _choose(self, weighing: bool = False) -> BinSpot:
        spots = [spot for spot in self.stage.spots if spot.weighs or not weighing]
        weights = [3 if spot.weighs else 1 for spot in spots]
        return self.rng.choices(spots, weights)[0]

    def _grams(self) -> int:
        """Mostly some hundred grams, now and then a bundle, now and then a single small bottle."""
        kind = self.rng.random()
        if kind < 0.06:
            return self.rng.randrange(6, 18)
        if kind < 0.12:
            return self.rng.randrange(4_000, 9_000)
        return round(60 + self.rng.betavariate(1.6, 3.0) * 3_000)

    # -- time -----------------------------------------------------------------------------------

    def _pause(self, least_s: float, most_s: float) -> Script:
        until_s = self.stage.now_s + self.rng.uniform(least_s, most_s)
        while self.stage.now_s < until_s:
            yield

    def _until(self, happened: Callable[[], bool], limit_s: float) -> Asking:
        """Whether it happened within the limit."""
        until_s = self.stage.now_s + limit_s
        while self.stage.now_s < until_s:
            if happened():
                return True
            yield
        return False


def _greeted(before: Sight, now: Sight) -> bool:
    """A start that we did not see begins its count at nothing."""
    return now.connected and now.checkins > (before.checkins if now.life == before.life else 0)


def _refused(before: Sight, now: Sight) -> bool:
    return now.connected and now.refusals > (before.refusals if now.life == before.life else 0)


def _recorded(before: Sight, now: Sight) -> bool:
    """Kept, thanked for a small one, or the station died: no use in waiting on."""
    if now.life != before.life or not now.connected:
        return True
    return now.records > before.records or now.phase == "small"


def _nobody(sight: Sight) -> bool:
    return sight.connected and sight.visits_open == 0

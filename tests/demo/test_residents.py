"""People behave as people do: they look at the screen, take turns, and show the card again.

A scripted screen stands for the station; time is the test's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hw_sim.programme import programme
from hw_sim.residents import AFTER_GREETING_S, BinSpot, Card, People, Plan, Script
from hw_sim.screen_watch import Sight

BEAT_S = 0.03
ANNA = Card("anna", "qr", "TEXT")
BERT = Card("bert", "nfc", "04a1b2c3")
FORGED = Card("forged", "qr", "FORGED", good=False)
SPOTS = (
    BinSpot("b1", "pet-bottle", True),
    BinSpot("b2", "newspaper", True),
    BinSpot("b4", "carton", False),
)
IDLE_S = 6.0


@dataclass
class Hall:
    """A stage with a station behind it that greets ``greets_after_s`` after a card is held up."""

    greets_after_s: float = 0.5
    records_after_s: float = 3.0
    now_s: float = 1_000.0
    sight: Sight = field(default_factory=lambda: Sight(connected=True, life=1))
    spots: tuple[BinSpot, ...] = SPOTS
    held: dict[str, int] = field(default_factory=dict)
    acts: list[tuple[float, str, str | int | None]] = field(default_factory=list)
    _due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _showing: Card | None = None

    def holds_g(self, bin_id: str) -> int:
        return self.held.get(bin_id, 0)

    def show(self, card: Card, seconds: float) -> None:
        self._note("show", card.name)
        self._showing = card
        self.later(self.greets_after_s, lambda: self._see(card))

    def put_away(self) -> None:
        self._showing = None

    def lay(self, bin_id: str, grams: int, card: str | None) -> None:
        self._note("lay" if grams > 0 else "take_out", card)
        self.held[bin_id] = self.holds_g(bin_id) + grams
        self.later(self.records_after_s, self._record)

    def lid(self, bin_id: str, opened: bool) -> None:
        self._note("lid", int(opened))

    def knock(self, bin_id: str) -> None:
        self._note("knock", bin_id)

    def lift_bag(self, bin_id: str) -> None:
        self._note("lift_bag", bin_id)
        self.held[bin_id] = 0

    def set_bag(self, bin_id: str) -> None:
        self._note("set_bag", bin_id)

    def tell(self, what: str, **facts: str | int | float | bool | None) -> None:
        pass

    # -- the scripted station -------------------------------------------------------------------

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self._due.append((self.now_s + seconds, act))

    def die(self, for_s: float) -> None:
        self._due.clear()
        self.sight = replace(self.sight, connected=False)
        self.later(for_s, self._come_back)

    def _come_back(self) -> None:
        self.sight = Sight(connected=True, life=self.sight.life + 1)

    def _see(self, card: Card) -> None:
        if self._showing is not card or not self.sight.connected:
            return
        if not card.good:
            self.sight = replace(self.sight, refusals=self.sight.refusals + 1)
            return
        self.sight = replace(self.sight, checkins=self.sight.checkins + 1, visits_open=1)
        self._note("greeted", card.name)
        self.later(IDLE_S, self._close)

    def _record(self) -> None:
        self.sight = replace(self.sight, records=self.sight.records + 1)

    def _close(self) -> None:
        self.sight = replace(self.sight, visits_open=0)

    def _note(self, act: str, of: str | int | None) -> None:
        self.acts.append((self.now_s, act, of))

    def play(self, script: Script, limit_s: float = 120.0) -> None:
        """The script from here to its end, which must come."""
        end_s = self.now_s + limit_s
        for _ in script:
            self.now_s += BEAT_S
            for due in [due for due in self._due if due[0] <= self.now_s]:
                self._due.remove(due)
                due[1]()
            assert self.now_s < end_s, f"still waiting after {self.acts}"

    def done(self, *acts: str) -> list[str]:
        return [act for _, act, _ in self.acts if act in acts]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def people(hall: Hall, seed: int = 1) -> People:
    return People(hall, Random(seed))


@pytest.mark.parametrize("seed", range(30))
def test_nobody_drops_sooner_than_the_manners_ask(hall: Hall, seed: int) -> None:
    hall.play(people(hall, seed).visit(Plan(ANNA, drops=2, hurried=bool(seed % 2))))
    (greeted_s,) = [at for at, act, _ in hall.acts if act == "greeted"]
    drops = [at for at, act, _ in hall.acts if act == "lay"]
    assert len(drops) == 2
    assert drops[0] - greeted_s >= AFTER_GREETING_S


def test_who_takes_something_out_leaves_enough_in_the_bin_to_be_no_bag_change(hall: Hall) -> None:
    for seed in range(40):
        hall.held = {"b1": 3_000, "b2": 3_000}
        hall.play(people(hall, seed).visit(Plan(BERT, takes_out=True)))
        assert min(hall.held["b1"], hall.held["b2"]) >= 700
    assert "take_out" in hall.done("take_out")


def test_a_card_that_is_not_seen_is_shown_again_until_it_is(hall: Hall) -> None:
    hall.greets_after_s = 100.0
    hall.later(9.0, lambda: setattr(hall, "greets_after_s", 0.5))
    hall.play(people(hall).visit(Plan(ANNA)))
    assert hall.done("show", "greeted", "lay") == ["show"] * 3 + ["greeted", "lay"]


def test_who_is_never_greeted_goes_home_without_dropping(hall: Hall) -> None:
    hall.greets_after_s = 10_000.0
    hall.play(people(hall).visit(Plan(ANNA)))
    assert "lay" not in hall.done("lay")


def test_a_station_that_dies_after_the_greeting_is_shown_the_card_again_before_the_drop(
    hall: Hall,
) -> None:
    hall.later(2.5, lambda: hall.die(for_s=1.5))
    hall.play(people(hall).visit(Plan(ANNA)))
    assert hall.done("show", "greeted", "lay") == ["show", "greeted", "show", "greeted", "lay"]


def test_a_station_that_dies_in_mid_weighing_is_shown_the_card_before_the_next_drop(
    hall: Hall,
) -> None:
    hall.later(6.0, lambda: hall.die(for_s=0.3))  # back before anybody looked up
    hall.play(people(hall).visit(Plan(BERT, drops=2)))
    assert hall.done("greeted", "lay") == ["greeted", "lay", "greeted", "lay"]


def test_a_refused_card_drops_nothing(hall: Hall) -> None:
    hall.play(people(hall).refused(FORGED))
    assert hall.done("show", "lay", "greeted") == ["show"]


def test_nobody_drops_without_a_card_while_a_visit_is_open(hall: Hall) -> None:
    hall.play(people(hall).visit(Plan(ANNA)))
    hall.play(people(hall).nameless())
    greeted_s = next(at for at, act, _ in hall.acts if act == "greeted")
    nameless = [at for at, act, of in hall.acts if act == "lay" and of is None]
    assert nameless and nameless[0] >= greeted_s + IDLE_S


def test_without_a_scale_the_lid_tells(hall: Hall) -> None:
    hall.spots = SPOTS[2:]
    hall.play(people(hall).visit(Plan(ANNA)))
    assert hall.acts[-3:][0][1:] == ("lid", 1)
    assert hall.acts[-1][1:] == ("lid", 0)


def test_a_bag_is_not_changed_before_a_station_just_started_has_weighed_it(hall: Hall) -> None:
    hall.held["b1"] = 2_000
    hall.sight = replace(hall.sight, starting=frozenset({"b1"}))
    hall.later(4.0, lambda: setattr(hall, "sight", replace(hall.sight, starting=frozenset())))
    begun_s = hall.now_s

    hall.play(people(hall).bag_change())

    lifted_s = next(t_s for t_s, act, _ in hall.acts if act == "lift_bag")
    assert lifted_s - begun_s >= 4.0


def test_the_fullest_bag_is_changed_and_a_light_one_left_alone(hall: Hall) -> None:
    hall.held = {"b1": 2_000, "b2": 9_000}
    hall.play(people(hall).bag_change())
    assert [(act, of) for _, act, of in hall.acts] == [("lift_bag", "b2"), ("set_bag", "b2")]
    hall.held = {"b1": 300}
    hall.acts.clear()
    hall.play(people(hall).bag_change())
    assert hall.acts == []


@pytest.mark.parametrize("seed", range(8))
def test_four_cycles_of_any_seed_hold_all_that_a_minute_of_visits_must(
    hall: Hall, seed: int
) -> None:
    scripts: Iterator[Script] = programme(people(hall, seed), (ANNA, BERT, FORGED), Random(seed))
    begin_s = hall.now_s
    for _ in range(4 * 7 + 2 - 2):
        hall.play(next(scripts))
    minutes = (hall.now_s - begin_s) / 60
    drops = [of for _, act, of in hall.acts if act == "lay"]
    assert len(hall.done("greeted")) >= 20 >= 4 * minutes
    assert drops.count(None) >= 3
    assert len(hall.done("take_out")) >= 3
    assert len(hall.done("knock")) >= 4
    assert len(hall.done("lift_bag")) >= 2

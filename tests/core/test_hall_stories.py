"""Stories of a full bin, a hot station, quiet hours, and whose turn it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hw_sim.days import Day

from kiosk.core.config import StationRules
from kiosk.core.effects import Beep, Effect
from kiosk.core.entries import BinFull
from kiosk.core.events import (
    CardSeen,
    ClockKnown,
    DeviceLost,
    FillMoved,
    Heated,
    Moment,
    Tick,
    Touch,
)
from kiosk.core.quiet_hours import QuietHours
from kiosk.core.station import Station
from kiosk.core.view import BinView

ANN, BOB, CAT = b"a" * 16, b"b" * 16, b"c" * 16
HOLD_MS = 30_000


def with_sensor(day: Day) -> Day:
    """The same station with a fill sensor at b0."""
    first, *others = day.rules.bins
    day.rules = replace(day.rules, bins=(replace(first, full_hold_ms=HOLD_MS), *others))
    day.restart()
    day.run(4_000)
    return day


@pytest.fixture
def day() -> Day:
    return with_sensor(Day(1))


def b0(day: Day) -> BinView:
    return day.station.view().bins[0]


# -- a bin is full ---------------------------------------------------------------------------------


def test_a_bin_that_somebody_called_full_is_so_until_its_bag_is_changed(day: Day) -> None:
    day.drop(None, "b0", 3_000)
    day.run(30_000)
    day.post(Touch(day.t_ms, "full", "b0"))
    day.post(Touch(day.t_ms, "full", "b0"))
    assert (b0(day).state, b0(day).full) == ("full", "said")
    day.power_cut(8 * 3_600_000)
    assert (b0(day).state, b0(day).full) == ("full", "said"), "after a night without power too"
    assert len(full_entries(day)) == 1
    day.change_bag("b0")
    assert (b0(day).state, b0(day).full) == ("ready", None)
    day.restart()
    assert b0(day).full is None


def test_a_caretaker_takes_the_word_back(day: Day) -> None:
    day.post(Touch(day.t_ms, "not_full", "b0"))
    day.post(Touch(day.t_ms, "full", "b0"))
    day.post(Touch(day.t_ms, "not_full", "b0"))
    day.restart()
    assert b0(day).full is None
    assert [entry.full for entry in full_entries(day)] == [True, False]


def test_a_heap_under_the_flap_that_goes_down_again_is_not_full(day: Day) -> None:
    day.post(FillMoved("b0", day.t_ms, True))
    day.run(20_000)
    day.drop(None, "b0", 400)  # the next bag pushes it down
    day.run(15_000)
    assert b0(day).full is None, "whoever is at the bin begins it anew"
    day.post(FillMoved("b0", day.t_ms, False))
    day.run(60_000)
    assert full_entries(day) == []


def test_what_lies_before_the_sensor_for_long_enough_is_full(day: Day) -> None:
    day.post(FillMoved("b0", day.t_ms, True))
    day.run(HOLD_MS - 1_000)
    assert b0(day).full is None
    day.run(2_000)
    assert (b0(day).state, b0(day).full) == ("full", "sensor")
    day.restart()
    assert b0(day).full == "sensor"
    day.post(FillMoved("b0", day.t_ms, False))
    day.run(HOLD_MS + 1_000)
    assert b0(day).full is None
    assert [(entry.by, entry.full) for entry in full_entries(day)] == [
        ("sensor", True),
        ("sensor", False),
    ]


def test_a_loose_wire_at_the_sensor_fills_no_ledger(day: Day) -> None:
    for _ in range(100):
        day.post(FillMoved("b0", day.t_ms, True))
        day.run(2_000)
        day.post(FillMoved("b0", day.t_ms, False))
        day.run(2_000)
    assert full_entries(day) == []


def test_a_sensor_that_is_lost_says_nothing(day: Day) -> None:
    day.post(FillMoved("b0", day.t_ms, True))
    day.post(DeviceLost("fill:b0", day.t_ms, "gpio_missing", ""))
    day.run(HOLD_MS + 2_000)
    assert b0(day).full is None


def test_the_weight_of_the_bag_makes_it_full_too() -> None:
    day = Day(3)
    first, *others = day.rules.bins
    day.rules = replace(day.rules, bins=(replace(first, bag_limit_g=5_000), *others))
    day.restart()
    day.run(4_000)
    day.drop(None, "b0", 5_200)
    day.run(6_000)
    assert (b0(day).state, b0(day).full) == ("full", "limit")


def test_a_scale_that_is_set_aside_stays_so_until_a_caretaker_says_that_it_is_mended(
    day: Day,
) -> None:
    def b1() -> BinView:
        return next(one for one in day.station.view().bins if one.bin == "b1")

    for _ in range(3):  # a finger presses twice
        day.post(Touch(day.t_ms, "scale_broken", "b1"))
    assert (b1().broken, b1().counted, b1().state) == (True, True, "no_scale")
    day.drop(ANN, "b1", 480)
    day.run(4_000)
    for _ in range(2):
        day.restart()
        assert (b1().broken, b1().counted, b1().live_g) == (True, True, None)
    day.drop(ANN, "b1", 700)
    day.run(4_000)
    assert day.books.weighings == [] and day.books.orders.broken == ("b1",)
    before = len(day.books.swaps)
    day.post(Touch(day.t_ms, "bag_swap", "b1"))
    assert len(day.books.swaps) == before + 1, "a bin without a scale is told of its new bag"
    day.post(Touch(day.t_ms, "scale_mended", "b1"))
    day.run(6_000)
    assert (b1().broken, b1().state) == (False, "ready")
    assert day.books.orders.broken == ()
    (joined,) = [one for one in day.books.unattributed if one.bin == "b1"]
    assert (joined.cause, joined.net_g) == ("unscaled", pytest.approx(1_180, abs=20))
    day.drop(ANN, "b1", 500)
    day.run(6_000)
    assert day.books.weighings[-1].net_g == pytest.approx(500, abs=20)


def test_a_bin_that_has_no_scale_any_more_has_none_to_set_aside(day: Day) -> None:
    day.post(Touch(day.t_ms, "scale_broken", "b1"))
    first, second, *others = day.rules.bins
    day.rules = replace(day.rules, bins=(first, replace(second, scale=None), *others))
    day.restart()
    day.post(Touch(day.t_ms, "scale_broken", "b1"))
    view = next(one for one in day.station.view().bins if one.bin == "b1")
    assert (view.broken, view.counted) == (False, True)


def full_entries(day: Day) -> list[BinFull]:
    return day.books.full


# -- heat ------------------------------------------------------------------------------------------


def test_a_hot_station_keeps_still_then_gets_dark_and_weighs_to_the_last(day: Day) -> None:
    day.post(Heated(day.t_ms, 76_000))
    assert day.station.view().warm == "still"
    day.post(Heated(day.t_ms, 90_000))
    assert day.station.view().warm == "dim"
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 420)
    day.run(4_000)
    assert day.station.view().phase == "recorded"
    for celsius in (78, 84, 78, 80, 77):  # to and fro around the limit: one alarm
        day.post(Heated(day.t_ms, celsius * 1_000))
    assert day.station.view().warm == "still"
    assert [(a.code, a.state) for a in day.books.alarms] == [("hot", "on"), ("hot", "off")]
    day.post(Heated(day.t_ms, 70_000))
    assert day.station.view().warm is None


def test_a_thermometer_that_is_gone_does_not_leave_the_screen_dark(day: Day) -> None:
    day.post(Heated(day.t_ms, 95_000))
    day.post(DeviceLost("thermometer:station", day.t_ms, "thermometer_missing", ""))
    assert day.station.view().warm is None
    assert day.station.temperature_mc is None
    told = [(a.code, a.state) for a in day.books.alarms if a.subject == "station"]
    assert told == [("hot", "on"), ("hot", "off")], "nobody waits for the end of an alarm in vain"


# -- quiet hours -----------------------------------------------------------------------------------


def tone(station: Station, now: Moment) -> Beep:
    """What a card sounds like now."""
    effects: list[Effect] = station.handle(CardSeen(now.boot_ms, ANN, "qr", True), now)
    (beep,) = [effect for effect in effects if isinstance(effect, Beep)]
    return beep


def hour(hour: int, clock: str, boot_ms: int = 50_000) -> Moment:
    tokyo_ms = 9 * 3_600_000
    utc_ms = 20_000 * 86_400_000 + hour * 3_600_000 - tokyo_ms
    return Moment(boot_ms, utc_ms, clock, 20_000, tokyo_ms)  # type: ignore[arg-type]


def quiet_station() -> tuple[Station, StationRules]:
    day = Day(1)
    rules = replace(day.rules, quiet=QuietHours(21 * 60, 7 * 60))
    return Station(rules, day.books.memory("q", same_boot=True)), rules


@pytest.mark.parametrize(("at", "silent"), [(20, False), (21, True), (3, True), (7, False)])
def test_at_night_a_card_is_seen_and_not_heard(at: int, silent: bool) -> None:
    station, _ = quiet_station()
    now = hour(at, "synced")
    station.handle(Tick(now.boot_ms), now)
    assert station.view().quiet is silent
    assert tone(station, now) == Beep("seen", silent)


def test_a_clock_that_nobody_has_set_keeps_no_quiet_hours() -> None:
    station, _ = quiet_station()
    now = hour(3, "unsynced")
    station.handle(Tick(now.boot_ms), now)
    assert not station.view().quiet
    assert not tone(station, now).silent


def test_a_clock_that_was_set_since_the_power_came_back_keeps_them_without_a_network() -> None:
    station, _ = quiet_station()
    evening = hour(20, "synced")
    station.handle(ClockKnown(evening.boot_ms, evening.utc_ms, 5, "ntp"), evening)
    later = hour(22, "unsynced", evening.boot_ms + 2 * 3_600_000)
    station.handle(Tick(later.boot_ms), later)
    assert station.view().quiet


# -- several residents -----------------------------------------------------------------------------


def test_whose_turn_it_is_is_a_number_that_rises(day: Day) -> None:
    assert day.station.view().turn is None
    day.card(ANN)
    assert day.station.view().turn == 1
    assert day.station.view().greetings == (1,)
    day.run(5_000)
    assert day.station.view().greetings == ()
    day.card(BOB)
    assert day.station.view().turn == 2
    day.run(30_000)
    assert day.station.view().turn is None, "his turn is over"


def test_a_card_shown_while_anothers_change_still_settles_is_greeted_and_shown_no_grams(
    day: Day,
) -> None:
    day.card(ANN)
    day.run(4_000)
    day.drop(ANN, "b0", 800)
    day.run(300)
    assert day.station.view().phase == "weighing"
    day.run(2_300)  # beyond the hand-over: hers, and not told yet
    seen = day.station.view()
    day.card(BOB)
    view = day.station.view()
    assert view.turn == 2 and 2 in view.greetings, "greeted at once, whatever is being weighed"
    for _ in range(40):
        view = day.station.view()
        if view.net_g or view.visit_g:
            assert view.shown == 1, f"Ann's grams under {view.shown} ({view.phase})"
        day.run(500)
    assert seen.turn == 1
    assert day.station.view().shown in (2, None)


def test_after_the_earlier_residents_weight_the_next_one_is_greeted_and_not_kept_waiting(
    day: Day,
) -> None:
    day.card(ANN)
    day.run(4_000)
    day.drop(ANN, "b0", 800)
    day.run(3_500)
    assert day.station.view().phase == "recorded"
    day.card(BOB)
    assert day.station.view().phase == "greeting"
    assert day.station.view().shown == 2


def test_together_several_are_greeted_at_once_and_no_sum_is_anybodys() -> None:
    day = Day(2, crowd="together")
    day.run(4_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 500)
    day.run(5_000)
    assert day.station.view().visit_g > 400
    day.card(BOB)
    day.card(CAT)
    view = day.station.view()
    assert view.greetings[-2:] == (2, 3)
    assert (view.turn, view.shown, view.visit_g) == (None, None, 0)
    day.drop(BOB, "b1", 700)
    for _ in range(30):
        day.run(500)
        view = day.station.view()
        assert view.visit_g == 0 or view.visits_open <= 1, view
        assert not view.can_claim and not view.claiming, "nobody is asked anything"


def test_after_a_restart_in_mid_visit_the_card_is_asked_for_until_it_is_shown(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.restart()
    assert day.station.view().resumed
    day.run(4_000)
    day.card(ANN)
    assert not day.station.view().resumed
    day.run(3_000)
    day.drop(ANN, "b0", 400)
    day.run(5_000)
    assert day.station.view().shown == 1 and abs(day.station.view().visit_g - 400) <= 20


def test_after_a_night_nobody_is_asked_for_a_card_for_long(day: Day) -> None:
    day.card(ANN)
    day.power_cut(10 * 3_600_000)
    assert day.station.view().resumed
    day.run(62_000)
    assert not day.station.view().resumed

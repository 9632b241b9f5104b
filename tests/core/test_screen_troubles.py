"""What the screen is told when something is gone, and after a night without power."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hw_sim.days import Day

from kiosk.core.config import Tariff
from kiosk.core.earned import Earned
from kiosk.core.effects import Effect, Record
from kiosk.core.entries import ClockQuality
from kiosk.core.events import (
    CardSeen,
    DeviceBack,
    DeviceLost,
    LinkChanged,
    Moment,
    OrderGiven,
    Tick,
    Touch,
)
from kiosk.core.orders import Close
from kiosk.core.station import Station

ANN = b"a" * 16
TODAY = 20_000


@pytest.fixture
def day() -> Day:
    day = Day(4)
    day.rules = replace(day.rules, readers=("reader:qr",))
    day.restart()
    day.run(4_000)
    return day


def dropped(day: Day, person: bytes | None, bin_id: str = "b1", grams: float = 420) -> None:
    day.drop(person, bin_id, grams)
    day.run(5_000)


def test_with_the_camera_gone_everything_else_goes_on(day: Day) -> None:
    day.post(DeviceLost("reader:qr", day.t_ms, "camera_lost", ""))
    view = day.station.view()
    assert (view.phase, view.cards_readable) == ("waiting", False)
    dropped(day, None)
    view = day.station.view()
    assert (view.phase, view.net_g) == ("recorded", pytest.approx(420, abs=20))
    assert not view.can_claim, "nobody is asked to show a card that cannot be read"
    day.post(DeviceBack("reader:qr", day.t_ms))
    assert day.station.view().cards_readable


def test_with_one_scale_gone_its_bin_thanks_and_the_others_weigh(day: Day) -> None:
    day.post(DeviceLost("scale:b1", day.t_ms, "scale_silent", ""))
    bins = {one.bin: one for one in day.station.view().bins}
    assert (bins["b1"].state, bins["b1"].live_g) == ("trouble", None)
    assert bins["b0"].state == "ready"
    day.card(ANN)
    day.run(3_000)
    day.post(Touch(day.t_ms, "scale_broken", "b1"))
    day.post(Touch(day.t_ms, "count", "b1"))
    assert day.station.view().phase == "thanks"
    dropped(day, ANN, "b2")
    view = day.station.view()
    assert (view.phase, view.bin) == ("recorded", "b2")
    assert {one.bin: one.counted for one in view.bins}["b1"]


def test_without_a_network_a_drop_is_as_ever(day: Day) -> None:
    day.post(LinkChanged(day.t_ms, True))
    assert day.station.view().online
    day.post(LinkChanged(day.t_ms, False, "broker_away"))
    day.card(ANN)
    day.run(3_000)
    dropped(day, ANN)
    view = day.station.view()
    assert (view.phase, view.online, view.storage_trouble) == ("recorded", False, False)


def test_a_scale_lost_in_the_middle_of_a_drop_shows_no_weight_that_nobody_wrote(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 800)
    day.run(700)
    assert day.station.view().phase == "weighing"
    day.post(DeviceLost("scale:b1", day.t_ms, "scale_silent", ""))
    day.post(Tick(day.t_ms))
    view = day.station.view()
    assert view.live_g is None and view.phase == "greeting"
    assert day.books.weighings == []


def test_a_station_that_was_closed_is_closed_after_a_night_without_power(day: Day) -> None:
    day.post(OrderGiven(day.t_ms, "r", "caretaker", Close({"ja": "お祭りのため"})))
    day.clock = "unsynced"
    day.power_cut(10 * 3_600_000)
    view = day.station.view()
    assert (view.phase, view.closed) == ("closed", {"ja": "お祭りのため"})


def test_the_morning_after_with_a_clock_that_nobody_has_set_is_as_any_morning(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    dropped(day, ANN)
    day.run(40_000)
    day.clock = "unsynced"
    day.power_cut(10 * 3_600_000)
    day.run(61_000)
    view = day.station.view()
    assert (view.phase, view.quiet, view.closed) == ("waiting", False, None)
    assert all(one.state == "ready" for one in view.bins)
    day.card(ANN)
    day.run(3_000)
    dropped(day, ANN)
    view = day.station.view()
    assert view.phase == "recorded" and abs(view.visit_g - 420) <= 20, "of this visit alone"
    day.run(40_000)
    day.check()


# -- today's points, where nobody knows which day it is --------------------------------------------


def points(*, same_boot: bool, clock: ClockQuality) -> tuple[int | None, bool]:
    """What Ann is told who had her point by the books' last day, which the clock says it still is."""
    day = Day(1)
    rules = replace(day.rules, tariff=Tariff(1, "visit", 1))
    memory = replace(
        day.books.memory("m", same_boot=same_boot), earned={ANN: Earned(TODAY, visits=1, points=1)}
    )
    station = Station(rules, memory)
    now = Moment(50_000, 50_000, clock, TODAY)
    effects: list[Effect] = station.handle(CardSeen(now.boot_ms, ANN, "qr", True), now)
    for effect in effects:
        if isinstance(effect, Record):
            station.recorded(effect.items, tuple(range(2, 2 + len(effect.items))))
    view = station.view()
    return view.points, view.points_limited


def test_yesterdays_points_are_not_todays_where_the_power_was_off_and_nobody_knows_the_day() -> (
    None
):
    assert points(same_boot=False, clock="unsynced") == (1, False)
    assert points(same_boot=False, clock="synced") == (0, True)
    assert points(same_boot=True, clock="unsynced") == (0, True), "the clock went on meanwhile"

"""Stories of people and bins, told to the rules in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hw_sim.days import Day

from kiosk.core.earned import Earned
from kiosk.core.effects import Beep, Record
from kiosk.core.entries import Checkin
from kiosk.core.events import (
    CardSeen,
    CountsBlock,
    DeviceBack,
    DeviceLost,
    IndicatorReading,
    IndicatorStatus,
    Moment,
    Tick,
    Touch,
)
from kiosk.core.station import Station

ANN, BOB = b"a" * 16, b"b" * 16


@pytest.fixture
def day() -> Day:
    day = Day(1)
    day.run(4_000)
    return day


def nets(day: Day) -> list[tuple[bytes | None, int]]:
    """Who was credited with how much, to the division."""
    return [
        (day.books.visits.get(w.visit) if w.visit else None, round(w.net_g / 20) * 20)
        for w in day.books.weighings
    ]


def causes(day: Day) -> list[str]:
    return [u.cause for u in day.books.unattributed if abs(u.net_g or 0) > 20]


def test_a_card_and_a_bag_make_one_weighing_of_that_resident(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 420)
    day.run(4_000)
    assert nets(day) == [(ANN, 420)]
    assert day.books.weighings[0].points == 4
    assert day.station.view().phase == "recorded"
    day.run(5_000)
    assert day.station.view().phase == "thanks"


def test_a_drop_without_a_card_is_never_refused(day: Day) -> None:
    day.drop(None, "b0", 300)
    day.run(6_000)
    (weighing,) = day.books.weighings
    assert weighing.visit is not None and weighing.visit not in day.books.visits
    assert day.station.view().can_claim


def test_an_anonymous_drop_is_claimed_by_a_touch_and_the_next_card(day: Day) -> None:
    day.drop(ANN, "b0", 300)
    day.run(5_000)
    day.post(Touch(day.t_ms, "claim"))
    assert day.station.view().claiming
    day.card(ANN)
    assert nets(day) == [(ANN, 300)]
    assert day.books.checkins == []


def test_twenty_grams_dropped_ten_times_on_thirty_kilograms_come_out_as_two_hundred() -> None:
    day = Day(2)
    day.platforms["b2"].load_g = 30_000
    day.run(4_000)
    day.card(ANN)
    day.run(3_000)
    for _ in range(10):
        day.drop(ANN, "b2", 20)
        day.run(4_000)
    day.run(60_000)
    credited, _ = day.books.credited_g()[ANN, "b2"]
    assert abs(credited - 200) <= 20
    day.check()


def test_small_things_are_carried_within_the_visit(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    for _ in range(3):
        day.drop(ANN, "b0", 15)
        day.run(4_000)
    assert sum(w.net_g for w in day.books.weighings) >= 25
    day.run(60_000)
    assert abs(day.books.gross_g["b0"] - 45) <= 3, "the rest is in the books as a remainder"


def test_what_is_taken_out_again_lowers_the_visit_without_blame(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 900)
    day.run(6_000)
    day.drop(ANN, "b0", -900)
    day.run(4_000)
    assert nets(day) == [(ANN, 900), (ANN, -900)]
    assert sum(w.points for w in day.books.weighings) == 0
    assert day.books.swaps == []
    assert day.station.view().phase == "taken_out"


def test_a_bag_is_changed_without_anyone_pressing_anything(day: Day) -> None:
    day.platforms["b0"].load_g = 0
    day.drop(None, "b0", 6_000)
    day.run(40_000)
    day.change_bag("b0")
    (swap,) = day.books.swaps
    assert abs((swap.net_g or 0) - 6_000) <= 20
    assert swap.new_bag != swap.bag


def test_a_drop_into_the_new_bag_before_its_change_is_written_is_not_lost(day: Day) -> None:
    day.drop(None, "b0", 6_000)
    day.run(40_000)
    day.drop(None, "b0", -6_000)
    day.run(2_600)
    day.card(ANN)
    day.run(200)
    day.drop(ANN, "b0", 500, after_ms=0)
    day.run(8_000)
    assert len(day.books.swaps) == 1
    day.run(60_000)
    day.check()


def test_a_bin_lifted_off_for_cleaning_is_away_until_it_is_back(day: Day) -> None:
    day.drop(None, "b1", 2_000)
    day.run(40_000)
    day.drop(None, "b1", -5_000)
    day.run(5_000)
    assert day.station.view().bins[1].state == "away"
    day.drop(None, "b1", 4_990)
    day.run(5_000)
    assert day.station.view().bins[1].state == "ready"
    assert len(day.books.weighings) == 1
    day.check()


def test_a_bin_that_comes_back_emptied_has_a_new_bag(day: Day) -> None:
    day.drop(None, "b1", 2_000)
    day.run(40_000)
    day.drop(None, "b1", -5_000)
    day.run(5_000)
    day.drop(None, "b1", 3_000)
    day.run(8_000)
    assert len(day.books.swaps) == 1
    day.check()


def test_a_new_card_ends_the_turn_and_an_earlier_change_stays_with_the_earlier_one(
    day: Day,
) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 800)
    day.run(300)
    # Ann's hand keeps the platform moving; Bob shows his card three seconds after her movement began.
    for _ in range(4):
        day.platforms["b0"].move(day.t_ms, 0)
        day.run(700)
    day.card(BOB)
    day.run(8_000)
    assert nets(day) == [(ANN, 800)]
    assert "next_card" not in causes(day)


def test_a_movement_close_to_the_next_card_is_nobodys(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.card(BOB)
    day.run(1_000)
    day.drop(None, "b0", 700)
    day.run(6_000)
    assert nets(day) == [(None, 700)]


def test_the_same_card_again_only_greets_again(day: Day) -> None:
    day.card(ANN)
    day.run(2_000)
    day.card(ANN)
    assert day.books.checkins == [ANN]
    assert day.greeted == 2


def test_visits_together_name_nobody_while_several_are_open() -> None:
    day = Day(3, crowd="together")
    day.run(4_000)
    day.card(ANN)
    day.card(BOB)
    assert day.books.checkins == [ANN, BOB]
    day.run(2_000)
    day.drop(ANN, "b0", 500)
    day.run(6_000)
    assert nets(day) == [(None, 500)]
    assert all(v is None for v in day.books.visits), "unlinked: no check-in names a visit"


def test_points_of_a_visit_are_given_once_a_day_also_after_a_restart() -> None:
    day = Day(6, crowd="together")
    earned = {ANN: Earned(day.days, visits=1, points=1)}
    memory = replace(day.books.memory("again", same_boot=True), earned=earned)
    day.station = Station(day.rules, memory)
    assert [points(day, ANN), points(day, BOB)] == [0, 1]
    day.run(60_000)
    day.days += 1
    assert points(day, ANN) == 1
    day.run(60_000)
    assert points(day, ANN) == 0
    assert not day.station.view().points_limited, "the same visit goes on, and had its point"
    day.run(60_000)
    day.quiet(700_000)
    assert points(day, ANN) == 0
    assert day.station.view().points_limited


def points(day: Day, person: bytes) -> int:
    """What the check-in of this card gives."""
    now = Moment(day.t_ms, day.t_ms, "synced", day.days)
    (record,) = day.station.handle(CardSeen(day.t_ms, person, "qr", True), now)
    assert isinstance(record, Record)
    (item,) = record.items
    assert isinstance(item.draft, Checkin)
    day.station.recorded(record.items, day.books.append(record.items))
    return item.draft.points


def test_a_knock_records_nothing(day: Day) -> None:
    day.platforms["b0"].move(day.t_ms, 0)
    day.run(8_000)
    assert day.books.weighings == [] and causes(day) == []


def test_a_kill_in_mid_drop_gives_it_to_no_one_but_keeps_it(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(None, "b0", 640)
    day.run(500)
    day.restart()
    day.run(5_000)
    assert day.books.weighings == []
    assert causes(day) == ["restart"]
    assert len(day.books.closed) == 1
    day.check()


def test_a_night_without_power_is_in_the_books(day: Day) -> None:
    day.drop(None, "b0", 2_000)
    day.run(40_000)
    day.power_cut(3_600_000, lambda: day.drop(None, "b0", 300))
    assert causes(day) == ["while_off"]
    day.check()


def test_a_bag_changed_in_the_dark_is_a_bag_change(day: Day) -> None:
    day.drop(None, "b0", 2_000)
    day.run(40_000)
    day.power_cut(3_600_000, lambda: day.drop(None, "b0", -2_000))
    assert len(day.books.swaps) == 1
    day.check()


def test_a_new_bag_set_after_a_restart_is_nobodys_drop(day: Day) -> None:
    day.drop(None, "b0", 2_000)
    day.run(40_000)
    day.drop(None, "b0", -2_040)  # the bag with all that is in it
    day.restart()
    day.run(4_000)
    day.drop(None, "b0", 40)
    day.run(6_000)
    assert len(day.books.swaps) == 1 and len(day.books.weighings) == 1
    day.check()


def test_a_scale_that_was_unplugged_closes_its_gap_with_one_entry(day: Day) -> None:
    day.post(DeviceLost("scale:b0", day.t_ms, "scale_missing", "no answer"))
    assert day.station.view().bins[0].state == "trouble"
    day.platforms["b0"].load_g = 750
    day.t_ms += 30_000
    day.post(DeviceBack("scale:b0", day.t_ms))
    day.run(4_000)
    assert causes(day) == ["unscaled"]
    assert day.station.view().bins[0].state == "ready"
    day.check()


def test_nobody_is_asked_for_a_card_while_the_readers_are_gone(day: Day) -> None:
    day.rules = replace(day.rules, readers=("reader:qr", "reader:nfc"))
    day.restart()
    day.run(4_000)
    day.post(DeviceLost("reader:qr", day.t_ms, "camera_missing", "no picture"))
    assert day.station.view().cards_readable, "the other one still reads"
    day.drop(None, "b0", 300)
    day.run(6_000)
    assert day.station.view().can_claim
    day.post(DeviceLost("reader:nfc", day.t_ms, "nfc_missing", "no answer"))
    assert not day.station.view().cards_readable
    assert not day.station.view().can_claim, "no card could claim it"
    day.post(DeviceBack("reader:qr", day.t_ms))
    assert day.station.view().cards_readable
    assert nets(day) == [(None, 300)], "and what fell meanwhile is weighed as ever"


def test_more_than_the_scale_can_weigh_is_no_endless_weighing(day: Day) -> None:
    first, *others = day.rules.bins
    assert first.scale is not None
    indicator = replace(first.scale, counts_per_gram=None)
    day.rules = replace(day.rules, bins=(replace(first, scale=indicator), *others))
    day.restart()

    def says(ms: int, status: IndicatorStatus, gross_mg: int | None) -> None:
        for _ in range(ms // 100):
            day.run(100)
            day.post(IndicatorReading("b0", day.t_ms, status, gross_mg))

    says(3_000, "stable", 0)
    says(200, "motion", 12_000_000)
    says(1_000, "overload", None)
    assert day.station.view().phase == "weighing", (
        "a bag thrown in is more than its weight at first"
    )
    says(3_000, "overload", None)
    view = day.station.view()
    assert (view.phase, view.bins[0].state) == ("waiting", "overload")
    says(2_000, "stable", 400_000)
    view = day.station.view()
    assert (view.phase, view.bins[0].state) == ("recorded", "ready")
    assert nets(day) == [(None, 400)]


def test_drift_between_visits_is_nobodys(day: Day) -> None:
    day.drop(None, "b0", 3_000)
    day.run(60_000)
    day.platforms["b0"].drift_g += 8
    day.run(30_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 500)
    day.run(6_000)
    credited, _ = day.books.credited_g()[ANN, "b0"]
    assert abs(credited - 500) <= 4
    assert any(u.cause == "drift" for u in day.books.unattributed)


def test_nothing_is_beeped_or_believed_before_the_commit(day: Day) -> None:
    card = CardSeen(day.t_ms, ANN, "qr", True)
    now = Moment(day.t_ms, day.t_ms, "synced", day.days)
    (record,) = day.station.handle(card, now)
    assert isinstance(record, Record) and isinstance(record.items[0].draft, Checkin)
    assert day.station.view().phase == "waiting"
    effects = day.station.recorded(record.items, (9,))
    assert effects == [Beep("seen")] and day.station.view().phase == "greeting"


def test_a_full_disk_loses_no_weight_and_greets_nobody(day: Day) -> None:
    station, refused = day.station, 0
    day.drop(None, "b0", 800)
    for _ in range(80):
        day.t_ms += 100
        now = Moment(day.t_ms, day.t_ms, "synced", day.days)
        counts = day.platforms["b0"].counts(day.t_ms)
        for event in (CountsBlock("b0", (day.t_ms,), (counts,)), Tick(day.t_ms)):
            for effect in station.handle(event, now):
                if isinstance(effect, Record):
                    refused += 1
                    assert station.failed(effect.items) == [Beep("trouble")]
    assert 2 <= refused <= 10, "tried again each second, not at each sample"
    assert station.view().storage_trouble and station.view().phase != "recorded"
    day.run(2_000)
    assert nets(day) == [(None, 800)]
    assert not station.view().storage_trouble


def test_after_a_greeting_that_failed_the_screen_does_not_complain_for_ever(day: Day) -> None:
    card = CardSeen(day.t_ms, ANN, "qr", True)
    now = Moment(day.t_ms, day.t_ms, "synced", day.days)
    (record,) = day.station.handle(card, now)
    assert isinstance(record, Record)
    assert day.station.failed(record.items) == [Beep("trouble")]
    day.run(3_000)
    assert day.station.view().storage_trouble, "whoever showed the card can read why"
    day.run(4_000)
    assert not day.station.view().storage_trouble
    day.card(ANN)
    assert day.station.view().phase == "greeting"


def test_an_indicator_that_zeroed_itself_asks_and_the_bin_goes_on_without_its_scale() -> None:
    day = Day(4)
    day.run(4_000)
    day.drop(None, "b0", 5_000)
    day.run(60_000)
    first, *others = day.rules.bins
    assert first.scale is not None
    scale = replace(first.scale, zeroes_itself=True)
    day.rules = replace(day.rules, bins=(replace(first, scale=scale), *others))
    day.platforms["b0"].drift_g = -5_000
    day.power_cut(3_600_000)
    assert day.station.view().bins[0].state == "question"
    day.post(Touch(day.t_ms, "indicator_zeroed", "b0"))
    assert causes(day) == ["indicator_zeroed"]
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 400)
    day.run(6_000)
    assert nets(day)[-1] == (ANN, 400)


def without_a_scale(day: Day, bin_id: str) -> None:
    """The hall did not buy a scale for this bin."""
    bins = tuple(replace(b, scale=None) if b.bin == bin_id else b for b in day.rules.bins)
    day.rules = replace(day.rules, bins=bins)
    day.restart()
    day.run(4_000)


def test_a_full_bin_without_a_scale_is_full_for_everyone_until_its_bag_is_changed(
    day: Day,
) -> None:
    without_a_scale(day, "b0")
    assert day.station.view().bins[0].state == "no_scale"
    day.post(Touch(day.t_ms, "full", "b0"))
    day.run(60_000)
    day.card(ANN)
    day.run(1_000)
    day.post(Touch(day.t_ms, "count", "b0"))
    assert day.station.view().phase == "thanks", "into the overflow bag: counted all the same"
    seen = day.station.view().bins[0]
    assert seen.state == "full" and seen.counted
    day.post(Touch(day.t_ms, "bag_swap", "b0"))
    assert len(day.books.swaps) == 1
    seen = day.station.view().bins[0]
    assert seen.state == "no_scale" and seen.counted


def test_a_bin_whose_scale_broke_over_a_full_bag_stays_full_until_the_bag_is_changed() -> None:
    day = Day(5)
    day.rules = replace(
        day.rules, bins=tuple(replace(b, bag_limit_g=5_000) for b in day.rules.bins)
    )
    day.restart()
    day.run(4_000)
    day.drop(None, "b0", 5_200)
    day.run(60_000)
    assert day.station.view().bins[0].state == "full"
    day.post(Touch(day.t_ms, "scale_broken", "b0"))
    assert day.station.view().bins[0].state == "full"
    day.post(Touch(day.t_ms, "bag_swap", "b0"))
    assert day.station.view().bins[0].state == "no_scale"


def test_visit_close_is_the_last_word_of_a_visit(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 500)
    day.run(40_000)
    (visit,) = day.books.visits
    assert day.books.closed == {visit}, "and Books refuses any entry after it"

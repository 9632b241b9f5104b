"""Stories of weights: zero, bags, overload, pours, strings, adjustments; told in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hw_sim.days import COUNTS_PER_GRAM, Day

from kiosk.core.adjusted import Adjusted, slope_ncounts
from kiosk.core.effects import Answered
from kiosk.core.events import (
    DeviceBack,
    DeviceLost,
    IndicatorReading,
    ScaleAdjusted,
    ServiceAsked,
    Touch,
    ZeroAsked,
)

ANN, BOB = b"a" * 16, b"b" * 16


@pytest.fixture
def day() -> Day:
    day = Day(1)
    day.run(4_000)
    return day


def causes(day: Day, least_g: int = 20) -> list[str]:
    return [u.cause for u in day.books.unattributed if abs(u.net_g or 0) > least_g]


def credited_g(day: Day, person: bytes = ANN, bin_id: str = "b0") -> int:
    return day.books.credited_g()[person, bin_id][0]


def points(day: Day, person: bytes = ANN) -> int:
    visits = day.books.visits
    return sum(w.points for w in day.books.weighings if visits.get(w.visit or "") == person)


def asked(day: Day, event: Callable[[str], object]) -> Answered:
    """What the rules answer to a caretaker."""
    day.answers.clear()
    day.post(event("r1"))  # type: ignore[arg-type]
    (answer,) = day.answers
    assert answer.request == "r1"
    return answer


def zero(day: Day, bin_id: str = "b0") -> Answered:
    return asked(day, lambda request: ZeroAsked(day.t_ms, bin_id, request))


def line(counts_per_gram: float, zero_counts: int = 0) -> Adjusted:
    return Adjusted(slope_ncounts_per_g=slope_ncounts(counts_per_gram), zero_counts=zero_counts)


# -- zero ---------------------------------------------------------------------------------------


def test_a_caretaker_sets_the_zero_of_an_empty_bin(day: Day) -> None:
    day.drop(None, "b0", 60)  # a heavier container
    day.run(60_000)
    assert zero(day).code == "done"
    assert day.books.gross_g["b0"] == day.books.empty_g["b0"] == pytest.approx(60, abs=3)
    (moved,) = [u for u in day.books.unattributed if u.cause == "zero"]
    assert moved.net_g == pytest.approx(60, abs=3)


def test_zero_is_not_set_while_something_moves_or_somebody_is_there(day: Day) -> None:
    day.platforms["b0"].move(day.t_ms, 0)
    day.run(800)
    assert zero(day).code == "moving"
    day.run(8_000)
    day.card(ANN)
    assert zero(day).code == "visit_open"
    assert day.books.unattributed == []
    assert zero(day, "b9").code == "no_scale"


def test_a_bin_that_never_comes_back_to_its_empty_weight_is_helped_by_a_zero(day: Day) -> None:
    day.drop(None, "b0", 900)
    day.run(60_000)
    day.drop(None, "b0", -900 - 700)  # back from the wash with a lighter container
    day.run(6_000)
    assert day.station.view().bins[0].state == "away"
    assert zero(day).code == "done"
    assert day.station.view().bins[0].state == "ready"
    day.run(4_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 300)
    day.run(5_000)
    assert credited_g(day) == pytest.approx(300, abs=4)


def test_the_zero_of_an_empty_bin_follows_its_scale_and_is_in_the_books(day: Day) -> None:
    for _ in range(60):
        day.platforms["b0"].drift_g += 2.5
        day.quiet(15 * 60_000)
        day.run(40_000)
    assert day.books.gross_g["b0"] == pytest.approx(150, abs=12)
    assert day.books.empty_g["b0"] == pytest.approx(150, abs=12), "or a bag change would be missed"
    assert {u.cause for u in day.books.unattributed if u.bin == "b0"} == {"zero"}


# -- bags ---------------------------------------------------------------------------------------


def test_a_new_bags_weight_is_its_tare_and_no_drop(day: Day) -> None:
    day.drop(None, "b0", 6_000)
    day.run(60_000)
    day.drop(None, "b0", -6_050)  # with the old bag, which weighs 50 g
    day.run(9_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(None, "b0", 80)  # the new one weighs 80 g, hung up while Ann stands there
    day.run(5_000)
    day.drop(ANN, "b0", 400)
    day.run(60_000)
    assert len(day.books.swaps) == 1
    assert credited_g(day) == pytest.approx(400, abs=4)
    day.check()


def test_a_small_drop_into_a_new_bag_is_a_drop(day: Day) -> None:
    day.drop(None, "b0", 6_000)
    day.run(60_000)
    day.drop(None, "b0", -6_000)
    day.run(9_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 60)
    day.run(60_000)
    assert credited_g(day) == pytest.approx(60, abs=4)
    day.check()


def test_after_a_year_of_bags_the_empty_weight_is_still_the_bins(day: Day) -> None:
    for _ in range(12):
        day.drop(None, "b0", 5_000)
        day.run(40_000)
        day.platforms["b0"].drift_g += 30
        for _ in range(5):
            day.quiet(900_000)
        day.run(30_000)
        day.change_bag("b0")
        day.run(40_000)
    assert len(day.books.swaps) == 12
    assert abs(day.books.gross_g["b0"] - day.books.empty_g["b0"]) <= 25


def test_a_bag_change_in_a_visit_loses_nothing(day: Day) -> None:
    day.drop(None, "b0", 5_000)
    day.run(60_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 500)
    day.run(5_000)
    day.drop(None, "b0", -5_500)
    day.run(6_000)
    day.drop(ANN, "b0", 300)
    day.run(60_000)
    (swap,) = day.books.swaps
    assert swap.net_g == pytest.approx(5_500, abs=5)
    assert credited_g(day) == pytest.approx(800, abs=6)
    assert points(day, ANN) in (7, 8)
    day.check()


# -- overload -----------------------------------------------------------------------------------


def test_above_max_and_nine_divisions_nothing_is_stored_until_less_lies_there(day: Day) -> None:
    day.platforms["b0"].load_g = 59_500
    day.run(8_000)
    entries = day.books.seq
    day.drop(ANN, "b0", 1_000)
    day.run(8_000)
    assert day.station.view().bins[0].state == "overload"
    assert day.books.seq == entries
    day.drop(ANN, "b0", -1_000)
    day.run(8_000)
    assert day.station.view().bins[0].state == "ready"
    day.drop(None, "b0", 100)
    day.run(9_000)
    assert [w.net_g for w in day.books.weighings[1:]] == [pytest.approx(100, abs=4)]
    day.check()


def test_who_takes_out_again_what_was_too_much_keeps_the_rest(day: Day) -> None:
    day.platforms["b0"].load_g = 59_000
    day.run(60_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 2_000)
    day.run(5_000)
    assert day.station.view().bins[0].state == "overload"
    day.drop(ANN, "b0", -1_200)
    day.run(60_000)
    assert credited_g(day) == pytest.approx(800, abs=6)
    day.check()


def test_a_bag_changed_under_overload_is_a_bag_change(day: Day) -> None:
    day.platforms["b0"].load_g = 59_500
    day.run(60_000)
    day.drop(None, "b0", 2_000)
    day.run(8_000)
    day.drop(None, "b0", -61_500)
    day.run(8_000)
    assert day.station.view().bins[0].state == "ready"
    assert len(day.books.swaps) == 1
    day.check()


def test_an_indicator_that_says_overload_stores_nothing() -> None:
    day = Day(2)
    scale = day.rules.bins[0].scale
    assert scale is not None
    day.rules = replace(
        day.rules,
        bins=(
            replace(day.rules.bins[0], scale=replace(scale, counts_per_gram=None)),
            *day.rules.bins[1:],
        ),
    )
    day.restart()
    for status, gross_mg in (("stable", 0), ("overload", None), ("stable", 0)):
        for _ in range(30):
            day.t_ms += 100
            day.post(IndicatorReading("b0", day.t_ms, status, gross_mg))  # type: ignore[arg-type]
        seen = day.station.view().bins[0].state
        assert seen == ("overload" if status == "overload" else "ready")
    assert day.books.weighings == [] and causes(day, 0) == []


# -- small and slow -----------------------------------------------------------------------------


def pour(day: Day, bin_id: str, grams: float, seconds: int) -> None:
    """Evenly, with no hand on the bin."""
    platform = day.platforms[bin_id]
    day.true_g[bin_id] += grams
    for _ in range(seconds * 10):
        platform.load_g += grams / seconds / 10
        day.run(100)


def test_oil_poured_slowly_in_a_visit_is_a_drop(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    pour(day, "b0", 60, 200)
    day.dropped_g[ANN, "b0"] += 60
    day.run(60_000)
    assert 38 <= credited_g(day) <= 62, "but for a remainder below min_increment_g"


def test_letters_dropped_one_by_one_count_with_the_parcel_after_them(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    pour(day, "b0", 12, 30)
    day.drop(ANN, "b0", 300)
    day.dropped_g[ANN, "b0"] += 12
    day.run(60_000)
    assert credited_g(day) == pytest.approx(312, abs=5)


def test_what_drips_in_while_nobody_is_there_is_no_zero(day: Day) -> None:
    for _ in range(8):
        pour(day, "b0", 15, 60)
        day.run(60_000)
    day.run(600_000)
    assert day.books.gross_g["b0"] == pytest.approx(120, abs=12)
    assert day.books.gross_g["b0"] - day.books.empty_g["b0"] >= 60, "most of it lies in the bin"


# -- a bottle on a string -----------------------------------------------------------------------


def test_a_bottle_on_a_string_earns_nothing_in_one_visit(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    for _ in range(5):
        day.drop(ANN, "b0", 800)
        day.run(5_000)
        day.drop(ANN, "b0", -800)
        day.run(5_000)
    assert abs(credited_g(day)) <= 5
    assert points(day) == 0


@pytest.mark.parametrize("crowd", ["one_by_one", "together"])
@pytest.mark.parametrize("held_g", [0, 3_000])
def test_a_bottle_on_a_string_earns_nothing_over_many_visits(crowd: str, held_g: int) -> None:
    day = Day(3, crowd=crowd)  # type: ignore[arg-type]
    day.platforms["b0"].load_g = held_g
    day.run(6_000)
    for _ in range(4):
        day.card(ANN)
        day.run(3_000)
        day.drop(ANN, "b0", 800)
        day.run(5_000)
        day.run(40_000)  # Ann's visit is over
        day.drop(None, "b0", -800)
        day.run(8_000)
    credited = sum(w.net_g for w in day.books.weighings)
    assert credited == pytest.approx(800, abs=5), "once it lay there; then it only came back"


def test_another_card_drops_as_ever_where_somebody_took_something_out(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 800)
    day.run(60_000)
    day.drop(None, "b0", -300)
    day.run(8_000)
    day.card(BOB)
    day.run(3_000)
    day.drop(BOB, "b0", 300)
    day.run(5_000)
    assert credited_g(day, BOB) == pytest.approx(300, abs=4)


def test_a_visit_that_goes_on_takes_out_what_it_put_in(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 900)
    day.run(60_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", -900)
    day.run(60_000)
    assert day.books.swaps == [], "not a bag: her own"
    assert points(day) == 0 and abs(credited_g(day)) <= 4


# -- adjustments --------------------------------------------------------------------------------


def adjust(day: Day, adjusted: Adjusted, *, empty_g: int | None = 0) -> Answered:
    return asked(
        day,
        lambda request: ScaleAdjusted(day.t_ms, "b0", request, "two_points", adjusted, empty_g),
    )


def test_an_adjustment_under_load_is_in_the_books_and_nobodys(day: Day) -> None:
    day.drop(None, "b0", 10_000)
    day.run(60_000)
    answer = adjust(day, line(COUNTS_PER_GRAM / 1.01))
    assert (answer.code, answer.number) == ("done", 1)
    (step,) = [u for u in day.books.unattributed if u.cause == "adjustment"]
    assert step.net_g == pytest.approx(100, abs=3)
    day.run(5_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(None, "b0", 500)
    day.run(5_000)
    assert credited_g(day) == pytest.approx(505, abs=4)
    assert day.books.weighings[-1].adjustment == 1


def test_a_line_without_a_new_zero_carries_the_empty_weight_over(day: Day) -> None:
    day.drop(None, "b0", 1_000)
    day.run(60_000)
    assert zero(day).code == "done"
    assert adjust(day, line(COUNTS_PER_GRAM * 2), empty_g=None).code == "done"
    assert day.books.empty_g["b0"] == pytest.approx(500, abs=3)


def test_adjusting_is_done_in_service_where_weights_are_nobodys(day: Day) -> None:
    day.drop(None, "b0", 2_000)
    day.run(60_000)

    def service(begin: bool) -> Answered:
        return asked(day, lambda request: ServiceAsked(day.t_ms, "b0", request, begin))

    weighings = len(day.books.weighings)
    assert service(True).code == "done"
    assert day.station.view().bins[0].state == "away"
    day.drop(None, "b0", 5_000)
    day.run(6_000)
    assert day.station.bins["b0"].level_g == pytest.approx(7_000, abs=4)
    assert zero(day).code == "in_service"
    day.drop(None, "b0", -5_000)
    day.run(6_000)
    assert adjust(day, line(COUNTS_PER_GRAM)).code == "done"
    day.run(5_000)
    assert day.station.view().bins[0].state == "ready"
    assert len(day.books.weighings) == weighings and "removal" not in causes(day)
    day.check()


def test_a_service_that_is_called_off_changes_nothing(day: Day) -> None:
    day.drop(None, "b0", 2_000)
    day.run(60_000)
    asked(day, lambda request: ServiceAsked(day.t_ms, "b0", request, True))
    day.drop(None, "b0", 5_000)
    day.run(6_000)
    day.drop(None, "b0", -5_000)
    day.run(6_000)
    asked(day, lambda request: ServiceAsked(day.t_ms, "b0", request, False))
    day.run(5_000)
    assert causes(day) == [] and day.books.adjustments == []
    assert day.station.view().bins[0].state == "ready"


def test_a_scale_that_is_lost_in_service_weighs_again_when_it_is_back(day: Day) -> None:
    asked(day, lambda request: ServiceAsked(day.t_ms, "b0", request, True))
    again = asked(day, lambda request: ServiceAsked(day.t_ms, "b0", request, True))
    assert again.code == "in_service", "one pair of hands at a time"
    day.post(DeviceLost("scale:b0", day.t_ms, "hx711_silent", ""))
    over = asked(day, lambda request: ServiceAsked(day.t_ms, "b0", request, False))
    assert over.code == "done"
    day.post(DeviceBack("scale:b0", day.t_ms))
    day.run(10_000)
    day.drop(None, "b0", 1_500)
    day.run(6_000)
    assert [round(w.net_g, -1) for w in day.books.weighings] == [1_500]


def test_an_adjustment_goes_on_after_a_restart_and_its_number_never_back(day: Day) -> None:
    day.drop(None, "b0", 10_000)
    day.run(60_000)
    adjust(day, line(COUNTS_PER_GRAM / 1.01))
    day.run(5_000)
    day.restart()
    day.run(5_000)
    assert causes(day)[-1] == "adjustment", "the restart found what it had left"
    assert adjust(day, line(COUNTS_PER_GRAM)).number == 2


def test_a_line_written_into_the_settings_is_entered_at_the_next_start(day: Day) -> None:
    day.drop(None, "b0", 10_000)
    day.run(60_000)
    first, *others = day.rules.bins
    assert first.scale is not None
    scale = replace(first.scale, counts_per_gram=COUNTS_PER_GRAM / 1.02, adjustment=5)
    day.rules = replace(day.rules, bins=(replace(first, scale=scale), *others))
    day.restart()
    day.run(6_000)
    assert causes(day)[-1] == "adjustment"
    assert (day.books.adjustments[-1].number, day.books.adjustments[-1].method) == (5, "settings")
    assert day.books.gross_g["b0"] == pytest.approx(10_200, abs=4)
    assert adjust(day, line(COUNTS_PER_GRAM)).number == 6


@pytest.mark.parametrize(
    "adjusted",
    [Adjusted(), line(0.0), line(COUNTS_PER_GRAM, 1 << 23), line(1e6)],
)
def test_a_line_that_no_scale_can_have_is_refused(day: Day, adjusted: Adjusted) -> None:
    assert adjust(day, adjusted).code == "impossible"
    assert day.books.adjustments == []


def test_no_adjustment_while_it_moves_or_somebody_is_there(day: Day) -> None:
    day.platforms["b0"].move(day.t_ms, 0)
    day.run(800)
    assert adjust(day, line(COUNTS_PER_GRAM)).code == "moving"
    day.run(6_000)
    day.card(ANN)
    assert adjust(day, line(COUNTS_PER_GRAM)).code == "visit_open"


# -- disturbances -------------------------------------------------------------------------------


def test_who_leans_on_a_bin_drops_nothing(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 300)
    day.run(5_000)
    for _ in range(12):  # an elbow, never quite still
        day.platforms["b0"].move(day.t_ms, 0)
        day.run(600)
    day.run(40_000)
    assert credited_g(day) == pytest.approx(300, abs=4)
    assert causes(day) == []


def test_a_scale_that_was_unplugged_comes_back_cold_and_says_so(day: Day) -> None:
    day.t_ms += 3_600_000
    day.run(4_000)

    def uncertainty_g() -> int:
        day.drop(None, "b0", 500)
        day.run(40_000)
        return day.books.weighings[-1].uncertainty_g

    warm_g = uncertainty_g()
    day.post(DeviceLost("scale:b0", day.t_ms, "scale_missing", "no answer"))
    day.t_ms += 30_000
    day.post(DeviceBack("scale:b0", day.t_ms))
    day.run(4_000)
    cold_g = uncertainty_g()
    day.t_ms += 3_600_000
    day.run(4_000)
    assert cold_g >= warm_g + 2 and uncertainty_g() <= warm_g + 1


def test_a_bin_out_of_order_does_not_answer_to_a_zero(day: Day) -> None:
    day.post(Touch(day.t_ms, "scale_broken", "b0"))
    assert zero(day).code == "no_scale"

"""A caretaker's day before a real station: every task by touch on the page, and what the ledger holds.

Nothing is told to the station but by fingers, cards and what lies in the bins.
"""

from __future__ import annotations

import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from corner_site import WRONG, CareHall, Caretaker, care
from field_station import FieldStation
from journey_site import NUMBER, Panel, panel, said

from drivers.scanner import REPEAT_MS

BOTTLE_G = 2_031
AWAY_S = REPEAT_MS / 1000
"""A card that was not seen for so long is shown anew."""
FOREIGN = "not a card of this town"


@pytest.fixture(scope="module")
def hall() -> Iterator[CareHall]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosk") as folder,
        CareHall(Path(folder)) as made,
    ):
        made.start()
        made.set_number()
        made.until_ready("b1", "b2")
        yield made


@pytest.fixture(scope="module")
def screen(hall: CareHall) -> Iterator[Panel]:
    with panel(hall) as opened:
        yield opened


@pytest.fixture(scope="module")
def hands(screen: Panel) -> Caretaker:
    return Caretaker(screen)


@pytest.fixture(scope="module")
def card(hall: CareHall, screen: Panel) -> str:
    """A caretaker's."""
    (made,) = hall.cards()
    hall.appoint(screen, made)
    hall.rest()
    time.sleep(AWAY_S)
    return made


@pytest.fixture
def inside(hall: CareHall, hands: Caretaker) -> Iterator[Caretaker]:
    hall.left()
    hands.come()
    yield hands
    hands.leave()


@pytest.mark.usefixtures("card")
def test_a_wrong_number_is_told_and_the_right_one_opens(
    hall: CareHall, screen: Panel, hands: Caretaker
) -> None:
    hall.left()
    screen.shows("waiting")
    hands.touch("open", "by_number")
    hands.enter(WRONG)
    hands.sees("pad_title", "why_number_wrong")
    hands.enter(NUMBER)
    hands.sees("home_title")
    hands.leave()
    screen.shows("waiting", said("waiting"))


def test_a_caretakers_card_opens_after_a_touch_and_another_is_refused(
    hall: CareHall, screen: Panel, hands: Caretaker, card: str
) -> None:
    hall.left()
    screen.shows("waiting")
    hall.show(card)
    screen.saw("greeting", said("greeting"))
    assert hall.view()["corner"] == "closed", "a bare card says: I am here"
    hall.rest()
    checkins = hall.entries("checkin")
    hands.touch("open")
    hands.sees("gate_title", "gate")
    hall.show(FOREIGN)
    hands.sees("gate_title", "gate_refused")
    hall.show(card)
    hands.sees("home_title")
    assert hall.entries("checkin") == checkins, "it was no check-in"
    hands.leave()
    (known,) = hall.kiosk("caretaker", "list", "--json")["cards"]
    hall.kiosk("caretaker", "remove", f"{known['number']}", "--json")
    hands.touch("open")
    hands.sees("gate_title", "gate")
    time.sleep(AWAY_S)
    hall.show(card)
    screen.saw("greeting", said("greeting"))
    assert hall.view()["corner"] == "closed", "a removed card is anybody's"


def test_the_doctor_leads_to_the_scale_that_is_gone_and_the_bin_goes_on_by_count(
    hall: CareHall, screen: Panel, inside: Caretaker
) -> None:
    hall.unplug_indicator()
    hall.until_trouble("b2")
    inside.touch("home_doctor")
    while care("doctor_go") not in inside.sees("home_doctor", "doctor_step"):
        inside.touch("next")
    inside.reads("スチール缶", care("doctor_err"))
    inside.touch("doctor_go")
    inside.sees("home_broken", "broken_ask")
    inside.touch("broken_touch")
    inside.sees("done")
    assert hall.bin("b2")["broken"] and hall.bin("b2")["counted"]
    inside.leave()
    counted = len(hall.entries("item_count"))
    screen.touch_bin(2)
    screen.touch(said("count"))
    (entry,) = hall.until_written(counted + 1, "item_count")[counted:]
    assert (entry["bin"], entry["count"]) == ("b2", 1)
    hall.plug_indicator()
    hall.left()
    inside.come()
    inside.touch("home_broken")
    inside.sees("choose_bin", "no_scale")
    inside.choose(2)
    inside.sees("mended_ask")
    inside.touch("mended_touch")
    inside.sees("done")
    hall.until_ready("b2")
    inside.touch("back")
    inside.sees("home_title")


def test_a_resident_is_served_in_the_middle_of_a_bag_change_and_its_weight_is_told(
    hall: CareHall, screen: Panel, inside: Caretaker
) -> None:
    inside.touch("home_bag")
    inside.choose(2)
    inside.sees("bag_1", "bag_2", "bag_3")
    (resident,) = hall.cards()
    hall.show(resident)
    screen.saw("greeting", said("greeting"), care("return"))
    hall.lay(4_260)
    screen.saw("recorded", "4.26kg", care("return"))
    screen.touch(said("goodbye"))
    screen.saw("thanks", "4.3kg")
    screen.touch(care("return"))
    inside.sees("bag_1", "bag_2", "bag_3")
    hall.left()
    swaps = len(hall.entries("bag_swap"))
    inside.touch("bag_done")
    inside.sees("bag_seeing")
    hall.lay(0)
    inside.reads("4.26kg", care("bag_weight"))
    inside.touch("back")
    inside.choose(3)
    inside.sees("bag_1")
    inside.touch("bag_done")
    inside.sees("bag_noted")
    weighed, other = hall.until_written(swaps + 2, "bag_swap")[swaps:]
    assert (weighed["bin"], weighed["net_g"]) == ("b2", 4_260)
    assert (other["bin"], other["net_g"]) == ("b3", None)


def test_cleaning_a_notice_and_closing_are_on_the_residents_page_until_they_end(
    hall: CareHall, screen: Panel, hands: Caretaker
) -> None:
    orders = len(hall.entries("command"))
    hall.left()
    hands.come()
    hands.touch("home_clean")
    hands.choose(2)
    hands.sees("clean_begin")
    hands.touch("clean_touch")
    hands.sees("done")
    hands.home()
    hands.touch("home_notice")
    hands.sees("notice_title")
    hands.row(care("sentence_rinse"))
    hands.sees("notice_days", "sentence_rinse")
    hands.touch("notice_today")
    hands.sees("done")
    hands.leave()
    screen.shows("waiting", care("sentence_rinse"), said("locked_short"))
    screen.touch_bin(2)
    screen.shows("opened-bin", said("locked"))
    screen.touch(said("back"))

    hands.come()
    hands.touch("home_clean")
    hands.sees("cleaning")
    hands.choose(2)
    hands.sees("clean_end")
    hands.touch("clean_over")
    hands.sees("done")
    hands.home()
    hands.touch("home_notice")
    hands.sees("notice_now", "sentence_rinse")
    hands.touch("notice_down")
    hands.sees("done")
    hands.home()
    hands.touch("home_close")
    hands.row(care("reason_repair"))
    hands.sees("done")
    hands.leave()
    screen.shows("closed", said("closed"), care("reason_repair"), "000-000-0000")

    hands.come("closed")
    hands.touch("home_close")
    hands.sees("open_ask")
    hands.touch("open_touch")
    hands.sees("done")
    hands.leave()
    text = screen.shows("waiting", said("waiting"))
    assert care("sentence_rinse") not in text and said("locked_short") not in text
    assert hall.kiosk("message", "あすは 祭りです", "--json")["code"] == "done"
    screen.shows("waiting", "あすは 祭りです")
    hall.kiosk("message", "--clear", "--json")
    done = hall.entries("command")[orders:]
    assert {one["by"] for one in done} == {"caretaker"}
    assert [one["order"]["op"] for one in done] == [
        *("lock_bin", "message", "unlock_bin", "message", "close", "open", "message", "message")
    ]


def test_a_bottle_of_water_adjusts_a_scale_and_only_the_last_touch_counts(
    hall: CareHall, inside: Caretaker
) -> None:
    inside.touch("home_adjust")
    inside.sees("choose_bin")
    assert inside.screen.page.locator("#corner .tiles button").count() == 1, "one bin on load cells"
    for grams in ("210", f"{BOTTLE_G}"):
        inside.choose(1)
        inside.sees("adjust_bottle")
        inside.touch("next")
        inside.sees("adjust_grams")
        inside.type(grams)
        inside.reads(f"{grams}g")
        inside.touch("next")
        inside.sees("adjust_empty")
        inside.touch("adjust_is_empty")
        if grams == "210":
            inside.sees("why_light")
            inside.home()
            inside.touch("home_adjust")
    for placement in ("step_load", "step_again"):
        inside.sees(placement)
        assert hall.bin("b1")["state"] == "away"
        hall.load(BOTTLE_G)
        inside.sees("step_unload")
        hall.load(0)
    inside.reads("+3.0%", care("adjust_keep"))
    assert hall.entries("adjustment") == []
    inside.touch("adjust_keep")
    inside.sees("adjust_kept")
    (entry,) = hall.entries("adjustment")
    assert (entry["bin"], entry["method"]) == ("b1", "two_points")
    inside.home()
    hall.until_ready("b1")


def test_lost_new_and_found_cards_are_seen_to_by_showing_them(
    hall: CareHall, screen: Panel, inside: Caretaker
) -> None:
    lost, found = FieldStation.cards(hall, "--count", "2")
    spare, handed_out = hall.cards("--spare", "--count", "2")
    written = len(hall.entries("card_closed", "card_joined", "card_begun"))
    inside.touch("home_card")
    inside.sees("card_title")
    inside.row(care("card_slip"))
    inside.sees("card_step_slip")
    hall.show(lost["recovery"])
    inside.sees("card_step_card")
    hall.show(spare)
    inside.sees("card_replaced")
    inside.touch("back", "home_card")
    inside.row(care("card_no_slip"))
    inside.sees("card_step_card")
    hall.show(handed_out)
    inside.sees("card_begun")
    inside.touch("back", "home_card")
    inside.row(care("card_found"))
    inside.sees("card_step_any")
    assert inside.asks_station("corner_card", work="begin") == [409, "corner_busy"]
    hall.show(found["token"])
    inside.sees("card_closed")
    inside.touch("back", "home_card")
    inside.row(care("card_found"))
    inside.sees("card_step_any")
    hall.show(lost["token"])
    inside.sees("why_spent")
    inside.touch("back")
    done = hall.entries("card_closed", "card_joined", "card_begun")[written:]
    assert [one["kind"] for one in done] == [
        *("card_closed", "card_joined", "card_begun", "card_closed")
    ]
    assert [one["reason"] for one in done if one["kind"] == "card_closed"] == ["replaced", "lost"]
    hall.rest()
    hall.show(found["token"])
    screen.saw("refused", said("refused"))
    inside.touch("return", "home_card")
    inside.row(care("card_found"))
    inside.sees("card_step_any")
    inside.touch("stop")
    hall.until_shown("awaiting", None)
    closed = hall.entries("card_closed")
    hall.show(hall.cards()[0])
    screen.saw("greeting", said("greeting"))
    assert hall.entries("card_closed") == closed, "it was no wish any more"
    inside.touch("return")


def test_help_ends_with_a_telephone_and_what_no_page_offers_is_refused(inside: Caretaker) -> None:
    for action, fields, why in (
        ("adjust", {"bin": "b2", "grams": 2000, "empty": True}, "indicator_adjusts_itself"),
        ("adjust", {"bin": "b3", "grams": 2000, "empty": True}, "bin_without_scale"),
        ("notice", {"sentence": "open"}, "no_such_sentence"),
        ("bin", {"bin": "b9", "what": "lock"}, "no_such_bin"),
    ):
        assert inside.asks_station(f"corner_{action}", **fields) == [409, why]
    inside.touch("home_help")
    for number in (1, 2, 3, 4):
        inside.sees(f"help_{number}")
        inside.touch("next")
    inside.reads("5/5", "000-000-0000")
    inside.touch("back")
    inside.sees("help_4")


def test_left_in_the_middle_of_an_adjustment_it_closes_by_itself_and_nothing_is_kept(
    hall: CareHall, screen: Panel, hands: Caretaker
) -> None:
    adjusted = hall.entries("adjustment")
    hall.left()
    hands.come()
    hands.touch("home_adjust")
    hands.choose(1)
    hands.touch("next")
    hands.type(f"{BOTTLE_G}")
    hands.touch("next", "adjust_is_empty")
    hands.sees("step_load")
    hall.sleep()
    screen.shows("waiting")
    hall.until_ready("b1", "b2")
    assert hall.entries("adjustment") == adjusted
    screen.shows("waiting", said("waiting"))
    hands.come()
    hands.leave()


def test_nothing_is_done_from_a_corner_that_is_not_open(hall: CareHall, hands: Caretaker) -> None:
    written = hall.entries("command", "adjustment", "card_begun")
    for action, fields in (
        ("corner_bin", {"bin": "b1", "what": "scale_broken"}),
        ("corner_bin", {"bin": "b1", "what": "lock"}),
        ("corner_close", {}),
        ("corner_notice", {"sentence": "sentence_rinse"}),
        ("corner_adjust", {"bin": "b1", "grams": 2000, "empty": True}),
        ("corner_card", {"work": "begin"}),
        ("corner_class", {"teams": 2}),
        ("corner_doctor", {}),
        ("corner_touch", {}),
    ):
        assert hands.asks_station(action, **fields) == [409, "corner_closed"], action
    assert hall.entries("command", "adjustment", "card_begun") == written
    assert not hall.bin("b1")["broken"]


def test_wrong_numbers_are_slowed_and_the_right_one_is_found_nowhere(
    hall: CareHall, screen: Panel, hands: Caretaker
) -> None:
    hall.left()
    screen.shows("waiting")
    hands.touch("open", "by_number")
    for tried in range(5):
        hands.enter(WRONG)
        hands.sees("why_number_wrong" if tried < 4 else "why_number_paused")
    hands.enter(NUMBER)
    hands.sees("why_number_paused")
    for file in hall.folder.rglob("*"):
        if file.is_file() and not file.name.startswith("bench.mem"):
            assert NUMBER.encode() not in file.read_bytes(), file
    for name in ("corner-number", "corner-tries"):
        (found,) = hall.folder.rglob(name)
        assert stat.S_IMODE(found.stat().st_mode) == 0o600
    hall.set_number()
    hands.enter(NUMBER)
    hands.sees("home_title")
    hands.leave()

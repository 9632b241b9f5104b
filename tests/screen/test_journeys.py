"""Each kind of resident before a real station whose residents take turns: what the page says, and what the
ledger holds afterwards."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from corner_site import Caretaker, care, plays
from journey_site import Hall, Panel, panel, said

HOSTILE = "<img src=x onerror=alert(1)>"
UNCERTAIN_S = 2.1
"""A change begun sooner than that after a second card is nobody's (design: it cannot be known whose)."""
LIMIT_G, BESIDE = 6_000, "横の棚の袋"
LIMIT = f'bag_limit_g = {LIMIT_G}\noverflow = "{BESIDE}"'
FULL_PIN = 18
SENSOR = f"full_pin = {FULL_PIN}\nfull_hold_s = 2"
HOUSEHOLD, NEIGHBOUR = "04a1b2c3d4e5f6", "04f6e5d4c3b2a1"


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosk") as folder,
        Hall(Path(folder), "one_by_one") as made,
    ):
        made.change_settings('item = "can-steel"', f'item = "can-steel"\n{LIMIT}')
        made.change_settings('item = "carton"', f'item = "carton"\n{SENSOR}')
        made.bench.drive(FULL_PIN, 1)
        made.start()
        made.set_number()
        made.until_ready("b1", "b2")
        yield made


@pytest.fixture(scope="module")
def screen(hall: Hall) -> Iterator[Panel]:
    with panel(hall) as opened:
        yield opened


def test_a_resident_drops_at_two_bins_is_thanked_and_goes(hall: Hall, screen: Panel) -> None:
    (card,) = hall.cards()
    written = len(hall.entries("weighing"))
    hall.show(card)
    screen.saw("greeting", said("greeting"))
    hall.drop("b1", 420)
    screen.saw("weighing", said("weighing"))
    screen.saw("recorded", said("recorded"), "0.42kg", said("estimate"))
    hall.drop("b2", 1240)
    screen.saw("recorded", "1.24kg")
    screen.touch(said("goodbye"))
    screen.saw("thanks", said("thanks"), "1.7kg", "ポイント")
    (checkin,) = hall.entries("checkin")
    drops = hall.until_written(written + 2, "weighing")[-2:]
    assert [one["visit"] for one in drops] == [checkin["visit"]] * 2
    assert [one["bin"] for one in drops] == ["b1", "b2"]
    (end,) = hall.until_written(1, "visit_close")
    assert end["visit"] == checkin["visit"]


def test_who_comes_for_the_first_time_without_a_card_just_puts_it_in(
    hall: Hall, screen: Panel
) -> None:
    hall.left()
    screen.saw("waiting", said("waiting"))
    checkins, written = len(hall.entries("checkin")), len(hall.entries("weighing"))
    hall.drop("b1", 640)
    screen.saw("weighing")
    screen.saw("recorded", "0.64kg", said("claim"))
    screen.touch(said("goodbye"))
    screen.saw("no_card", said("no_card"), "0.64kg")
    assert len(hall.entries("checkin")) == checkins
    assert hall.entries("weighing")[written]["visit"] is not None, "an anonymous visit of its own"


def test_a_drop_without_a_card_is_claimed_by_the_next_one(hall: Hall, screen: Panel) -> None:
    hall.left()
    hall.drop("b2", 300)
    screen.saw("recorded", "0.30kg")
    screen.touch(said("claim"))
    screen.saw("recorded", said("claiming"))
    hall.tap(HOUSEHOLD)
    hall.until(lambda: hall.entries("claim"), "nobody's drop became somebody's")
    screen.saw("thanks", "0.30kg")


def test_a_foreign_a_hostile_and_a_stopped_card_are_told_kindly(hall: Hall, screen: Panel) -> None:
    hall.left()
    (card,) = hall.cards()
    checkins = len(hall.entries("checkin"))
    hall.show(HOSTILE)
    text = screen.saw("refused", said("refused"), "000-000-0000")
    assert "onerror" not in text
    assert screen.page.locator("img").count() == 0
    with subprocess.Popen(
        [*hall.program, "card", "revoke", "--show", "--json", "--config", hall.settings],
        stdout=subprocess.PIPE,
    ) as asked:
        screen.shows("waiting", said("close_show"))
        hall.show(card)
        screen.saw("stopped", said("stopped"))
        asked.wait()
    hall.rest()
    hall.show(card)
    screen.saw("refused", said("refused"), "000-000-0000")
    assert len(hall.entries("checkin")) == checkins
    hall.drop("b1", 200)
    screen.saw("recorded", "0.20kg")
    screen.touch(said("goodbye"))


def test_a_light_thing_is_received_and_no_zero_is_ever_read(hall: Hall, screen: Panel) -> None:
    hall.left()
    (card,) = hall.cards()
    hall.show(card)
    screen.saw("greeting")
    hall.drop("b1", 12)
    text = screen.saw("small", said("small"))
    assert "0.01" not in text and "0kg" not in text
    hall.drop("b1", 88)
    screen.saw("recorded", "0.10kg")
    screen.touch(said("goodbye"))
    screen.saw("thanks")


def test_what_is_taken_out_again_is_no_blame(hall: Hall, screen: Panel) -> None:
    hall.left()
    (card,) = hall.cards()
    hall.show(card)
    screen.saw("greeting")
    hall.drop("b1", 800)
    screen.saw("recorded", "0.80kg")
    hall.drop("b1", -300)
    text = screen.saw("taken_out", said("taken_out"))
    assert "-" not in text and "−" not in text
    screen.touch(said("goodbye"))
    screen.saw("thanks", "0.50kg")
    assert [one["net_g"] for one in hall.entries("weighing")][-2:] == [800, -300]


def test_a_full_bin_sends_to_the_bag_beside_it_until_the_bag_is_changed(
    hall: Hall, screen: Panel
) -> None:
    hall.left()
    swaps = len(hall.entries("bag_swap"))
    screen.saw("waiting")
    screen.touch_bin(3)
    screen.touch(said("is_full"))
    screen.shows("waiting", said("full_short"))
    hall.until(lambda: hall.bin("b3")["state"] == "full", "nobody heard that it is full")
    screen.touch_bin(3)
    screen.shows("opened-bin", said("full"), said("call"))
    screen.touch(said("bag_swap"))
    screen.shows("opened-bag", said("bag_off"), said("bag_tie"), said("bag_on"))
    screen.touch(said("bag_done"))
    hall.until_written(swaps + 1, "bag_swap")
    hall.until(lambda: hall.bin("b3")["state"] == "no_scale", "it stayed full")


def test_a_bag_at_its_limit_sends_to_the_place_beside_it_until_it_is_changed(
    hall: Hall, screen: Panel
) -> None:
    hall.left()
    (card,) = hall.cards()
    swaps = len(hall.entries("bag_swap"))
    assert hall.indicator is not None
    hall.show(card)
    screen.saw("greeting")
    heavy_g = LIMIT_G + 400
    hall.drop("b2", heavy_g - hall.indicator.grams)
    screen.saw("recorded", said("full", overflow=BESIDE), "000-000-0000")
    screen.touch(said("goodbye"))
    screen.saw("thanks")
    screen.shows("waiting", said("full_short"))
    hall.left()
    screen.touch_bin(2)
    screen.shows("opened-bin", said("full", overflow=BESIDE))
    screen.touch(said("call"))
    screen.shows("opened-call", "000-000-0000")
    screen.touch(said("back"))
    screen.touch_bin(2)
    screen.touch(said("bag_swap"))
    screen.shows("opened-bag", said("bag_off"), said("bag_tie"), said("bag_on"))
    hall.indicator.grams = 0
    (swap,) = hall.until_written(swaps + 1, "bag_swap")[swaps:]
    assert (swap["bin"], swap["net_g"]) == ("b2", heavy_g)
    screen.shows("opened-bag", said("bag_on"))
    screen.touch(said("bag_done"))
    hall.rest()
    assert said("full_short") not in screen.shows("waiting", said("waiting"))


def test_a_bin_whose_sensor_sees_a_heap_is_full_until_it_sees_none(
    hall: Hall, screen: Panel
) -> None:
    hall.left()
    full = len(hall.entries("bin_full"))
    screen.shows("waiting", said("waiting"))
    hall.bench.drive(FULL_PIN, 0)
    screen.shows("waiting", said("full_short"))
    hall.bench.drive(FULL_PIN, 1)
    hall.until(lambda: hall.bin("b3")["state"] == "no_scale", "it stayed full")
    told = hall.until_written(full + 2, "bin_full")[full:]
    assert [(one["by"], one["full"]) for one in told] == [("sensor", True), ("sensor", False)]
    screen.lacks(said("full_short"))


def test_a_newcomer_makes_a_spare_card_her_own(hall: Hall, screen: Panel) -> None:
    hall.left()
    (card,) = hall.cards("--spare")
    hall.show(card)
    screen.saw("spare", said("spare"))
    hall.rest()
    screen.touch(said("begin"))
    screen.saw("waiting", said("begin_show"))
    hall.show(card)
    screen.saw("welcome", said("welcome"))
    (begun,) = hall.entries("card_begun")
    assert hall.entries("checkin")[-1]["seq"] == begun["seq"] + 1
    hall.drop("b1", 500)
    screen.saw("recorded", "0.50kg")
    screen.touch(said("goodbye"))
    screen.saw("thanks")


def test_whose_turn_it_is_stands_on_the_page_and_the_drops_are_theirs(
    hall: Hall, screen: Panel
) -> None:
    hall.left()
    written = len(hall.entries("weighing"))
    hall.tap(HOUSEHOLD)
    first = screen.saw("greeting", said("greeting"))
    hall.drop("b1", 700)
    screen.saw("recorded", "0.70kg", f"{first[0]}{said('turn')}")
    hall.tap(NEIGHBOUR)
    second = screen.saw("greeting", said("greeting"))
    time.sleep(UNCERTAIN_S)
    assert first[0].isdigit() and second[0].isdigit() and first[0] != second[0]
    hall.drop("b2", 900)
    screen.saw("recorded", "0.90kg", f"{second[0]}{said('turn')}")
    one, other = hall.until_written(written + 2, "weighing")[-2:]
    assert (one["net_g"], other["net_g"]) == (700, 900)
    assert one["visit"] != other["visit"] and None not in (one["visit"], other["visit"])
    screen.touch(said("goodbye"))


def test_english_lasts_for_the_visit_and_the_next_one_is_greeted_in_japanese(
    hall: Hall, screen: Panel
) -> None:
    hall.left()
    (card,) = hall.cards()
    screen.speak("en")
    hall.show(card)
    screen.saw("greeting", said("greeting", "en"), language="en")
    hall.drop("b2", 260)
    screen.saw("recorded", said("recorded", "en"), "0.26kg", language="en")
    screen.touch(said("goodbye", "en"))
    screen.saw("thanks", said("thanks", "en"), language="en")
    screen.saw("waiting", said("waiting"), language="ja")


def test_a_class_weighs_in_teams_without_cards_and_its_grams_are_nobodys(
    hall: Hall, screen: Panel
) -> None:
    hands = Caretaker(screen)
    hall.left()
    hands.come()
    hands.touch("home_class")
    hands.row(care("class_teams", teams="3"))
    hands.sees("done")
    hands.leave()
    screen.shows("play", plays("class_how"), plays("class_begin"), plays("team_soon"))
    drops = len(hall.entries("weighing"))
    for team, grams in ((1, 560), (2, 340)):
        screen.page.locator("#play .choice").nth(team).click()
        hall.until(lambda team=team: hall.view()["classroom"]["team"] == team, "no turn")
        hall.drop("b2", grams)
        screen.saw("recorded", f"{grams / 1000:.2f}kg", plays(f"team_{team}"))
    screen.shows("play", "0.56kg", "0.34kg", plays("all_together"), "0.90kg", said("estimate"))
    hands.come("play")
    hands.touch("home_class")
    hands.sees("class_here")
    hands.touch("class_end")
    hands.sees("done")
    hands.leave()
    screen.shows("waiting", said("waiting"))
    assert "no_class" in hall.said("class", "end", "--json")
    (begun,), (ended,) = hall.entries("class_begin"), hall.entries("class_end")
    assert (begun["teams"], ended["reason"], ended["grams"]) == (3, "caretaker", [0, 560, 340])
    assert [one["net_g"] for one in hall.entries("weighing")[drops:]] == [560, 340]
    assert hall.entries("checkin")[-1]["seq"] < begun["seq"], "without a card"


def test_a_child_plays_the_quiz_and_thanks_the_neighbours_once(hall: Hall, screen: Panel) -> None:
    hall.left()
    screen.page.click(".together")
    screen.shows("play", plays("quiz"), plays("thanks"))
    screen.page.locator("#play .choice", has_text=plays("quiz")).click()
    asked = 0
    while plays("quiz_over") not in screen.shows("play"):
        asked += 1
        screen.shows("play", f"{asked}問目")
        screen.page.locator("#play .choice").first.click()
        screen.page.wait_for_selector("#play .choice.right")
        screen.touch(plays("next"))
    assert asked >= 3
    screen.touch(plays("back"))
    thanked = len(hall.entries("thanked"))
    for answer in ("sent", "rest"):
        screen.page.click(".together")
        screen.page.locator("#play .choice", has_text=plays("thanks")).click()
        screen.page.locator("#play .thanking .choice").click()
        screen.shows("play", plays(answer))
        screen.touch(plays("back"))
    (entry,) = hall.entries("thanked")[thanked:]
    assert set(entry) == {"at", "kind", "seq", "sentence"}, "nobody's"
    screen.shows("waiting")

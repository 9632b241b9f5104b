"""The station's end of the city's lists: taken in, kept, looked into, and old one day."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from list_site import CITY_KEY, OTHER_KEY, TODAY, CityList, Clock, card, cards, deliver, lists

from kiosk.cards.local import ClosedHere
from kiosk.core.cards.lists import CardList, holds, rows
from sync.messages.card_lists import PART_RECORDS, join

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))

names = st.frozensets(st.integers(0, 40).map(card), max_size=25)


@settings(max_examples=60 * SIZE, deadline=None)
@given(names, names, names)
def test_a_name_is_found_exactly_where_a_set_would_find_it(
    whole: frozenset[bytes], added: frozenset[bytes], removed: frozenset[bytes]
) -> None:
    added, removed = added - whole, removed & whole
    for start in (0, 48):
        records = bytes(start) + join(whole)
        held = CardList(1, 1, 1, records, start, added, removed)
        expected = (whole | added) - removed
        assert {card(n) for n in range(41) if card(n) in held} == expected
        assert len(held) == len(expected)
        assert list(rows(records, start=start)) == sorted(whole)
    assert not holds(b"", card(1))


def test_a_card_closed_at_the_city_is_refused_and_one_opened_again_is_taken(tmp_path: Path) -> None:
    station, city = lists(tmp_path, Clock()), CityList()
    assert station.standing(card(1)) == "good", "a town without lists has nothing to wait for"
    city.publish_full(cards(0, 3))
    deliver(station, city)
    assert [station.standing(card(n)) for n in range(4)] == ["closed"] * 3 + ["good"]
    city.change(add=[card(3)], remove=[card(0)])
    deliver(station, city)
    assert [station.standing(card(n)) for n in range(4)] == ["good"] + ["closed"] * 3
    city.change(add=[card(0)], remove=[card(3)])
    deliver(station, city)
    assert [station.standing(card(n)) for n in range(4)] == ["closed"] * 3 + ["good"]
    again = lists(tmp_path, Clock())
    assert [again.standing(card(n)) for n in range(4)] == ["closed"] * 3 + ["good"]


def test_a_station_that_was_away_for_a_week_catches_up_by_the_delta_alone(tmp_path: Path) -> None:
    city, clock = CityList(), Clock()
    city.publish_full(cards(0, 2 * PART_RECORDS + 5))
    station = lists(tmp_path, clock)
    assert len(deliver(station, city)) == 3
    for day in range(7):
        city.day += 1
        city.change(add=[card(100_000 + day)], remove=[card(day)])
    clock.pass_days(7)
    station = lists(tmp_path, clock)
    assert deliver(station, city) == [], "no part travels again"
    assert all(station.standing(card(100_000 + day)) == "closed" for day in range(7))
    assert all(station.standing(card(day)) == "good" for day in range(7))
    assert station.age_days("closed") == 0


def test_a_new_card_in_the_station_gets_the_whole_list(tmp_path: Path) -> None:
    city = CityList()
    city.publish_full(cards(0, 3 * PART_RECORDS))
    city.change(add=[card(99_999)])
    station = lists(tmp_path / "new", Clock(), use="closed")
    assert station.standing(card(1), proves=False) == "list_old", "before it came"
    assert len(deliver(station, city)) == 3
    assert station.standing(card(1)) == station.standing(card(99_999)) == "closed"
    assert station.standing(card(88_888), proves=False) == "good"


def test_parts_may_come_in_any_order_twice_and_after_a_restart(tmp_path: Path) -> None:
    city = CityList()
    city.publish_full(cards(0, 4 * PART_RECORDS + 1))
    topics = [topic for topic in city.retained if topic.count("/") == 2] * 2
    random.Random(4).shuffle(topics)
    station = lists(tmp_path, Clock())
    assert station.accept(topics[0], city.retained[topics[0]]).reason == "not_asked"
    station.accept("closed/full", city.retained["closed/full"])
    for topic in topics[:3]:
        station.accept(topic, city.retained[topic])
    station = lists(tmp_path, Clock())
    assert station.held("closed") is None, "half a list is none"
    station.accept("closed/full", city.retained["closed/full"])
    for topic in topics:
        station.accept(topic, city.retained[topic])
    held = station.held("closed")
    assert held is not None and len(held) == 4 * PART_RECORDS + 1
    assert all(card(n) in held for n in range(0, 4 * PART_RECORDS, 997))


def test_a_new_full_list_takes_over_while_the_old_one_still_answers(tmp_path: Path) -> None:
    city = CityList()
    city.publish_full(cards(0, PART_RECORDS))
    station = lists(tmp_path, Clock())
    deliver(station, city)
    city.publish_full(cards(PART_RECORDS, 3 * PART_RECORDS))
    wants = station.accept("closed/full", city.retained["closed/full"]).wants
    assert wants == ("closed/full/0", "closed/full/1")
    assert station.standing(card(0)) == "closed", "until the last part is there"
    delta = station.accept("closed/delta", city.retained["closed/delta"])
    assert delta.reason == "other_base", "it joins on to what has not come yet"
    deliver(station, city)
    assert station.standing(card(0)) == "good"
    assert station.standing(card(2 * PART_RECORDS)) == "closed"


def test_an_older_word_never_counts_unless_the_citys_database_was_restored(tmp_path: Path) -> None:
    city = CityList()
    city.publish_full(cards(0, 3))
    first = dict(city.retained)
    city.change(add=[card(7)])
    changed = city.retained["closed/delta"]
    city.change(add=[card(8)])
    station = lists(tmp_path, Clock())
    deliver(station, city)
    assert station.accept("closed/delta", changed).reason == "old"
    assert station.accept("closed/delta", first["closed/delta"]).reason == "old"
    assert station.accept("closed/delta", city.retained["closed/delta"]).reason is None
    city.publish_full(cards(10, 13))
    deliver(station, city)
    assert station.accept("closed/full", first["closed/full"]).reason == "old"
    assert station.accept("closed/delta", changed).reason == "old"
    assert station.refused("closed") is None, "old words that come again are no trouble"

    restored = CityList(epoch=2)  # from a backup of its second day
    restored.publish_full(cards(0, 3))
    deliver(station, restored)
    assert [station.standing(card(n)) for n in (0, 8, 11)] == ["closed", "good", "good"]
    assert station.accept("closed/full", city.retained["closed/full"]).reason == "old"


def test_a_tampered_part_is_refused_told_and_not_asked_for_without_end(tmp_path: Path) -> None:
    city = CityList()
    city.publish_full(cards(0, 2 * PART_RECORDS))
    good = city.retained["closed/full/1"]
    city.retained["closed/full/1"] = good.replace(b'"records":"', b'"records":"AAAA')
    station = lists(tmp_path, Clock())
    deliver(station, city, limit=10)
    assert station.held("closed") is None and station.missing_parts("closed") == 1
    refused = station.refused("closed")
    assert refused is not None and refused.reason in ("digest", "shape")
    city.retained["closed/full/1"] = good
    deliver(station, city)  # the next connection
    assert station.standing(card(1)) == "closed"


def test_what_nobody_asked_for_or_nobody_signed_changes_nothing(tmp_path: Path) -> None:
    city, stranger = CityList(), CityList(signer=OTHER_KEY, version=9)
    city.publish_full(cards(0, 3))
    stranger.publish_full(cards(0, 9))
    allowed = CityList(name="allowed")
    allowed.publish_full([])
    station = lists(tmp_path, Clock())
    deliver(station, city)
    deliver(station, stranger)
    refused = station.refused("closed")
    assert refused is not None and refused.reason == "bad_signature"
    deliver(station, allowed)
    for topic in ("", "closed", "closed/full/-1", "closed/full/1/2", "open/full", "closed/full/²"):
        assert station.accept(topic, b"{}").reason == "not_asked"
    assert [station.standing(card(n)) for n in (0, 5)] == ["closed", "good"]


def test_noise_on_any_topic_is_refused_and_the_list_goes_on(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    city, station = CityList(), lists(tmp_path_factory.mktemp("s"), Clock())
    city.publish_full(cards(0, 3))
    deliver(station, city)
    topics = st.sampled_from(["closed/full", "closed/delta", "closed/full/0", "allowed/full"])

    @settings(max_examples=100 * SIZE, deadline=None)
    @given(topics | st.text(max_size=20), st.binary(max_size=200))
    def noise(topic: str, payload: bytes) -> None:
        assert station.accept(topic, payload).reason is not None

    noise()
    city.change(add=[card(9)])
    deliver(station, city)
    assert station.standing(card(9)) == station.standing(card(0)) == "closed"


def test_an_allow_list_where_the_town_keeps_one(tmp_path: Path) -> None:
    closed, allowed = CityList(), CityList(name="allowed")
    closed.publish_full([card(1)])
    allowed.publish_full(cards(0, 3))
    station = lists(tmp_path, Clock(), use="allowed")
    assert station.standing(card(2)) == "good" and station.standing(card(2), proves=False) != "good"
    deliver(station, allowed)
    assert [station.standing(card(n)) for n in (0, 1, 2, 3)] == ["good"] * 3 + ["unlisted"]
    deliver(station, closed)
    allowed.change(add=[card(3)], remove=[card(2)])
    deliver(station, allowed)
    expected = ["good", "closed", "unlisted", "good"]
    assert [station.standing(card(n)) for n in (0, 1, 2, 3)] == expected


def test_a_card_closed_here_is_the_citys_to_open_once_it_is_on_its_list(tmp_path: Path) -> None:
    city, here = CityList(), ClosedHere(tmp_path)
    station = lists(tmp_path, Clock())
    here.add(card(5))
    assert station.standing(card(5)) == "closed"
    city.publish_full([card(1)])
    deliver(station, city)
    assert card(5) in here, "the city does not know yet"
    city.change(add=[card(5)])
    deliver(station, city)
    assert card(5) not in here and station.standing(card(5)) == "closed"
    city.change(remove=[card(5)])
    deliver(station, city)
    assert station.standing(card(5)) == "good"


@pytest.mark.parametrize("when_old", ["accept_proving", "refuse"])
def test_a_withheld_list_is_good_then_old_then_at_its_end(tmp_path: Path, when_old: str) -> None:
    city, clock = CityList(), Clock()
    city.publish_full([card(1)])
    station = lists(tmp_path, clock, when_old=when_old)  # type: ignore[arg-type]
    deliver(station, city)
    said = []
    for days in (0, 30, 1, 59, 1, 1000):
        clock.pass_days(days)
        said.append((station.standing(card(2)), station.standing(card(2), proves=False)))
    good, none = ("good", "good"), ("list_old", "list_old")
    old = ("good", "list_old") if when_old == "accept_proving" else none
    assert said == [good, good, old, old, none, none]
    assert station.standing(card(1)) == "closed", "what it names stays closed"
    city.day = int(clock.day)
    city.say_again()
    deliver(station, city)
    assert station.standing(card(2), proves=False) == "good", (
        "one fresh word, though nothing changed"
    )


@pytest.mark.parametrize("told", [0.0, 200_000.0])
def test_a_clock_that_nobody_vouches_for_makes_no_list_old(tmp_path: Path, told: float) -> None:
    city, clock = CityList(), Clock()
    city.publish_full([card(1)])
    deliver(lists(tmp_path, clock), city)
    clock.quality, clock.day = "unsynced", told  # 1970, or some year of the future
    clock.reboot()
    station = lists(tmp_path, clock)
    assert station.standing(card(2), proves=False) == "good"
    assert station.age_days("closed") == 0


def test_hours_of_power_age_a_list_without_any_clock_through_every_night(tmp_path: Path) -> None:
    """The uplink withholds, and so does whoever keeps the time from the station."""
    city, clock = CityList(), Clock(quality="unsynced", day=0)
    city.publish_full([card(1)])
    deliver(lists(tmp_path, clock), city)
    for _ in range(32):
        clock.reboot()
        station = lists(tmp_path, clock)
        for _ in range(4):
            clock.pass_days(0.25)
            station.tick(clock.now())
    assert station.standing(card(2), proves=False) == "list_old"
    assert 30 <= station.age_days("closed") <= 32
    clock.quality, clock.day = "synced", TODAY + 3  # at last a clock, and it was not so long
    assert station.standing(card(2), proves=False) == "good"


def test_a_list_that_ought_to_be_there_ends_as_an_old_one_does(tmp_path: Path) -> None:
    clock = Clock(quality="unsynced", day=0)
    station = lists(tmp_path, clock, use="closed")
    assert station.standing(card(1)) == "good" and station.standing(card(1), proves=False) != "good"
    clock.pass_days(91)
    assert station.standing(card(1)) == "list_old"
    clock.quality, clock.day = "synced", TODAY
    assert station.standing(card(1)) == "list_old", "knowing the date takes no day away"


def test_a_word_from_the_future_is_not_believed_by_a_clock_that_is_sure(tmp_path: Path) -> None:
    """A city's server in another year must not make a list that never ages."""
    city, clock = CityList(day=TODAY + 400), Clock()
    city.publish_full([card(1)])
    station = lists(tmp_path, clock)
    deliver(station, city)
    assert station.held("closed") is None
    refused = station.refused("closed")
    assert refused is not None and refused.reason == "future"


@pytest.mark.parametrize("file", ["closed.list", "closed.delta"])
def test_a_file_that_rots_is_told_and_fetched_anew_and_nobody_passes_by_it(
    tmp_path: Path, file: str
) -> None:
    city, clock = CityList(), Clock()
    city.publish_full(cards(0, 40))
    city.change(add=[card(50)])
    deliver(lists(tmp_path, clock), city)
    whole = (tmp_path / file).read_bytes()
    rng = random.Random(1)
    spoiled = [whole[:cut] for cut in (0, 5, 16, len(whole) // 2, len(whole) - 1)]
    spoiled += [whole + b"\0" * 16]
    for _ in range(20):
        flipped = bytearray(whole)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        spoiled.append(bytes(flipped))
    for data in spoiled:
        (tmp_path / file).write_bytes(data)
        station = lists(tmp_path, clock)
        if station.refused("closed") is None:  # in the padding: it still proves itself
            assert station.standing(card(50)) == "closed"
            continue
        assert station.standing(card(60), proves=False) == (
            "list_old" if "list" in file else "good"
        )
        deliver(station, city)
        assert station.standing(card(50)) == station.standing(card(7)) == "closed"


def test_a_list_that_was_taken_away_is_missed(tmp_path: Path) -> None:
    city, clock = CityList(), Clock()
    city.publish_full(cards(0, 40))
    deliver(lists(tmp_path, clock), city)
    (tmp_path / "closed.list").unlink()
    station = lists(tmp_path, clock)
    assert station.standing(card(60), proves=False) == "list_old"
    clock.pass_days(91)
    assert station.standing(card(60)) == "list_old"


def test_a_full_disk_keeps_the_old_list(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("list_faults.py"), "full", tmp_path],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, done.stderr), done.stderr


def test_the_power_goes_at_every_step_and_the_list_is_the_old_one_or_the_new(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("list_faults.py"), "power", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) > 20, "so many steps"


def test_many_readers_look_while_lists_come_and_go(tmp_path: Path) -> None:
    """What was on every list is closed at every look, what was on none never."""
    city = CityList()
    city.publish_full([*cards(0, PART_RECORDS + 10)])
    station = lists(tmp_path, Clock())
    deliver(station, city)
    stop, looks, wrong = threading.Event(), [0] * 4, []

    def look(reader: int) -> None:
        rng = random.Random(reader)
        while not stop.is_set():
            number = rng.randrange(500)
            if station.standing(card(number)) != "closed" or station.standing(card(-1)) != "good":
                wrong.append(number)
            looks[reader] += 1

    threads = [threading.Thread(target=look, args=(reader,)) for reader in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(6):
        city.publish_full([*cards(0, PART_RECORDS + 10), *cards(50_000, 50_000 + turn)])
        city.change(add=[card(70_000 + turn)])
        deliver(station, city)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == [] and min(looks) > 0
    assert station.standing(card(70_005)) == "closed"
    assert CITY_KEY.public_key not in (tmp_path / "lists.json").read_bytes()

"""The city's lists of cards over a real mosquitto: from ``kiosk-receiver cards`` to a refused card."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from city_site import Mosquitto, ask, eventually, rewriting_examples
from ends_site import check, plain
from sync_site import CITY
from test_sync_broker import City

from kiosk.core.errors import OperatorError
from sync.asyncapi import EXAMPLES
from sync.messages.card_lists import PART_RECORDS, read_delta, read_full
from sync.receiver import card_lists, tables
from sync.receiver.registry import new_epoch
from sync.signing import Signer

DAY_MS = 86_400_000
KEY, OTHER = Signer(b"k" * 32), Signer(b"o" * 32)


def card(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()[:16]


class Town(City):
    """A city that closes cards."""

    def cards(self, command: str, *numbers: int, more: tuple[str, ...] = ()) -> Any:
        named = [card(number).hex() for number in numbers]
        return ask("cards", command, *named, *more, "--city", CITY, "--database", self.url)


@pytest.fixture
def town(tmp_path: Path, broker: Mosquitto) -> Iterator[Town]:
    town = Town(tmp_path, broker)
    yield town
    town.close()


def refused(town: Town, number: int) -> Callable[[], bool]:
    return lambda: town.station.lists.standing(card(number)) != "good"


def parts(topics: list[str]) -> list[str]:
    return [topic for topic in topics if topic.count("/") == 2]


def test_a_card_closed_at_the_city_is_refused_at_the_station_and_taken_when_opened(
    town: Town,
) -> None:
    town.receiver()
    town.uplink()
    town.cards("close", 1, 2)
    assert town.cards("list")[0]["unsigned"] == 2
    assert town.station.lists.standing(card(1)) == "good", "nobody has been told yet"
    (told,) = town.cards("publish")
    assert (told["whole"], told["version"], told["count"]) == (True, 1, 2)
    eventually(refused(town, 1), "the closed card is refused")
    town.cards("open", 1)
    town.cards("close", 3)
    (told,) = town.cards("publish")
    assert (told["whole"], told["added"], told["removed"]) == (False, 1, 1)
    eventually(refused(town, 3), "the card closed later is refused")
    assert town.station.lists.standing(card(1)) == "good"
    assert town.station.lists.standing(card(2)) == "closed"
    town.cards("allow", 9)
    assert [one["list"] for one in town.cards("publish")] == ["closed", "allowed"]
    eventually(lambda: bool(town.listener.on("allowed/delta")), "the allow list is published")
    assert town.station.lists.wanted == ("closed",), "which this station does not use"

    captured = {
        "cardsFull": town.listener.on("closed/full"),
        "cardsPart": town.listener.on("closed/full/0"),
        "cardsDelta": town.listener.on("closed/delta"),
    }
    for name, messages in captured.items():
        assert messages, f"no {name} was captured"
        for message in messages:
            check(name, plain(message))
        if rewriting_examples():
            example = msgspec.json.format(msgspec.json.encode(plain(messages[-1])), indent=1)
            (EXAMPLES / f"{name}.json").write_bytes(example + b"\n")


def test_a_week_without_a_line_is_caught_up_by_the_delta_and_a_new_disk_by_the_whole_list(
    town: Town, tmp_path: Path
) -> None:
    file = tmp_path / "cards.txt"
    many = range(2 * PART_RECORDS + 5)
    file.write_text("# lost\n" + "".join(f"{card(n).hex()}  # {n}\n" for n in many))
    assert town.cards("close", more=("--file", str(file)))["changed"] == len(many)
    town.cards("publish")
    town.receiver()
    up = town.uplink()
    eventually(refused(town, 0), "the whole list is there")
    assert len(parts(town.station.handed)) == 3
    up.kill()
    for numbers in ((0, 1, 2, 3), (4, 5, 6)):
        town.cards("close", *(90_000 + number for number in numbers))
        town.cards("publish")
    town.station.handed.clear()
    up.start()
    eventually(refused(town, 90_006), "the week's cards are refused")
    assert parts(town.station.handed) == [], "the whole list did not travel again"

    town.station.stop()
    shutil.rmtree(town.station.folder / "cards")
    town.station.start()
    eventually(refused(town, 90_006), "a new disk has the list")
    assert len(parts(town.station.handed)) == 3
    assert town.station.lists.standing(card(many[-1])) == "closed"


def test_a_tampered_part_is_refused_and_told_and_the_true_one_makes_it_good(town: Town) -> None:
    town.cards("close", 1, 2, 3)
    town.cards("publish")
    program = town.receiver()
    eventually(lambda: bool(town.listener.on("closed/delta")), "the list is published")
    (true,) = town.listener.on("closed/full/0")
    wire = plain(true)
    wire["records"] = wire["records"][:24] + "AAAA" + wire["records"][28:]
    town.listener.publish(true.topic, json.dumps(wire).encode(), retain=True)
    up = town.uplink()
    eventually(
        lambda: town.station.lists.refused("closed") is not None, "the tampered part is told"
    )
    told = town.station.lists.refused("closed")
    assert told is not None and told.reason == "digest"
    assert town.station.lists.held("closed") is None
    town.listener.publish(true.topic, true.payload, retain=True, content_type=true.content_type)
    up.kill()
    up.start()
    eventually(refused(town, 1), "the true part")
    assert not program.has_said("refuses")


def test_an_uplink_that_withholds_makes_the_list_old_and_then_no_card_counts(town: Town) -> None:
    town.cards("close", 1)
    town.cards("publish")
    town.receiver()
    up = town.uplink()
    eventually(refused(town, 1), "the list is there")
    up.kill()
    lists = town.station.lists
    town.station.later_days = 40
    assert (lists.standing(card(5)), lists.standing(card(5), proves=False)) == ("good", "list_old")
    town.station.later_days = 91
    assert lists.standing(card(5)) == "list_old"
    town.station.later_days = 0
    assert lists.standing(card(5), proves=False) == "good"


def test_a_broker_that_forgot_everything_is_told_again(town: Town) -> None:
    town.cards("close", 1)
    town.cards("publish")
    town.receiver()
    eventually(lambda: bool(town.listener.on("closed/delta")), "the list is published")
    town.broker.kill()
    town.broker.start()
    town.uplink()
    eventually(refused(town, 1), "the list came through the new broker")


# --- the city's tables ------------------------------------------------------------------------------


def word(engine: sa.Engine) -> Any:
    with engine.connect() as connection:
        (found,) = card_lists.signed(connection)
    return found


def test_a_quiet_citys_word_is_signed_again_each_day_and_in_each_epoch(city: sa.Engine) -> None:
    with city.begin() as connection:
        card_lists.change(connection, CITY, "closed", map(card, range(10)), on=True)
        card_lists.publish(connection, CITY, "closed", KEY, 20_000 * DAY_MS)
        card_lists.change(connection, CITY, "closed", [card(10)], on=True)
        card_lists.publish(connection, CITY, "closed", KEY, 20_000 * DAY_MS)
        card_lists.change(connection, CITY, "closed", [card(11)], on=True)  # not signed yet
    for day, changed in ((20_000, 0), (20_001, 1), (20_001, 0)):
        with city.begin() as connection:
            assert card_lists.renew(connection, KEY, day * DAY_MS) == changed
    assert (word(city).word.version, word(city).word.day) == (2, 20_001)
    with city.begin() as connection:
        new_epoch(connection)
        assert card_lists.renew(connection, KEY, 20_001 * DAY_MS) == 1
        delta = card_lists._signed_delta(connection, CITY, "closed", KEY)
        full = read_full(
            card_lists._message(connection, CITY, "closed/full"), CITY, "closed", KEY.public_key
        )
    assert (delta.word.epoch, delta.base, delta.added) == (2, 1, {card(10)})
    assert (full.word.epoch, full.word.version, full.count) == (2, 1, 10)


def test_many_changes_make_a_new_whole_list_and_parts_too_many_are_taken_away(
    city: sa.Engine,
) -> None:
    with city.begin() as connection:
        card_lists.change(connection, CITY, "closed", map(card, range(PART_RECORDS + 1)), on=True)
        card_lists.publish(connection, CITY, "closed", KEY, 0)
        some = map(card, range(card_lists.NEW_FULL))
        assert card_lists.change(connection, CITY, "closed", some, on=False) == card_lists.NEW_FULL
        assert not card_lists.publish(connection, CITY, "closed", KEY, 0).whole
        card_lists.change(connection, CITY, "closed", [card(card_lists.NEW_FULL)], on=False)
        told = card_lists.publish(connection, CITY, "closed", KEY, 0)
        assert told.whole and told.count == PART_RECORDS - card_lists.NEW_FULL
        names = card_lists.topics(connection, CITY, "closed")
        assert names == ["closed/full/0", "closed/full/1", "closed/full"]
        assert card_lists.message(connection, CITY, "closed/full/1")[1] == b""
        rows = connection.scalar(sa.select(sa.func.count()).select_from(tables.card_listed))
        assert rows == told.count


def test_the_same_list_signed_twice_is_one_version(city: sa.Engine) -> None:
    with city.begin() as connection:
        card_lists.change(connection, CITY, "closed", [card(1)], on=True)
        first = card_lists.publish(connection, CITY, "closed", KEY, 0)
        card_lists.change(connection, CITY, "closed", [card(2)], on=True)
        card_lists.change(connection, CITY, "closed", [card(2)], on=False)
        assert card_lists.publish(connection, CITY, "closed", KEY, 0).word == first.word
        (standing,) = card_lists.standings_of(connection, CITY)
        assert (standing.version, standing.count, standing.unsigned) == (1, 1, 0)


def test_another_key_is_an_operators_error_until_all_is_signed_anew(city: sa.Engine) -> None:
    with city.begin() as connection:
        card_lists.change(connection, CITY, "closed", [card(1)], on=True)
        card_lists.publish(connection, CITY, "closed", KEY, 0)
    for work in (
        lambda c: card_lists.renew(c, OTHER, DAY_MS),
        lambda c: card_lists.publish(c, CITY, "closed", OTHER, DAY_MS),
    ):
        with pytest.raises(OperatorError) as caught, city.begin() as connection:
            work(connection)
        assert caught.value.code == "lists_other_key"
    with city.begin() as connection:
        card_lists.publish(connection, CITY, "closed", OTHER, DAY_MS, whole=True)
        data = card_lists._message(connection, CITY, "closed/delta")
        assert read_delta(data, CITY, "closed", OTHER.public_key).word.version == 2


def test_a_list_has_an_end(city: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_lists, "MAX_RECORDS", 10)
    with pytest.raises(OperatorError) as caught, city.begin() as connection:
        card_lists.change(connection, CITY, "closed", map(card, range(11)), on=True)
    assert caught.value.code == "too_many_cards"

"""Whom nobody has to believe: restored cities, copied cards, new cards, and an uplink in bad hands.

Real ledgers on disk and a real city on both databases; between them whatever the story's carrier does.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from city_site import Station
from sync_site import CITY, CITY_KEY, STATION, STATION_KEY, TOPIC

from sync.messages import Ack, encode_ack
from sync.receiver import card_lists, registry
from sync.receiver.answering import SOURCES
from sync.receiver.arriving import Delivery
from sync.receiver.care import GAPS_TOLD, look
from sync.receiver.database import open_database, utc_ms
from sync.receiver.reminders import GAP_AFTER_MS, GAP_LIMIT_MS, remind, standing
from sync.receiver.store import take
from sync.receiver.tables import metadata
from sync.receiver.verify import verify_all
from sync.signing import Signer

SEARCH = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
NOW_MS = 1_800_000_000_000
THIEF = Signer(b"a-key-that-is-not-the-city's-key")


class City:
    """A database that can be saved and restored as an operator does it: row by row."""

    def __init__(self, url: str) -> None:
        self.engine = open_database(url)
        self.now_ms = NOW_MS
        with self.engine.begin() as connection:
            registry.add_station(connection, CITY, STATION, STATION_KEY.public_key)

    def take(self, *payloads: bytes) -> list[bytes]:
        """What the city answers, signed."""
        deliveries = [Delivery(TOPIC, payload) for payload in payloads]
        outcome = take(self.engine, deliveries, self.now_ms)
        return [encode_ack(answer.ack, CITY_KEY) for answer in outcome.answers]

    def remind(self, later_ms: int = 0) -> list[bytes]:
        self.now_ms += later_ms
        return [encode_ack(one.ack, CITY_KEY) for one in remind(self.engine, self.now_ms)]

    def save(self) -> dict[str, list[dict[str, Any]]]:
        with self.engine.connect() as connection:
            return {
                table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
                for table in metadata.sorted_tables
            }

    def restore(self, backup: dict[str, list[dict[str, Any]]]) -> None:
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))
            for table in metadata.sorted_tables:
                if backup[table.name]:
                    connection.execute(table.insert(), backup[table.name])

    def new_epoch(self) -> None:
        with self.engine.begin() as connection:
            registry.new_epoch(connection)

    def one(self, query: str) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(sa.text(query))

    def findings(self) -> set[str]:
        with self.engine.connect() as connection:
            return {
                finding.code for one in look(connection, self.now_ms) for finding in one.findings
            }

    def is_whole(self) -> bool:
        with self.engine.connect() as connection:
            return not any(one.faults for one in verify_all(connection))

    def equals(self, station: Station) -> bool:
        """Whether the city holds the station's ledger, row by row."""
        with closing(sqlite3.connect(station.folder / "ledger.db")) as db:
            own = db.execute("SELECT seq, body, hash FROM ledger ORDER BY seq").fetchall()
        query = sa.text("SELECT seq, body, hash FROM entry WHERE ledger = :ledger ORDER BY seq")
        with self.engine.connect() as connection:
            rows = connection.execute(query, {"ledger": station.ledger.ledger_id})
            return [(row.seq, row.body, bytes(row.hash)) for row in rows] == own


@pytest.fixture
def city(city_url: str) -> Iterator[City]:
    city = City(city_url)
    yield city
    city.engine.dispose()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path / "station", CITY_KEY.public_key)
    yield station
    station.ledger.end_waits()
    station.stop()


def sync(station: Station, city: City) -> list[Any]:
    """An honest carrier: everything beyond the watermark, and every answer."""
    verdicts = []
    after = station.ledger.watermark
    while (batch := station.ledger.batch(after)) is not None:
        for answer in city.take(batch):
            verdicts.append(station.ledger.accept_ack(answer))
        after += batch.count(b'"at":')
    return verdicts


def anew(station: Station) -> None:
    """The process starts again, as it does by itself where a verdict says so."""
    station.stop()
    station.start()


# --- the city's database was restored -----------------------------------------------------------------


def test_a_restored_city_raises_its_epoch_and_gets_everything_again(
    city: City, station: Station
) -> None:
    station.drop(5)
    sync(station, city)
    backup = city.save()
    station.drop(5)
    sync(station, city)
    city.restore(backup)
    city.new_epoch()
    (word,) = city.remind()
    verdict = station.ledger.accept_ack(word)
    assert (verdict.accepted, verdict.watermark, verdict.epoch) == (True, 6, 2)
    sync(station, city)
    assert station.ledger.watermark == 11 and city.equals(station) and city.is_whole()


def test_who_forgets_to_raise_it_loses_nothing_and_is_told(city: City, station: Station) -> None:
    station.drop(5)
    sync(station, city)
    backup = city.save()
    station.drop(5)
    sync(station, city)
    city.restore(backup)
    station.drop(1)
    sync(station, city)
    verdict = None
    for _ in range(GAPS_TOLD):
        for word in city.remind(GAP_LIMIT_MS):
            verdict = station.ledger.accept_ack(word)
    assert verdict is not None
    assert (verdict.reason, verdict.error_code, verdict.restart) == ("old_seq", "gap", False)
    assert (station.ledger.watermark, station.ledger.head[0]) == (11, 12)
    assert "gap" in city.findings()

    city.new_epoch()
    for word in city.remind():
        station.ledger.accept_ack(word)
    sync(station, city)
    assert station.ledger.watermark == 12 and city.equals(station) and city.is_whole()
    assert city.findings() == set() and city.one("SELECT count(*) FROM parked") == 0


# --- words that are old, of others, or nobody's ---------------------------------------------------------


def test_stale_words_that_a_restored_broker_retains_count_for_nothing(
    city: City, station: Station
) -> None:
    """Of an earlier epoch, of an earlier seq, of a ledger that ended, signed by somebody else."""
    station.drop(2)
    first = city.take(station.ledger.batch(0) or b"")
    station.ledger.accept_ack(first[0])
    station.drop(2)
    sync(station, city)
    assert station.ledger.accept_ack(first[0]).reason == "old_seq"
    city.new_epoch()
    station.ledger.accept_ack(city.remind()[0])
    assert station.ledger.accept_ack(first[0]).reason == "old_epoch"
    other = Ack("f" * 32, 9, 3, b"h" * 32)
    assert station.ledger.accept_ack(encode_ack(other, CITY_KEY)).reason == "other_ledger"
    forged = Ack(station.ledger.ledger_id, 9, 99, b"h" * 32)
    verdict = station.ledger.accept_ack(encode_ack(forged, THIEF))
    assert (verdict.reason, verdict.restart) == ("bad_signature", False)
    assert (station.ledger.watermark, station.ledger.epoch) == (5, 2)


# --- cards and copies -----------------------------------------------------------------------------------


def test_a_new_card_begins_a_ledger_of_its_own_and_nothing_of_the_old_is_taken_for_new(
    city: City, station: Station
) -> None:
    """The old card died with all on it: the city counts what it had, and the new drops beside it."""
    station.drop(5)
    sync(station, city)
    station.stop()
    for path in station.folder.glob("*.*"):
        if path.is_file():
            path.unlink()
    station._gross_g = 0
    station.start()
    station.drop(3)
    sync(station, city)
    assert city.equals(station) and city.is_whole()
    assert city.one("SELECT count(*) FROM ledger WHERE continues_ledger IS NULL") == 2
    assert city.one("SELECT sum(net_g) FROM weighing_resolved") == 800


def test_a_new_card_that_kept_the_citys_word_names_what_it_continues(
    city: City, station: Station
) -> None:
    station.drop(5)
    sync(station, city)
    old = station.ledger.ledger_id
    station.stop()
    (station.folder / "ledger.db").unlink()
    station._gross_g = 0
    station.start()
    station.drop(3)
    sync(station, city)
    assert city.one("SELECT continues_ledger FROM ledger WHERE continues_seq = 6") == old
    assert city.is_whole() and city.one("SELECT sum(net_g) FROM weighing_resolved") == 800
    assert city.one("SELECT CAST(sum(net_g) AS BIGINT) FROM restore") == -500


def test_a_restored_backup_continues_and_brings_what_the_city_lacks_once(
    city: City, station: Station, tmp_path: Path
) -> None:
    station.drop(2)
    sync(station, city)
    station.stop()
    shutil.copytree(station.folder, tmp_path / "backup", ignore=shutil.ignore_patterns("*.sock"))
    station.start()
    station.drop(3)
    (*_, last) = sync(station, city)
    station.stop()
    shutil.rmtree(station.folder)
    shutil.copytree(tmp_path / "backup", station.folder)
    station._gross_g = 200
    station.start()
    station.drop(1)  # before the station hears of it
    assert last.watermark == 6
    verdict = station.ledger.accept_ack(_standing(city))
    assert (verdict.reason, verdict.restart) == ("unknown_seq", True)
    anew(station)
    assert station.ledger.turn_over is not None
    assert (station.ledger.turn_over.reason, station.ledger.turn_over.recovered) == (
        "ack_beyond_head",
        1,
    )
    sync(station, city)
    station.drop(2)
    sync(station, city)
    assert city.equals(station) and city.is_whole()
    assert city.one("SELECT count(*) FROM weighing_resolved") == 5 + 1 + 2
    assert city.findings() == set()


def test_two_machines_with_copies_of_one_card_are_told_apart(
    city: City, station: Station, tmp_path: Path
) -> None:
    """The first to send is believed; of the other nothing is stored, and nothing of its is lost."""
    station.drop(2)
    sync(station, city)
    station.stop()
    shutil.copytree(station.folder, tmp_path / "twin", ignore=shutil.ignore_patterns("*.sock"))
    station.start()
    twin = Station(tmp_path / "twin", CITY_KEY.public_key)
    try:
        station.drop(1)
        sync(station, city)
        twin._gross_g = 200
        twin.check_in()
        twin.check_in()
        verdict = sync(twin, city)[-1]
        assert (verdict.error_code, verdict.restart) == ("fork", True)
        assert city.equals(station) and city.is_whole()
        assert "fork" in city.findings()
        assert city.one("SELECT count(*) FROM quarantine") == 1
        anew(twin)
        assert twin.ledger.turn_over is not None
        assert twin.ledger.turn_over.reason == "head_differs"
        sync(twin, city)
        assert twin.ledger.watermark == twin.ledger.head[0] and city.is_whole()
    finally:
        twin.ledger.end_waits()
        twin.stop()


# --- an uplink in bad hands -------------------------------------------------------------------------------


class Uplink:
    """Carries what it likes, when it likes, and makes things up; it has every message and no key."""

    def __init__(self, station: Station, city: City, draw: random.Random) -> None:
        self._station, self._city, self._draw = station, city, draw
        self._batches: list[bytes] = []
        self._answers: list[bytes] = []
        self._words: list[tuple[str, bytes]] = []

    def steal_words(self, words: list[tuple[str, bytes]]) -> None:
        self._words += words

    def step(self) -> None:
        draw = self._draw
        after = draw.randint(0, self._station.ledger.head[0])
        batch = self._station.ledger.batch(after, draw.randint(1, 10))
        if batch is not None:
            self._batches.append(batch)
        for payload in draw.choices(self._batches, k=min(3, len(self._batches))):
            for sent in {payload if draw.random() < 0.5 else self._bent(payload)}:
                self._answers += self._city.take(sent)
        for answer in draw.choices(self._answers, k=min(4, len(self._answers))):
            bent = answer if draw.random() < 0.5 else self._bent(answer)
            verdict = self._station.ledger.accept_ack(bent)
            assert not verdict.restart, bent
        for topic, word in draw.choices(self._words, k=min(2, len(self._words))):
            self._station.lists.accept(topic, word if draw.random() < 0.5 else self._bent(word))

    def _bent(self, payload: bytes) -> bytes:
        draw = self._draw
        bent = bytearray(payload)
        match draw.randrange(4):
            case 0:
                bent[draw.randrange(len(bent))] ^= 1 << draw.randrange(8)
            case 1:
                del bent[draw.randrange(len(bent)) :]
            case 2:
                number = draw.randrange(2, 99)
                return payload.replace(b'"seq":', b'"seq":%d' % number, 1)
            case _:
                other = draw.choice(self._batches + self._answers or [payload])
                cut = draw.randrange(len(bent))
                return payload[:cut] + other[cut:]
        return bytes(bent)


@pytest.mark.parametrize("seed", range(SEARCH))
def test_an_uplink_in_bad_hands_can_withhold_and_nothing_else(
    city: City, station: Station, seed: int
) -> None:
    """It replays, reorders, bends and splices batches, answers and lists: whatever is believed is true."""
    closed = bytes([7]) * 16
    with city.engine.begin() as connection:
        card_lists.change(connection, CITY, "closed", [closed], on=True)
        card_lists.publish(connection, CITY, "closed", CITY_KEY, utc_ms())

        words = [
            (word.topic, word.payload.encode())
            for source in SOURCES
            for word in source(connection, CITY)
        ]
    uplink = Uplink(station, city, random.Random(seed))
    uplink.steal_words(words)
    for turn in range(25):
        if turn % 3 == 0:
            station.drop(random.Random(seed + turn).randint(1, 9))
        uplink.step()
        city.now_ms += GAP_AFTER_MS
        watermark = station.ledger.watermark
        stored = city.one(
            f"SELECT max(watermark) FROM ledger WHERE ledger = '{station.ledger.ledger_id}'"
        )
        assert watermark <= (stored or 0), "the station believes no more than is stored"
        assert station.lists.standing(bytes([9]) * 16) == "good"
    assert city.one("SELECT count(*) FROM ledger") <= 1
    assert city.is_whole()
    for topic, word in words:
        station.lists.accept(topic, word)
    assert station.lists.standing(closed) == "closed"
    city.now_ms += GAP_LIMIT_MS
    sync(station, city)
    assert station.ledger.watermark == station.ledger.head[0]
    assert city.equals(station) and city.is_whole()


def _standing(city: City) -> bytes:
    """The retained word of the city's on the station's ledger."""
    (answer,) = standing(city.engine, "")
    return encode_ack(answer.ack, CITY_KEY)

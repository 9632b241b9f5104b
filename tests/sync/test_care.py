"""The city notices a station that says nothing any more, and lets one sleep that is closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from carried_site import called
from city_site import CityDatabase, Mosquitto, Program, Station, eventually, receiver, uplink
from hypothesis import given
from hypothesis import strategies as st
from sync_site import CITY, STATION, STATION_KEY, TOPIC, Book

from kiosk.core.errors import OperatorError
from sync.asyncapi import EXAMPLES
from sync.messages import CONTENT_ZLIB
from sync.receiver import heard, opening_days
from sync.receiver.care import ONLINE_MS, STALLED_MS, STUCK_MS, StationCare, look
from sync.receiver.cli import main
from sync.receiver.database import open_database
from sync.receiver.opening_days import Opening, day_of
from sync.receiver.registry import add_station
from sync.receiver.store import Delivery, take
from sync.receiver.tables import station_key
from sync.receiver.watch import LOOK_S, Watch
from sync.signing import Signer

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MONDAY_MS = 20_003 * DAY_MS + 3 * HOUR_MS
"""Noon of a Monday in Japan."""
STATE, HEALTH = (TOPIC.replace("ledger", name) for name in ("state", "health"))
BIRTH = {"online": True, "station": "up", "software": "1.0", "ledger": "a1" * 16}
WELL: dict[str, Any] = {"queue": 0, "uptime_s": 60, "scales": {"b1": "ok"}, "readers": {}}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """On SQLite."""
    yield from _on_monday(f"sqlite:///{tmp_path / 'city.db'}")


@pytest.fixture
def either(city_url: str) -> Iterator[sa.Engine]:
    """On either database."""
    yield from _on_monday(city_url)


def _on_monday(url: str) -> Iterator[sa.Engine]:
    """Registered on a Monday."""
    engine = open_database(url)
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
        connection.execute(sa.update(station_key).values(added_ms=MONDAY_MS))
    yield engine
    engine.dispose()


def say(engine: sa.Engine, topic: str, value: Any, now_ms: int) -> None:
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    heard.note(engine, [Delivery(topic, payload)], now_ms)


def care(engine: sa.Engine, now_ms: int) -> StationCare:
    with engine.connect() as connection:
        (found,) = look(connection, now_ms)
    return found


def codes(engine: sa.Engine, now_ms: int) -> list[str]:
    return [finding.code for finding in care(engine, now_ms).findings]


def test_monday_is_a_monday() -> None:
    assert Opening(frozenset({0})).is_open(day_of(MONDAY_MS))
    assert opening_days.holiday("2024-10-07")[0] == day_of(MONDAY_MS)


def test_two_silent_open_days_are_told_and_a_night_is_not(engine: sa.Engine) -> None:
    take(engine, [Delivery(TOPIC, Book().batch(0))], MONDAY_MS)
    for hours in (1, 12, 24, 48):
        assert codes(engine, MONDAY_MS + hours * HOUR_MS) == [], hours
    assert care(engine, MONDAY_MS + 48 * HOUR_MS).silent_days == 1
    assert codes(engine, MONDAY_MS + 3 * DAY_MS) == ["silent"]
    say(engine, HEALTH, WELL, MONDAY_MS + 3 * DAY_MS)
    assert codes(engine, MONDAY_MS + 3 * DAY_MS + 1) == []


def test_a_station_that_was_never_heard_is_told_too(engine: sa.Engine) -> None:
    assert codes(engine, MONDAY_MS + 2 * DAY_MS) == []
    (finding,) = care(engine, MONDAY_MS + 3 * DAY_MS).findings
    assert finding.code == "silent" and "never heard" in finding.what


def test_closed_days_do_not_count(either: sa.Engine) -> None:
    """Open on Mondays and Thursdays, and shut over New Year."""
    with either.begin() as connection:
        opening_days.set_weekdays(connection, CITY, STATION, opening_days.weekdays("mon,thu"))
    say(either, HEALTH, WELL, MONDAY_MS)
    assert codes(either, MONDAY_MS + 7 * DAY_MS) == []  # the Thursday was silent, this Monday lasts
    assert codes(either, MONDAY_MS + 8 * DAY_MS) == ["silent"]
    with either.begin() as connection:
        week = (day_of(MONDAY_MS) + 1, day_of(MONDAY_MS) + 7)
        opening_days.add_holiday(connection, CITY, STATION, week, day_of(MONDAY_MS))
    assert codes(either, MONDAY_MS + 8 * DAY_MS) == []
    assert codes(either, MONDAY_MS + 15 * DAY_MS) == ["silent"]


@given(
    days=st.frozensets(st.integers(0, 6), min_size=1),
    holidays=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=3),
    last=st.integers(0, 40),
    now=st.integers(0, 60),
)
def test_open_days_between_are_those_that_one_would_count(
    days: frozenset[int], holidays: list[tuple[int, int]], last: int, now: int
) -> None:
    opening = Opening(days, tuple((first, first + length) for first, length in holidays))
    shut = {day for first, length in holidays for day in range(first, first + length + 1)}
    counted = [day for day in range(last + 1, now) if day not in shut and (day + 3) % 7 in days]
    assert opening.between(last, now) == len(counted)


def test_online_offline_and_stalled_are_shown_since_when(engine: sa.Engine) -> None:
    assert care(engine, MONDAY_MS).state == "unknown"
    say(engine, STATE, BIRTH, MONDAY_MS)
    say(
        engine, STATE, BIRTH, MONDAY_MS + HOUR_MS
    )  # the retained one, at the receiver's new connection
    found = care(engine, MONDAY_MS + HOUR_MS)
    assert (found.state, found.since_ms, found.software) == ("online", MONDAY_MS, "1.0")
    say(engine, STATE, BIRTH | {"station": "stalled"}, MONDAY_MS + 2 * HOUR_MS)
    stalled_ms = MONDAY_MS + 2 * HOUR_MS
    assert care(engine, stalled_ms + STALLED_MS).state == "stalled"
    assert codes(engine, stalled_ms + STALLED_MS) == []
    assert codes(engine, stalled_ms + STALLED_MS + 1) == ["station_stalled"]
    say(engine, STATE, {"online": False}, stalled_ms + HOUR_MS)
    found = care(engine, stalled_ms + HOUR_MS)
    assert (found.state, found.since_ms) == ("offline", stalled_ms + HOUR_MS)


def test_a_birth_that_a_broker_forgot_to_take_back_is_not_online_for_ever(
    engine: sa.Engine,
) -> None:
    say(engine, STATE, BIRTH, MONDAY_MS)
    assert care(engine, MONDAY_MS + ONLINE_MS).state == "online"
    assert care(engine, MONDAY_MS + ONLINE_MS + 1).state == "offline"
    assert codes(engine, MONDAY_MS + 3 * DAY_MS) == ["silent"]


def test_an_uplink_that_says_all_is_well_and_keeps_entries_back_is_found(engine: sa.Engine) -> None:
    take(engine, [Delivery(TOPIC, Book().batch(0))], MONDAY_MS)
    for hours in range(0, 30, 2):
        say(engine, HEALTH, WELL | {"queue": 7}, MONDAY_MS + hours * HOUR_MS)
    assert codes(engine, MONDAY_MS + STUCK_MS + 5 * HOUR_MS) == ["stuck"]
    say(engine, HEALTH, WELL, MONDAY_MS + 31 * HOUR_MS)
    assert codes(engine, MONDAY_MS + 31 * HOUR_MS) == []


def test_devices_refusals_and_forks_are_told(either: sa.Engine) -> None:
    book = Book()
    book.weigh(3)
    take(either, [Delivery(TOPIC, book.batch(0))], MONDAY_MS)
    twin = Book()
    twin.weigh(3, net_g=200)
    take(either, [Delivery(TOPIC, twin.batch(0))], MONDAY_MS)
    say(either, STATE, BIRTH, MONDAY_MS)
    say(either, HEALTH, WELL | {"scales": {"b1": "scale_silent"}}, MONDAY_MS)
    assert codes(either, MONDAY_MS) == ["refused", "fork", "device"]


def test_what_the_contract_shows_of_a_station_is_one_that_is_well(engine: sa.Engine) -> None:
    """Its captures are of the words that stations say now."""
    take(engine, [Delivery(TOPIC, Book().batch(0))], MONDAY_MS)
    say(engine, STATE, (EXAMPLES / "online.json").read_bytes(), MONDAY_MS)
    say(engine, HEALTH, (EXAMPLES / "health.json").read_bytes(), MONDAY_MS)
    found = care(engine, MONDAY_MS)
    assert (found.state, found.findings) == ("online", ())
    assert found.health is not None
    assert {*found.health["scales"].values(), *found.health["readers"].values()} == {"ok"}


NOISE = (
    b"", b"null", b"{}", b"[1]", b'{"online":1}', b'{"online":true}', b"\xff\xfe",
    b'{"online":true,"station":"up","software":"\\u0000","ledger":"x"}',
    b'{"queue":-1,"uptime_s":0}', b'{"queue":1e99}', b'{"queue":0,"uptime_s":0,"scales":[]}',
    b"[" * 50_000, b'{"a":"' + b"x" * 100_000 + b'"}',
)  # fmt: skip


def test_noise_changes_nothing(engine: sa.Engine) -> None:
    say(engine, STATE, BIRTH, MONDAY_MS)
    say(engine, HEALTH, WELL, MONDAY_MS)
    before = care(engine, MONDAY_MS)
    for payload in NOISE:
        say(engine, STATE, payload, MONDAY_MS + 1)
        say(engine, HEALTH, payload, MONDAY_MS + 1)
        heard.note(engine, [Delivery(STATE, payload, CONTENT_ZLIB)], MONDAY_MS + 1)
        assert care(engine, MONDAY_MS) == before, payload


def test_a_stranger_is_not_heard(engine: sa.Engine) -> None:
    for topic in (
        STATE.replace(STATION, "hall-9"),
        STATE.replace(CITY, "other"),
        "kiosk/v1/x/state",
    ):
        say(engine, topic, BIRTH, MONDAY_MS)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM station_heard")) == 0


def test_a_text_that_postgresql_would_refuse_is_kept_without_its_zero(either: sa.Engine) -> None:
    say(either, STATE, BIRTH | {"software": "1.0\0"}, MONDAY_MS)
    say(either, HEALTH, WELL | {"readers": {"qr\0": "\0"}}, MONDAY_MS)
    found = care(either, MONDAY_MS)
    assert found.software == "1.0" and found.health is not None
    assert found.health["readers"] == {"qr\0": "\0"}


def test_the_log_says_it_once_and_when_it_is_over(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "kiosk.receiver")
    watch = Watch(engine)
    times = [MONDAY_MS + hours * HOUR_MS for hours in range(0, 100, 10)]
    for step, now_ms in enumerate(times):
        watch.step(step * LOOK_S + 1, now_ms)
        watch.step(step * LOOK_S + 2, now_ms)
    say(engine, HEALTH, WELL, times[-1])
    watch.step(len(times) * LOOK_S + 1, times[-1])
    said = [record.getMessage() for record in caplog.records]
    assert [line.split(": ")[1] for line in said] == ["silent", "no longer silent"]


# --- commands and the wire ----------------------------------------------------------------------------


def test_the_receivers_doctor_and_days(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'city.db'}"
    engine = open_database(url)
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    said = called(main, "doctor", "--database", url)
    assert (said.code, said.out) == (0, "1 stations, nothing to look at.\n")
    with engine.begin() as connection:
        connection.execute(sa.update(station_key).values(added_ms=MONDAY_MS))
    said = called(main, "doctor", "--database", url)
    assert said.code == 1 and f"{CITY}/{STATION}  silent: " in said.out
    ((finding,),) = [
        one["findings"] for one in called(main, "doctor", "--database", url, "--json").value
    ]
    assert finding["code"] == "silent"
    assert "unknown, never heard" in called(main, "station", "list", "--database", url).out
    (listed,) = called(main, "station", "list", "--database", url, "--json").value
    assert listed["care"]["silent_days"] > 300
    call = ("station", "days", STATION, "--city", CITY, "--database", url)
    shut = "2026-12-29..2027-01-03"
    set_ = called(main, *call, "--open", "tue,fri", "--closed", shut, "--json").value
    assert (set_["open"], set_["closed"]) == (["tue", "fri"], [shut])
    assert "open tue,fri" in called(main, *call).out
    for bad in (
        ("--open", "tues"),
        ("--closed", "2027-02-30"),
        ("--closed", "2027-01-03..2027-01-01"),
    ):
        assert called(main, *call, *bad).code == 2
    engine.dispose()


def test_holidays_are_bounded_and_old_ones_go(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for day in range(opening_days.MAX_CLOSED):
            opening_days.add_holiday(
                connection, CITY, STATION, (20_000 + day, 20_000 + day), 20_000
            )
        with pytest.raises(OperatorError, match="holidays"):
            opening_days.add_holiday(connection, CITY, STATION, (21_000, 21_000), 20_000)
        opening_days.add_holiday(connection, CITY, STATION, (21_000, 21_000), 21_000)
        assert len(opening_days.opening_of(connection, CITY, STATION).holidays) == 1


def test_a_running_receiver_hears_birth_health_and_the_will(
    tmp_path: Path, broker: Mosquitto
) -> None:
    url = f"sqlite:///{tmp_path / 'city.db'}"
    key = tmp_path / "city.key"
    public = Signer.generate(key).public_key
    engine = open_database(url)
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    engine.dispose()
    station = Station(tmp_path / "s", public)
    programs: list[Program] = []
    database = CityDatabase(url)
    state = "SELECT online, process, queue IS NULL, software FROM station_heard"
    try:
        programs.append(receiver(tmp_path / "receiver.log", url, broker.port))
        programs.append(uplink(tmp_path / "uplink.log", station.socket, broker.port))
        eventually(
            lambda: database.rows(state) == [(1, "up", 0, "test")], "birth and health are heard"
        )
        programs[1].kill()
        eventually(lambda: database.rows(state)[0][0] == 0, "the will is heard")
    finally:
        for program in programs:
            program.kill()
        station.ledger.end_waits()
        station.stop()
        database.close()

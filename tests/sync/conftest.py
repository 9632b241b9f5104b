"""A city's database, and a real broker in a folder of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_site import Mosquitto
from hw_sim.postgres import NoPostgres, Postgres
from sync_site import CITY, STATION, STATION_KEY, Book

from sync.receiver.database import open_database
from sync.receiver.registry import add_station

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One real server for all of a process's tests; each makes a database of its own in it."""
    try:
        # Killed it may be, but never without power; and each test begins anew.
        server = Postgres({"fsync": "off", "full_page_writes": "off", "autovacuum": "off"})
    except NoPostgres as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def city_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that a city may have."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'city.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.schema(f"city_{next(_numbers)}")


@pytest.fixture
def city(city_url: str) -> Iterator[sa.Engine]:
    """A fresh database that knows the station's key."""
    yield from _city(city_url)


@pytest.fixture
def one_city(tmp_path: Path) -> Iterator[sa.Engine]:
    """The same on SQLite, where the database has no say in the story."""
    yield from _city(f"sqlite:///{tmp_path / 'city.db'}")


def _city(url: str) -> Iterator[sa.Engine]:
    engine = open_database(url)
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    yield engine
    engine.dispose()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
def book() -> Book:
    """A ledger of ten entries: its genesis and nine weighings."""
    book = Book()
    book.weigh(9)
    return book

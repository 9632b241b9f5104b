"""A city's database, and a real broker in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_site import Mosquitto
from sync_site import CITY, STATION, STATION_KEY

from sync.receiver.database import open_database
from sync.receiver.registry import add_station


@pytest.fixture
def city(tmp_path: Path) -> Iterator[sa.Engine]:
    """A fresh database that knows the station's key."""
    engine = open_database(f"sqlite:///{tmp_path / 'city.db'}")
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    yield engine
    engine.dispose()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    yield mosquitto
    mosquitto.kill()

"""A receiver with many ledgers tells them all anew, and goes on receiving."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_site import CityDatabase, Listener, Mosquitto, eventually, receiver
from sync_site import CITY, STATION_KEY, Book

from sync.receiver.database import open_database
from sync.receiver.registry import add_station
from sync.receiver.service import INBOX
from sync.receiver.store import Delivery, take

LEDGERS = 2 * INBOX


@pytest.fixture
def crowded(tmp_path: Path) -> str:
    """A database with a ledger of one entry for each of many stations."""
    url = f"sqlite:///{tmp_path / 'city.db'}"
    engine: sa.Engine = open_database(url)
    books = [Book(f"{number:032x}", station=f"s{number}") for number in range(LEDGERS)]
    with engine.begin() as connection:
        for book in books:
            add_station(connection, CITY, book.station, STATION_KEY.public_key)
    topic = f"kiosk/v1/{CITY}/%s/ledger"
    take(engine, [Delivery(topic % book.station, book.batch(0)) for book in books], 1)
    engine.dispose()
    return url


def test_more_words_at_once_than_the_inbox_holds_stop_nobody(
    crowded: str, tmp_path: Path, broker: Mosquitto
) -> None:
    """After a broker's restart: the answers to what is told meet the batches that come meanwhile."""
    with closing(CityDatabase(crowded)) as database, closing(Listener(broker.port)) as listener:
        program = receiver(tmp_path / "receiver.log", crowded, broker.port)
        try:
            eventually(lambda: len(listener.on("ack")) >= LEDGERS, "every ledger's word")
            book = Book(f"{0:032x}", station="s0")
            book.weigh()
            listener.publish(f"kiosk/v1/{CITY}/s0/ledger", book.batch(1))
            eventually(lambda: database.count("entry") == LEDGERS + 1, "the next batch is stored")
        finally:
            program.kill()

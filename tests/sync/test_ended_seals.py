"""A station got a new card: what it forgets of the ledger before is forgotten at the city too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_site import Listener, Mosquitto, eventually, receiver, uplink
from sync_site import CITY, CITY_KEY, STATION, STATION_KEY

from kiosk.control.ledger_ops import ledger_ops
from kiosk.control.server import ControlServer
from kiosk.core.effects import Item
from kiosk.core.entries import At, Checkin, Opening
from kiosk.ledger import Ledger
from sync.messages import Ack, decode_ack, encode_ack
from sync.receiver.arriving import Delivery
from sync.receiver.store import take

DAY_MS = 86_400_000
TOPIC = f"kiosk/v1/{CITY}/{STATION}/ledger"


class Town:
    """A station's folder with a clock that only the story moves, and the city's database."""

    def __init__(self, folder: Path, city: sa.Engine) -> None:
        self.folder, self.city = folder, city
        self.utc_ms = 20_000 * DAY_MS
        self.ledger = self.begun()

    def begun(self) -> Ledger:
        return Ledger.open(
            self.folder,
            station=STATION,
            city=CITY,
            signer=STATION_KEY,
            city_key=CITY_KEY.public_key,
            software="test",
            openings={"b1": Opening(0, None, 1)},
            items={"b1": "pet-bottle"},
            clock=lambda: At("0" * 32, 60_000, self.utc_ms, "synced"),
            day_of=lambda utc_ms: utc_ms // DAY_MS,
        )

    def check_in(self, count: int, *, visit: bool = False) -> None:
        self.ledger.append(
            [
                Item(
                    Checkin(f"v-{number}" if visit else None, None, "qr", True, 0, 0),
                    pseudonym=number.to_bytes(16, "big"),
                )
                for number in range(count)
            ]
        )

    def send(self, message: bytes | None) -> list[bytes]:
        """What the city answers, signed."""
        assert message is not None
        outcome = take(self.city, [Delivery(TOPIC, message)], 1)
        return [encode_ack(each.ack, CITY_KEY) for each in outcome.answers]

    def drain(self) -> None:
        while (message := self.ledger.batch(self.ledger.watermark)) is not None:
            for answer in self.send(message):
                assert self.ledger.accept_ack(answer).accepted

    def turn_over(self) -> None:
        """The city's word on entries that this copy has not: the next start begins a new ledger."""
        beyond = Ack(self.ledger.ledger_id, 1, self.ledger.head[0] + 5, b"h" * 32, None)
        assert self.ledger.accept_ack(encode_ack(beyond, CITY_KEY)).restart
        self.ledger.close()
        self.ledger = self.begun()
        assert self.ledger.turn_over is not None

    def seals(self) -> int:
        with self.city.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM seal")).scalar_one())


@pytest.fixture
def town(tmp_path: Path, city: sa.Engine) -> Iterator[Town]:
    made = Town(tmp_path / "station", city)
    yield made
    made.ledger.close()


def test_the_city_forgets_what_the_station_forgot_of_an_ended_ledger(town: Town) -> None:
    """More than one batch carries, a word that is lost on its way, and nothing is sent once told."""
    town.check_in(1_000)
    town.check_in(200)
    town.check_in(1, visit=True)
    town.drain()
    ended = town.ledger.ledger_id
    assert town.seals() == 1_201
    town.turn_over()
    town.utc_ms += DAY_MS
    assert town.ledger.forget_ended(90) == 1_200
    assert town.ledger.ended.batch() is None, "the retained word may still be the old ledger's"
    town.drain()

    first = town.ledger.ended.batch()
    assert first is not None and first == town.ledger.ended.batch(), "again until it is answered"
    lost = town.send(first[0])
    assert town.seals() == 201
    assert town.send(first[0]) == lost
    for _ in range(2):
        asked = town.ledger.ended.batch()
        assert asked is not None
        (answer,) = town.send(asked[0])
        assert f'"ledger":"{ended}"'.encode() in answer
        watermark = town.ledger.watermark
        assert town.ledger.accept_ack(answer).reason == "other_ledger"
        assert town.ledger.watermark == watermark
    assert town.seals() == 1, "the linked one lives on"
    assert town.ledger.ended.batch() is None
    town.ledger.close()
    town.ledger = town.begun()
    assert town.ledger.ended.batch() is None, "told is told, also after a start"

    town.utc_ms += 90 * DAY_MS
    assert town.ledger.forget_ended(90) == 1
    asked = town.ledger.ended.batch()
    assert asked is not None
    town.send(asked[0])
    while (asked := town.ledger.ended.batch()) is not None:
        (answer,) = town.send(asked[0])
        town.ledger.accept_ack(answer)
    assert town.seals() == 0


def test_a_copy_that_no_word_of_the_city_proves_is_never_sent(town: Town) -> None:
    """It may have gone its own way: the city would take it for a fork."""
    town.check_in(3)
    town.drain()
    town.turn_over()
    for word in town.folder.glob("ledger-*.ack-own.json"):
        word.unlink()
    town.drain()
    town.utc_ms += DAY_MS
    assert town.ledger.forget_ended(90) == 3
    assert town.ledger.ended.batch() is None
    with closing(sqlite3.connect(next(town.folder.glob("ledger-*.db")))) as db:
        assert db.execute("SELECT count(*) FROM unseal").fetchone() == (3,)


def test_it_goes_over_the_uplink_beside_the_ledger_in_use(
    town: Town, tmp_path: Path, broker: Mosquitto
) -> None:
    """Real uplink, broker and receiver; the retained word stays the one on the ledger in use."""
    town.check_in(3)
    town.drain()
    town.turn_over()
    town.utc_ms += DAY_MS
    assert town.ledger.forget_ended(90) == 3
    socket = tmp_path / "control.sock"
    ops = dict(ledger_ops(town.ledger, station=STATION, city=CITY, software="test"))
    ops["link"] = lambda _: {}
    ops["health"] = lambda _: {"queue": 0, "uptime_s": 1, "scales": {}, "readers": {}}
    server = ControlServer(socket, ops)
    server.start()
    key = tmp_path / "city-of-tests.key"
    key.write_text(b"city-key-of-the-tests---32-bytes".hex() + "\n", encoding="ascii")
    key.chmod(0o600)
    url = town.city.url.render_as_string(hide_password=False)
    programs = [
        receiver(tmp_path / "receiver.log", url, broker.port, key=key),
        uplink(tmp_path / "uplink.log", socket, broker.port),
    ]
    try:
        eventually(lambda: town.seals() == 0, "the city forgets")
        eventually(lambda: town.ledger.ended.batch() is None, "the station hears of it")
        with closing(Listener(broker.port)) as listener:
            eventually(lambda: len(listener.on("ack")) > 0, "the retained word")
            retained = decode_ack(listener.on("ack")[0].payload)[0]
            assert retained.ledger == town.ledger.ledger_id
    finally:
        for program in programs:
            program.kill()
        town.ledger.end_waits()
        server.stop()

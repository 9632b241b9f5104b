"""A thief between two brokers: the uplink speaks to one, the city listens on the other, and what passes
lacks its texts and seals. Real uplink, mosquitto and receiver; SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from city_site import (
    PATIENCE_S,
    CityDatabase,
    Mosquitto,
    Program,
    ask,
    eventually,
    receiver,
    uplink,
)
from command_site import ObedientStation
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from sync_site import CITY, STATION, STATION_KEY, relayed

from kiosk.core.effects import Item
from kiosk.core.entries import Checkin, ItemCount
from sync.messages import CONTENT_JSON, inflate
from sync.receiver import lacking
from sync.receiver.care import look
from sync.receiver.cli import main
from sync.receiver.database import opened, utc_ms
from sync.receiver.registry import add_station
from sync.signing import Signer

DOWN = ("ack", "command", "points")
"""What the city says to a station; all else comes from the station."""


class Thief:
    """Carries everything between two brokers, without a key; texts of counts and all seals stay with it."""

    def __init__(self, station_side: int, city_side: int) -> None:
        self.steals = True
        self.stolen = 0
        self._to_city, self._to_station = (
            paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5),
            paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5),
        )
        ready = threading.Semaphore(0)
        for client, port, hear in (
            (self._to_city, city_side, self._down),
            (self._to_station, station_side, self._up),
        ):
            client.on_message = hear
            client.on_subscribe = lambda *_: ready.release()
            client.connect("127.0.0.1", port)
            client.subscribe("kiosk/#", qos=1)
            client.loop_start()
        assert ready.acquire(timeout=PATIENCE_S) and ready.acquire(timeout=PATIENCE_S)

    def _up(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic.endswith(DOWN):
            return
        payload, properties = bytes(message.payload), _carried(message)
        if self.steals and message.topic.endswith("/ledger"):
            payload = self._bent(inflate(getattr(properties, "ContentType", None), payload))
            properties.ContentType = CONTENT_JSON
        self._to_city.publish(message.topic, payload, 1, message.retain, properties)

    def _bent(self, plain: bytes) -> bytes:
        batch = json.loads(plain)
        numbered = list(enumerate(batch["entries"], batch["first"]))
        thin = [seq for seq, entry in numbered if entry.get("kind") == "item_count"]
        strip = [each["seq"] for each in batch["seals"]]
        self.stolen += len(thin) + len(strip)
        return relayed(plain, thin, strip)

    def _down(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic.endswith(DOWN):
            retain = message.topic.endswith("ack")
            payload = bytes(message.payload)
            self._to_station.publish(message.topic, payload, 1, retain, _carried(message))

    def close(self) -> None:
        for client in (self._to_city, self._to_station):
            client.disconnect()
            client.loop_stop()


def _carried(message: paho.MQTTMessage) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name in ("ContentType", "ResponseTopic", "CorrelationData"):
        if (value := getattr(message.properties, name, None)) is not None:
            setattr(properties, name, value)
    return properties


class Town:
    """A station behind a thief, and its city."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url, self.key = url, folder / "city.key"
        signer = Signer.generate(self.key)
        with opened(url) as engine, engine.begin() as connection:
            add_station(connection, CITY, STATION, STATION_KEY.public_key)
        for name in ("station", "near", "far"):
            (folder / name).mkdir()
        self.near, self.far = Mosquitto(folder / "near"), Mosquitto(folder / "far")
        self.thief = Thief(self.near.port, self.far.port)
        self.station = ObedientStation(folder / "station", signer.public_key)
        self.database = CityDatabase(url)
        self.programs: list[Program] = [
            receiver(folder / "receiver.log", url, self.far.port, key=self.key),
            uplink(folder / "uplink.log", self.station.socket, self.near.port),
        ]

    def a_day(self) -> None:
        for person in (b"a", b"b", b"a"):
            checkin = Checkin(None, None, "qr", True, 1, 5)
            self.station.ledger.append([Item(checkin, pseudonym=person * 16)])
            self.station.ledger.append([Item(ItemCount("carton", "b2", None, 2, None))])

    def signed_for(self) -> bool:
        return self.station.ledger.watermark == self.station.ledger.head[0]

    def findings(self) -> dict[str, str]:
        with opened(self.url) as engine, engine.connect() as connection:
            (care,) = look(connection, utc_ms() + lacking.GRACE_MS)
        return {one.code: one.todo for one in care.findings}

    def order(self, *words: str) -> None:
        call = ["command", STATION, *words, "--city", CITY, "--database", self.url]
        with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as ended:
            main([*call, "--key", str(self.key), "--json"])
        assert ended.value.code == 0

    def points(self) -> list[int]:
        return [int(row[0]) for row in self.database.rows("SELECT points FROM balance ORDER BY 1")]

    def counted(self) -> int:
        return int(self.database.rows("SELECT coalesce(sum(pieces), 0) FROM day_item")[0][0])

    def close(self) -> None:
        for program in self.programs:
            program.kill()
        self.thief.close()
        self.database.close()
        self.station.stop()
        self.near.kill()
        self.far.kill()


@pytest.fixture
def town(tmp_path: Path, city_url: str) -> Iterator[Town]:
    town = Town(tmp_path, city_url)
    yield town
    town.close()


def test_what_a_thief_on_the_line_takes_is_told_and_comes_right_with_a_resend(town: Town) -> None:
    town.a_day()
    eventually(lambda: town.signed_for() and town.station.ledger.head[0] > 1, "the city signs")
    assert town.thief.stolen > 0
    assert (town.points(), town.counted()) == ([], 0)
    told = town.findings()
    assert told.keys() == {"thinned", "unopened"}
    seq = told["unopened"].split(" resend ")[1].split()[0]

    town.order("resend", seq)
    stolen = town.thief.stolen
    eventually(lambda: town.thief.stolen > stolen, "the thief is asked as well, and steals again")
    assert town.findings().keys() == {"thinned", "unopened"}

    town.thief.steals = False
    town.order("resend", seq)
    eventually(lambda: not town.findings(), "nothing is lacking any more")
    assert (town.points(), town.counted()) == ([5, 10], 6)
    town.order("resend", "1")
    head = town.station.ledger.head[0]
    eventually(lambda: town.station.ledger.head[0] > head and town.signed_for(), "once more")
    assert (town.points(), town.counted()) == ([5, 10], 6)
    assert town.database.count("seal") == 3
    (checked,) = ask("verify", "--database", town.url)
    assert checked["faults"] == []

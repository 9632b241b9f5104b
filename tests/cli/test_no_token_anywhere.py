"""A day of a station with its city, and then a search through everything that the day left behind."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from field_station import FieldStation, free_port
from hw_sim.pn532_peer import Tag
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from token_search import Needle, found, inflated, needles

from kiosk.core.cards import CardBody, day_of, issue, pseudonym
from sync.receiver.cli import main as receiver_main

CITY, STATION = "demo", "field-1"
DEBUG = (
    "import logging; logging.basicConfig(level=logging.DEBUG); from {module} import main; main()"
)
"""The programs as they are, but with everybody's debug log on."""
UID, IDM, CLOSED_UID = (
    bytes.fromhex(text) for text in ("04c9a71fe3b25d", "0127d6b1e95c8a43", "0496e17bd2f8ac")
)
GOOD_ID, RENEWED_ID, FORGED_ID = (random.Random(n).randbytes(10) for n in range(3))


class Broker:
    """A mosquitto that logs all it can, and somebody who keeps every message."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        folder.mkdir()
        config = folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_type all\n{user}"
            f"log_dest file {folder / 'broker.log'}\npersistence true\n"
            f"persistence_location {folder}/\nautosave_interval 1\n"
        )
        path = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
        self.process = subprocess.Popen(["mosquitto", "-c", str(config)], env={"PATH": path})
        while not self._listens():
            assert self.process.poll() is None
        self._capture = (folder / "captured").open("ab")
        self.heard: list[str] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", self.port)
        self._client.subscribe("#", qos=1)
        self._client.loop_start()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _keep(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        for part in (message.topic.encode(), message.payload, inflated(message.payload)):
            self._capture.write(part + b"\n")
        self._capture.flush()
        self.heard.append(message.topic)

    def close(self) -> None:
        self._client.loop_stop()
        self._capture.close()
        self.process.terminate()
        self.process.wait()


class Day:
    """A station, its uplink, the broker and the receiver, all below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "s").mkdir()
        self.field = FieldStation(folder / "s")
        self.field.program = [sys.executable, "-c", DEBUG.format(module="kiosk.cli")]
        self.broker = Broker(folder / "broker")
        self.database = f"sqlite:///{folder / 'city.db'}"
        keys = self.field.folder / "keys"
        self.card_key = bytes.fromhex((keys / "card.key").read_text().strip())
        self.name_key = bytes.fromhex((keys / "pseudonym.key").read_text().strip())
        self.receiver: subprocess.Popen[bytes] | None = None

    def city(self, *words: str) -> None:
        with pytest.raises(SystemExit) as ended:
            receiver_main([*words, "--database", self.database])
        assert ended.value.code == 0

    def begin(self, public_key: str) -> None:
        with self.field.settings.open("a", encoding="utf-8") as file:
            file.write(
                f'\n[city]\npublic_key = "{public_key}"\n'
                f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker.port}\n'
            )
        self.field.plug_all()
        with (self.folder / "receiver.log").open("wb") as log:
            self.receiver = subprocess.Popen(
                [
                    *(sys.executable, "-c", DEBUG.format(module="sync.receiver.cli")),
                    *("run", "--database", self.database),
                    *("--broker", f"mqtt://127.0.0.1:{self.broker.port}"),
                ],
                stderr=log,
            )
        self.field.start()
        self.field.start_uplink()

    def qr(self, random_id: bytes, *, key: bytes | None = None, year: int = 2099) -> str:
        body = CardBody(1, day_of(year, 3, 31), random_id)
        return issue(body, key or self.card_key).decode()

    def shown(self, what: str, count: int) -> None:
        self.field.until(lambda: self.field.view()[what] == count, f"never {count} {what}")

    def shoot(self, name: str) -> None:
        """What a look at the running processes, the screen and the command line gives, kept as files."""
        out = self.folder / f"looked-{name}"
        out.mkdir()
        field = self.field
        for words in (("status",), ("doctor",), ("ledger", "show"), ("ledger", "export")):
            (out / "-".join(words)).write_text(field.said(*words))
        (out / "view").write_text(str(field.view()))
        with urllib.request.urlopen(f"http://127.0.0.1:{field._port}/") as page:
            (out / "page").write_bytes(page.read())
        for process in (field.process, field.uplink, self.receiver):
            assert process is not None
            for what in ("cmdline", "environ"):
                try:
                    data = Path(f"/proc/{process.pid}/{what}").read_bytes()
                except PermissionError:  # the kernel keeps a process without dumps to itself
                    assert what == "environ"
                    continue
                assert data or what == "environ"
                (out / f"{what}-{process.pid}").write_bytes(data)

    def back_up(self) -> None:
        """As an operator does it: the database's own copy, and the folder as it lies there."""
        shutil.copytree(
            self.field.folder, self.folder / "copied",
            ignore=lambda _folder, names: [n for n in names if n in ("control.sock", "nfc", "indicator")],
        )  # fmt: skip
        with (
            closing(sqlite3.connect(self.field.folder / "ledger.db")) as ledger,
            closing(sqlite3.connect(self.folder / "backup.db")) as copy,
        ):
            ledger.backup(copy)

    def end(self) -> None:
        self.field.stop()
        for process in (self.field.uplink, self.receiver):
            if process is not None:
                process.terminate()
                process.wait()


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    with ExitStack() as held:
        day = Day(tmp_path)
        held.callback(day.broker.close)
        held.enter_context(day.field)
        held.callback(lambda: day.receiver and day.receiver.kill())
        yield day


def test_a_days_files_messages_logs_and_backups_hold_no_token_and_no_uid(
    day: Day, capsys: pytest.CaptureFixture[str]
) -> None:
    field = day.field
    # Crashes may dump, if anything here lets them.
    day.city("key")
    public_key = capsys.readouterr().out.strip()
    station_key = field.kiosk("status", "--json")["public_key"]
    day.city("station", "add", STATION, "--city", CITY, "--key", station_key)
    closed = pseudonym(day.name_key, "nfc", CLOSED_UID)
    day.city("cards", "close", closed.hex(), "--city", CITY)
    day.city("cards", "publish", "--city", CITY)
    day.begin(public_key)
    nfc, camera = field.nfc, field.camera
    assert nfc is not None and camera is not None

    forged = day.qr(FORGED_ID, key=bytes(32))
    good = day.qr(GOOD_ID)
    field.until(lambda: field.kiosk("status", "--json")["lists"][0]["version"], "no list came")
    camera.show(good, 30.0)
    day.shown("checkins", 1)
    camera.hide()
    nfc.place(Tag(UID))
    day.shown("checkins", 2)
    nfc.place(Tag(CLOSED_UID))
    day.shown("refusals", 1)
    camera.show(forged, 30.0)
    day.shown("refusals", 2)
    camera.show("A-LIBRARY-CARD-0815-4711", 30.0)
    day.shown("refusals", 3)
    camera.hide()
    nfc.remove()
    day.shoot("morning")
    day.back_up()

    field.unplug_nfc()
    field.until(lambda: field.logged("reader:nfc is lost"), "the reader is not missed")
    assert field.process is not None
    os.kill(field.process.pid, signal.SIGABRT)  # a crash with the card still in mind
    field.process.wait()
    nfc = field.plug_nfc()
    field.start()
    nfc.place(Tag(IDM, kind="felica"))
    day.shown("checkins", 1)
    camera.show(day.qr(RENEWED_ID), 30.0)
    day.shown("checkins", 2)
    day.shoot("noon")
    field.until(
        lambda: field.kiosk("sync", "status", "--json")["queue"] == 0, "the city lacks some"
    )
    day.end()
    assert {topic.split("/")[-1] for topic in day.broker.heard} >= {"ledger", "ack", "delta"}
    assert "DEBUG" in field.log.read_text(), "the logs are the loudest there are"

    secrets = {
        "the good card": good.encode(),
        "its random id": GOOD_ID,
        "the renewed card": day.qr(RENEWED_ID).encode(),
        "its id": RENEWED_ID,
        "the forged card": forged.encode(),
        "the forged id": FORGED_ID,
        "the library's": b"A-LIBRARY-CARD-0815-4711",
        "the UID": UID,
        "the IDm": IDM,
        "the closed UID": CLOSED_UID,
    }
    wanted = [one for name, data in secrets.items() for one in needles(name, data)]
    assert found(day.folder, wanted) == []

    name = pseudonym(day.name_key, "nfc", UID)
    names = list(needles("the pseudonym", name))
    kept = found(day.folder, names)
    assert any("ledger.db" in place for place in kept), "the search finds what is there"
    assert any("city.db" in place for place in kept)
    assert any("captured" in place for place in kept), "in messages too"
    # The export carries seals to the city, as the messages do; nothing that people look at does.
    shown = [place for place in kept if ".log" in place or "looked" in place]
    assert not [place for place in shown if "ledger-export" not in place]

    planted = plant(day.folder / "planted", wanted)
    places = found(planted, wanted)
    for number, one in enumerate(wanted):
        assert f"{number}: {one.secret}, {one.form}" in places, "the search is blind for it"
    assert "database: the UID, hex with ''" in places
    assert "database: the IDm, bytes" in places


def plant(folder: Path, wanted: list[Needle]) -> Path:
    """Each form of each secret in a file of noise of its own; two of them in a database as well."""
    folder.mkdir()
    noise = random.Random(7)
    for number, one in enumerate(wanted):
        (folder / f"{number}").write_bytes(noise.randbytes(50) + one.data + noise.randbytes(50))
    with closing(sqlite3.connect(folder / "database")) as database:
        database.execute("CREATE TABLE t(a TEXT, b BLOB)")
        database.execute("INSERT INTO t VALUES (?, ?)", (UID.hex(), IDM))
        database.commit()
    return folder

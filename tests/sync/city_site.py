"""Station, uplink, broker and receivers as they run: real processes over a real mosquitto."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from sync_site import BOOT, CITY, STATION, STATION_KEY, UTC_MS

from kiosk import words
from kiosk.cards.list_files import City as ListCity
from kiosk.cards.lists import CardLists
from kiosk.control import ControlServer
from kiosk.control.ledger_ops import ledger_ops
from kiosk.core.cards.lists import ListUse
from kiosk.core.cards.staleness import StaleRules
from kiosk.core.effects import Item
from kiosk.core.entries import At, Checkin, Clock, Opening, Weighing
from kiosk.core.events import Moment
from kiosk.ledger import Ledger
from sync.receiver.cli import main as receiver_main

PATIENCE_S = 40.0
BIN = Path(sys.executable).parent


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait until ``true``; a story that never gets there fails by its name."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < give_up_s, f"never: {what}"
        time.sleep(0.05)


class Mosquitto:
    """A real broker on its own port; it keeps nothing, and may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "persistence false\nmax_inflight_messages 20\nlog_type error\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"},
        )  # fmt: skip
        eventually(self._listens, "mosquitto listens")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


class Station:
    """The ledger and its control socket, as the station's process holds them."""

    def __init__(self, folder: Path, city_key: bytes) -> None:
        self.folder = folder
        self.socket = folder / "control.sock"
        self.city_key = city_key
        self.links: list[dict[str, Any]] = []
        self.handed: list[str] = []
        """Topics on which words on lists of cards were handed in."""
        self.later_days = 0
        self.use: ListUse = "as_sent"
        self._ms = 60_000
        self._gross_g = 0
        self.start()

    def start(self) -> None:
        self.ledger = Ledger.open(
            self.folder,
            station=STATION,
            city=CITY,
            signer=STATION_KEY,
            city_key=self.city_key,
            software="test",
            openings={"b1": Opening(0, None, 1)},
            items={"b1": "pet-bottle"},
            clock=self._at,
            day_of=lambda utc_ms: utc_ms // 86_400_000,
        )
        self.lists = CardLists(
            self.folder / "cards",
            city=ListCity(CITY, self.city_key),
            use=self.use,
            rules=StaleRules(30, 90, "accept_proving"),
            now=self.now,
        )
        ops = dict(
            ledger_ops(
                self.ledger,
                station=STATION,
                city=CITY,
                software="test",
                listens=words.topics([self.lists]),
            )
        )
        ops["word"] = self._word
        ops["link"] = lambda args: self.links.append(args) or {}  # type: ignore[func-returns-value]
        ops["health"] = lambda _: {
            "queue": self.ledger.head[0] - self.ledger.watermark,
            "uptime_s": self._ms // 1000,
            "scales": {"b1": "ready"},
            "readers": {},
        }
        self._server = ControlServer(self.socket, ops)
        self._server.start()

    def stop(self) -> None:
        self.ledger.end_waits()  # first, or the uplink's long poll holds up the end
        self._server.stop()
        self.ledger.close()

    def know_the_time(self) -> None:
        self.ledger.append([Item(Clock(UTC_MS, 50, "ntp"))])

    def check_in(self) -> None:
        draft = Checkin(None, None, "qr", True, 0, 0)
        self.ledger.append([Item(draft, pseudonym=b"p" * 16)])

    def drop(self, count: int = 1) -> None:
        """``count`` drops of 100 g, in one transaction."""
        before_g = self._gross_g
        self._gross_g += 100 * count
        self.ledger.append(
            [
                Item(
                    Weighing(
                        "b1", "pet-bottle", "bag-1", None, 100, before_g + 100 * n,
                        before_g + 100 * (n + 1), 20, 20, 1, "estimate", 1, 0, 0,
                    )
                )
                for n in range(count)
            ]
        )  # fmt: skip

    def now(self) -> Moment:
        """A synchronised clock, ``later_days`` from now."""
        utc_ms = time.time_ns() // 1_000_000 + self.later_days * 86_400_000
        return Moment(time.monotonic_ns() // 1_000_000, utc_ms, "synced", utc_ms // 86_400_000)

    def _word(self, args: dict[str, Any]) -> dict[str, Any]:
        self.handed.append(args["topic"])
        return words.handler([self.lists])(args)

    def _at(self) -> At:
        self._ms += 1000
        return At(BOOT, self._ms, UTC_MS, "unsynced")


class Program:
    """A process that can be killed and started again; its log is read from a file."""

    def __init__(self, log: Path, *command: str | Path) -> None:
        self._log = log
        self._command = [str(part) for part in command]
        self.start()

    def start(self) -> None:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stderr=log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def has_said(self, words: str) -> bool:
        return words in self._log.read_text(encoding="utf-8")

    def times_said(self, words: str) -> int:
        return self._log.read_text(encoding="utf-8").count(words)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def terminate(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_S)


def receiver(
    log: Path, database: str, port: int, *, key: Path | None = None, user: str = ""
) -> Program:
    """A receiver that listens: what is published before is heard by nobody, and comes again."""
    broker = f"mqtt://{user}@127.0.0.1:{port}" if user else f"mqtt://127.0.0.1:{port}"
    command = [BIN / "kiosk-receiver", "run", "--database", database, "--broker", broker]
    if key is not None:
        command += ["--key", key]
    program = Program(log, *command)
    try:
        eventually(lambda: program.has_said("listening"), "the receiver listens")
    except AssertionError:
        program.kill()
        raise
    return program


def uplink(log: Path, control: Path, port: int) -> Program:
    script = Path(__file__).with_name("uplink_process.py")
    return Program(log, sys.executable, script, control, str(port))


def ask(*args: str) -> Any:
    """``kiosk-receiver … --json``, in this process: a hundred starts of it are no story's point."""
    out = io.StringIO()
    with redirect_stdout(out):
        try:
            receiver_main([*args, "--json"])
        except SystemExit as end:
            assert end.code == 0, out.getvalue()
    return json.loads(out.getvalue())


@dataclass(frozen=True)
class Heard:
    """One message on the broker."""

    topic: str
    payload: bytes
    content_type: str | None
    retained: bool


class Listener:
    """Hears everything on the broker, or under ``topics``."""

    def __init__(self, port: int, topics: str = "kiosk/#", *, user: str | None = None) -> None:
        self.heard: list[Heard] = []
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._ready.set()
        if user is not None:
            self._client.username_pw_set(user)
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topics, qos=1)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        content_type = getattr(message.properties, "ContentType", None)
        self.heard.append(
            Heard(message.topic, bytes(message.payload), content_type, message.retain)
        )

    def on(self, name: str) -> list[Heard]:
        return [each for each in list(self.heard) if each.topic.endswith("/" + name)]

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        content_type: str | None = None,
    ) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if content_type is not None:
            properties.ContentType = content_type
        sent = self._client.publish(topic, payload, qos, retain, properties)
        sent.wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class CityDatabase:
    """Looks into the city's database from beside."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def close(self) -> None:
        self._engine.dispose()


def rewriting_examples() -> bool:
    """``KIOSK_REWRITE_EXAMPLES=1``: keep what was captured as the contract's examples."""
    return os.environ.get("KIOSK_REWRITE_EXAMPLES") == "1"

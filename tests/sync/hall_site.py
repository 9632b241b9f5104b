"""Whole stations in a city: ``kiosk run``, ``kiosk uplink`` and ``kiosk doctor`` as processes, client
certificates at a real mosquitto with the list of rights that the project ships, the receiver behind it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from city_site import BIN, CityDatabase, Listener, Program, ask, eventually, receiver
from hw_sim.station_file import head, make_keys
from sync_site import CITY
from tls_site import Authority, TlsMosquitto, free_port

from kiosk.cli.texts import Words
from sync.signing import Signer

ROOT = Path(__file__).resolve().parents[2]
HOST = "broker.example"
SLACK_S = 30.0
"""What a busy machine adds to a bound before a story gives up."""

SETTINGS = """
[[bin]]
id = "b1"
item = "carton"

[city]
public_key = "{key}"

[mqtt]
host = "{host}"
port = {port}
ca_file = "{ca}"
cert_file = "hall.crt"
key_file = "hall.key"
"""


class Office:
    """A broker with its rights, and a receiver behind it. Brokers of one city share ``database``."""

    def __init__(self, folder: Path, authority: Authority, database: str) -> None:
        folder.mkdir()
        self._acl = folder / "kiosk.acl"
        self._rights = (ROOT / "config/mosquitto.acl").read_text(encoding="utf-8")
        self._acl.write_text(self._rights, encoding="utf-8")
        server = authority.issue(HOST, host=HOST)
        self.broker = TlsMosquitto(folder, authority, server, f"acl_file {self._acl}")
        log = folder / "receiver.log"
        self._receiver = receiver(log, database, self.broker.port, user="receiver")

    def allow(self, *, ledgers: bool) -> None:
        """Whether stations may publish their ledgers. A right is taken by a restart, which is certain at
        once, and given while the broker runs."""
        line = "pattern write kiosk/v1/%u/ledger\n"
        assert self._rights.count(line) == 1
        self._acl.write_text(self._rights if ledgers else self._rights.replace(line, ""), "utf-8")
        if ledgers:
            self.broker.reload()
        else:
            self.broker.restart()

    def hang(self, *, hung: bool) -> None:
        """The broker's process stands still: the kernel takes bytes, nobody answers."""
        os.kill(self.broker.pid, signal.SIGSTOP if hung else signal.SIGCONT)

    def say(self, topic: str, payload: bytes) -> None:
        """Retained, with the receiver's rights."""
        listener = Listener(self.broker.port, user="receiver")
        try:
            listener.publish(topic, payload, retain=True)
        finally:
            listener.close()

    def close(self) -> None:
        self._receiver.kill()
        self.broker.kill()


class Hall:
    """One station. ``keys`` of another one make it a copy; it has a ledger of its own all the same."""

    def __init__(
        self, folder: Path, name: str, office: Office, authority: Authority, city_key: str,
        *, keys: Path | None = None,
    ) -> None:  # fmt: skip
        folder.mkdir()
        self.folder, self.name, self.touches = folder, name, 0
        self._authority = authority
        self._uplink_log = folder / "uplink.log"
        self._seen = 0
        self.hosts(known=True)
        if keys is not None:
            shutil.copytree(keys, folder / "keys")
        else:
            make_keys(folder / "keys")
        self.certificate((-1, 365))
        self._screen = free_port()
        self._settings = folder / "station.toml"
        self._settings.write_text(
            head(name, CITY, screen_port=self._screen)
            + SETTINGS.format(
                key=city_key, host=HOST, port=office.broker.tls_port, ca=authority.ca
            ),
            encoding="utf-8",
        )
        config = ("--config", self._settings)
        self._config = config
        self.run = Program(folder / "run.log", BIN / "kiosk", "run", *config)
        self.uplink: Program | None = None

    def start_uplink(self) -> None:
        eventually(lambda: self.run.has_said("is up"), "the station is up")
        script = Path(__file__).with_name("kiosk_process.py")
        self.uplink = Program(
            self._uplink_log, sys.executable, script, self.folder / "hosts", "uplink", *self._config
        )

    @property
    def public_key(self) -> str:
        return Signer.load(self.folder / "keys/station.key").public_key.hex()

    # -- what breaks and is mended -----------------------------------------------------------------

    def hosts(self, *, known: bool) -> None:
        """Whether this machine's name service knows the broker."""
        line = f"{HOST} 127.0.0.1\n" if known else ""
        (self.folder / "hosts").write_text(line, encoding="utf-8")

    def certificate(self, days: tuple[int, int]) -> None:
        """Another certificate lies there, good from and until so many days from now."""
        issued = self._authority.issue(f"{CITY}/{self.name}", days=days)
        for new, place in ((issued.cert, "hall.crt"), (issued.key, "hall.key")):
            (self.folder / place).write_bytes(new.read_bytes())

    def touch(self) -> None:
        """Somebody counts a piece on the screen."""
        page = f"http://127.0.0.1:{self._screen}"
        with urllib.request.urlopen(page, timeout=SLACK_S) as answer:
            token = re.search(r'name="kiosk-token" content="([^"]+)"', answer.read().decode())
        assert token is not None
        sent = urllib.request.Request(
            f"{page}/act",
            json.dumps({"action": "count", "bin": "b1"}).encode(),
            {"content-type": "application/json", "origin": page, "x-kiosk-token": token[1]},
        )
        with urllib.request.urlopen(sent, timeout=SLACK_S) as answer:
            assert answer.status == 204
        self.touches += 1

    # -- what is told ------------------------------------------------------------------------------

    def told(self, *codes: str, level: str | None = None, within_s: float) -> None:
        """The uplink comes to say one of these codes, and then ``kiosk doctor`` says it in words."""
        until(lambda: self.has_said(*codes), within_s, self._new)
        found: dict[str, Any] = {}

        def says() -> bool:
            found.update(self.doctor("link"))
            return found["cause"] in codes

        until(says, 0, lambda: f"the doctor says {codes}: {found}")
        assert found["level"] == (level or found["level"]) != "OK"
        assert Words("ja")(f"cause.{found['cause']}") in found["what"] and found["todo"]

    def has_said(self, *codes: str) -> bool:
        """Whether the uplink has, since all was well."""
        return any(f" {code} " in self._new() for code in codes)

    def well(self, *, within_s: float) -> None:
        """Once more ``kiosk doctor`` finds nothing to say."""
        self.connected(within_s=within_s)
        until(lambda: self.doctor("link")["case"] == "ok", 0, self._log)

    def connected(self, *, within_s: float) -> None:
        """The uplink is, and nothing is wrong: that is the last it said."""
        until(lambda: self._new().rstrip(" \n").endswith("online=True"), within_s, self._new)
        self._seen = len(self._log())

    def doctor(self, check: str) -> dict[str, Any]:
        """What ``kiosk doctor --json CHECK`` finds."""
        done = subprocess.run(
            [BIN / "kiosk", "doctor", check, "--json", *self._config],
            capture_output=True, encoding="utf-8", timeout=SLACK_S,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        (found,) = json.loads(done.stdout)["findings"]
        assert isinstance(found, dict)
        return found

    def _new(self) -> str:
        """What the uplink has said since all was well."""
        return self._log()[self._seen :]

    def _log(self) -> str:
        return self._uplink_log.read_text(encoding="utf-8") if self._uplink_log.exists() else ""

    def close(self) -> None:
        for program in (self.uplink, self.run):
            if program is not None:
                program.kill()


class Town:
    """The city's database, its authority, brokers and stations: all of it started, and all of it ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._url = f"sqlite:///{folder / 'city.db'}"
        self._key: str = ask("key", "--database", self._url)["public_key"]
        self._authority = Authority(folder)
        self._offices: list[Office] = []
        self._halls: list[Hall] = []
        self._database: CityDatabase | None = None

    def office(self) -> Office:
        folder = self._folder / f"office-{len(self._offices)}"
        self._offices.append(Office(folder, self._authority, self._url))
        return self._offices[-1]

    def hall(self, name: str, office: Office, *, copy_of: Hall | None = None) -> Hall:
        folder = self._folder / f"folder-{len(self._halls)}"
        keys = None if copy_of is None else copy_of.folder / "keys"
        hall = Hall(folder, name, office, self._authority, self._key, keys=keys)
        self._halls.append(hall)
        if copy_of is None:
            key = ("--key", hall.public_key, "--database", self._url)
            ask("station", "add", name, "--city", CITY, *key)
        return hall

    def arrived(self, *halls: Hall, within_s: float) -> None:
        """The city comes to have every touch of these halls, each once."""
        self._database = self._database or CityDatabase(self._url)
        touches = sum(hall.touches for hall in halls)
        where = f"kind = 'item_count' AND station = '{halls[0].name}'"
        rows, database = f"SELECT count(*) FROM entry WHERE {where}", self._database
        until(lambda: database.rows(rows) == [(touches,)], within_s, lambda: f"{touches} touches")
        assert database.count("parked") == 0

    def holds(self) -> bool:
        """``kiosk-receiver verify`` finds nothing."""
        return not any(each["faults"] for each in ask("verify", "--database", self._url))

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        for each in (*self._halls, *self._offices):
            each.close()


def until(true: Callable[[], bool], within_s: float, seen: Callable[[], str]) -> None:
    """As ``eventually``, with a promised bound that is longer or shorter, and what was seen instead."""
    give_up_s = time.monotonic() + within_s + SLACK_S
    while not true():
        assert time.monotonic() < give_up_s, f"not within {within_s} s: {seen()}"
        time.sleep(0.1)

"""Catalogue and tariff from ``kiosk-receiver`` over a real mosquitto to a real ``kiosk run``."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
from city_site import (
    BIN,
    CityDatabase,
    Listener,
    Mosquitto,
    Program,
    ask,
    eventually,
    receiver,
    rewriting_examples,
)
from ends_site import check, plain
from hw_sim.station_file import CATALOGUE, head, make_keys

from kiosk.control import ControlClient
from kiosk.core.errors import OperatorError
from sync.asyncapi import EXAMPLES
from sync.signing import Signer

SETTINGS = """
[[bin]]
id = "b1"
item = "carton"
[points]
mode = "visit"
[city]
public_key = "{key}"
[mqtt]
host = "127.0.0.1"
port = {port}
keepalive_s = 5
"""


class Town:
    """A city, and one station without scales or readers: all of it in processes of their own."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.broker = folder, broker
        self.url = f"sqlite:///{folder / 'city.db'}"
        self.key = ask("key", "--database", self.url)["public_key"]
        make_keys(folder / "keys")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.screen: int = probe.getsockname()[1]
        text = head("hall-1", "demo", screen_port=self.screen) + SETTINGS.format(
            key=self.key, port=broker.port
        )
        (folder / "station.toml").write_text(text, encoding="utf-8")
        public = Signer.load(folder / "keys/station.key").public_key.hex()
        ask(
            "station", "add", "hall-1", "--city", "demo", "--key", public, "--database", self.url
        )  # fmt: skip
        self.listener = Listener(broker.port)
        self.database = CityDatabase(self.url)
        self.programs: list[Program] = []

    def start(self, *words: str) -> Program:
        log = self.folder / f"{'-'.join(words)}.log"
        program = Program(log, BIN / "kiosk", *words, "--config", self.folder / "station.toml")
        self.programs.append(program)
        return program

    def receiver(self) -> Program:
        self.programs.append(receiver(self.folder / "city.log", self.url, self.broker.port))
        return self.programs[-1]

    def close(self) -> None:
        for program in reversed(self.programs):
            program.kill()
        self.listener.close()
        self.database.close()

    def publish(self, kind: str, text: str, *more: str) -> Any:
        file = self.folder / f"to-publish-{kind}.toml"
        file.write_text(text, encoding="utf-8")
        whose = ("--city", "demo", "--database", self.url)
        (told,) = ask(kind, "publish", str(file), *whose, *more)
        return told

    def show(self, kind: str) -> Any:
        return ask(kind, "show", "--city", "demo", "--database", self.url)

    def kiosk(self, *words: str) -> Any:
        ran = subprocess.run(
            [BIN / "kiosk", *words, "--json", "--config", self.folder / "station.toml"],
            capture_output=True,
            text=True,
        )
        return json.loads(ran.stdout)

    def counts_by(self, kind: str) -> tuple[str, int]:
        """What the running station says."""
        here = {one["kind"]: (one["source"], one["version"]) for one in self.facts()}
        return here.get(kind, ("", 0))

    def facts(self) -> list[dict[str, Any]]:
        """Asked on the socket, as the command line does, at a tenth of its cost."""
        try:
            with ControlClient(self.folder / "run/control.sock", timeout_s=30) as client:
                return list(client.call("facts")["town"])
        except OperatorError:
            return []  # it is starting

    def refused(self, kind: str) -> str | None:
        return next((one["refused"] for one in self.facts() if one["kind"] == kind), None)

    def doctor(self) -> set[tuple[str, str, str | None]]:
        """What ``kiosk doctor town`` finds wrong."""
        findings = self.kiosk("doctor", "town")["findings"]
        wrong = [one for one in findings if one["level"] != "OK"]
        return {(one["case"], one["subject"], one["cause"]) for one in wrong}

    def at_city(self, kind: str) -> tuple[str | None, int | None, str | None]:
        """As ``kiosk-receiver tariff show`` has it."""
        found = self.database.rows(
            f"SELECT source, version, refused FROM town_station WHERE kind = '{kind}'"
        )
        return found[0] if found else (None, None, None)  # type: ignore[return-value]

    def bin_name(self) -> str:
        """As the residents' page has it."""
        with urlopen(f"http://127.0.0.1:{self.screen}/", timeout=30) as page:
            text = page.read().decode()
        data = json.loads(text.split('id="setup"')[1].split(">", 1)[1].split("<")[0])
        return str(data["setup"]["items"]["carton"]["ja"]["name"])


@pytest.fixture
def town(tmp_path: Path, broker: Mosquitto) -> Iterator[Town]:
    town = Town(tmp_path, broker)
    yield town
    town.close()


def tariff(version: int, points: int) -> str:
    return f'version = {version}\nmode = "visit"\nper_visit = {points}\n'


def two_items(version: int) -> str:
    """A small catalogue, which an example has room for."""
    text = CATALOGUE.read_text(encoding="utf-8")
    _, *parts = text.split("\n[item.")
    kept = [part for part in parts if part.startswith(("carton", "pet-bottle"))]
    return f"version = {version}\n" + "".join(f"\n[item.{part}" for part in kept)


def test_a_station_takes_what_the_city_says_keeps_it_offline_and_tells_what_it_refuses(
    town: Town,
) -> None:
    assert town.publish("tariff", tariff(2, 3))["version"] == 2
    second = two_items(2).replace('ja = "紙パック"', 'ja = "牛乳パック"')
    city = town.receiver()
    station, uplink = town.start("run"), town.start("uplink")
    eventually(lambda: town.counts_by("tariff") == ("city", 2), "the tariff is in force")
    name = town.bin_name()
    town.publish("catalogue", second)
    eventually(lambda: town.counts_by("catalogue") == ("city", 2), "the catalogue is in force")
    eventually(lambda: town.bin_name() != name, "the page has the new name, without a restart")
    eventually(lambda: town.at_city("tariff") == ("city", 2, None), "the city hears of it")

    for kind in ("catalogue", "tariff"):
        messages = town.listener.on(f"demo/{kind}")
        assert messages, f"no {kind} was captured"
        for message in messages:
            check(kind, plain(message))
        if rewriting_examples():
            example = msgspec.json.format(msgspec.json.encode(plain(messages[-1])), indent=1)
            (EXAMPLES / f"{kind}.json").write_bytes(example + b"\n")

    # Somebody on the broker says what the city did not sign.
    (true,) = town.listener.on("demo/tariff")
    forged = plain(true)
    forged["words"][0]["version"] = 9
    town.listener.publish(true.topic, json.dumps(forged).encode(), retain=True)
    eventually(lambda: town.refused("tariff") == "bad_signature", "it is refused")
    eventually(
        lambda: str(town.at_city("tariff")[2]).startswith("bad_signature"), "the city sees it"
    )
    assert town.counts_by("tariff") == ("city", 2)
    assert town.doctor() == {("refused", "tariff", "town_forged")}
    (told,) = town.show("tariff")["stations"]
    assert (told["version"], told["refused"]) == (2, town.at_city("tariff")[2])

    # Away: the old one goes on, also through a restart; the next one comes when the line is back.
    uplink.kill()
    station.kill()
    town.publish("tariff", tariff(3, 5))
    eventually(lambda: len(town.listener.on("demo/tariff")) >= 3, "the third is on the broker")
    station.start()
    eventually(lambda: town.counts_by("tariff") == ("city", 2), "the second counts offline")
    uplink.start()
    eventually(lambda: town.counts_by("tariff") == ("city", 3), "the third counts")
    eventually(lambda: town.at_city("tariff") == ("city", 3, None), "and all is well at the city")

    # A broker that lost everything, and an old word that somebody kept.
    city.kill()
    town.broker.kill()
    town.broker.start()
    listener = Listener(town.broker.port)
    listener.publish(true.topic, true.payload, retain=True, content_type=true.content_type)
    eventually(lambda: town.refused("tariff") == "old", "the old word is refused and told")
    assert town.counts_by("tariff") == ("city", 3)
    city.start()
    eventually(lambda: town.refused("tariff") is None, "the city says it again")
    listener.close()


def test_a_tariff_comes_into_force_at_its_moment(town: Town) -> None:
    town.receiver()
    town.start("run"), town.start("uplink")
    town.publish("tariff", tariff(2, 3))
    eventually(lambda: town.counts_by("tariff") == ("city", 2), "the first is in force")
    moment = datetime.now(UTC) + timedelta(seconds=4)
    town.publish("tariff", tariff(3, 5), "--effective", moment.isoformat())
    eventually(lambda: town.counts_by("tariff") == ("city", 3), "the next is in force")
    assert datetime.now(UTC) >= moment
    eventually(lambda: town.at_city("tariff") == ("city", 3, None), "the city knows")
    rows = town.database.rows("SELECT body FROM entry WHERE kind = 'tariff' ORDER BY seq")
    assert [json.loads(body)["version"] for (body,) in rows] == [2, 3]

"""The demo's folder: keys, cards, settings and broker, made before anything runs.

Everything of a run lies below one folder, so that nothing of this machine is touched. A run without
DEMO_KEEP begins with an empty folder; one that was not made by the demo is never emptied.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import IO

from hw_sim.residents import Card
from hw_sim.scenario import (
    COUNTS_PER_GRAM,
    DIVISION_G,
    MAX_G,
    ZERO_COUNTS,
    BinRig,
    Scenario,
    demo_rig,
    load,
    save,
)
from hw_sim.station_file import CATALOGUE
from hw_sim.world import Places
from kiosk.core import cards as codec
from kiosk.core.cards import base45
from kiosk.core.cards.token import BODY_BYTES, KEY_BYTES, RANDOM_BYTES
from sync.signing import Signer, write_durably

STATION, CITY = "demo-1", "demo"
MARK = ".hw-sim-demo"
KEY_ID = 1
QR_CARDS, NFC_CARDS = 8, 4
VISIT_IDLE_S = 6
POINTS_PER_KG = 10
CARD_DAYS = 365
SOCKET_PATH_BYTES = 107
"""What Linux takes (unix(7))."""
PATH = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"
"""Debian has mosquitto where only root's PATH leads."""


class DemoError(Exception):
    """The demo cannot start; says why and what to do, in two sentences."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything of a run lies."""

    folder: Path

    @property
    def station(self) -> Path:
        return self.folder / "station"

    @property
    def settings(self) -> Path:
        return self.station / "station.toml"

    @property
    def ledger(self) -> Path:
        return self.station / "ledger.db"

    @property
    def socket(self) -> Path:
        return self.station / "run" / "control.sock"

    @property
    def keys(self) -> Path:
        return self.station / "keys"

    @property
    def city(self) -> Path:
        return self.folder / "city"

    @property
    def city_db(self) -> Path:
        return self.city / "city.db"

    @property
    def broker_conf(self) -> Path:
        return self.folder / "broker" / "mosquitto.conf"

    @property
    def cards(self) -> Path:
        return self.folder / "cards.json"

    @property
    def scenario(self) -> Path:
        return self.folder / "world" / "scenario.json"

    @property
    def truth(self) -> Path:
        return self.folder / "truth.jsonl"

    @property
    def old(self) -> bool:
        """Whether an earlier run has left its state here."""
        return self.scenario.exists()


def claim(site: Site) -> IO[bytes]:
    """The folder for us alone while the file returned is open; the kernel lets go when we end.

    DemoError where it is somebody else's, where a demo runs in it, or where it can be none.
    """
    folder, mark = site.folder, site.folder / MARK
    if len(os.fsencode(site.socket)) > SOCKET_PATH_BYTES:
        raise DemoError(
            f"{folder} is too long for a socket's path. Name a shorter one in DEMO_DIR."
        )
    try:
        if folder.exists() and any(folder.iterdir()) and not mark.exists():
            raise DemoError(f"{folder} was not made by the demo. Name another folder in DEMO_DIR.")
        folder.mkdir(parents=True, exist_ok=True)
        file = mark.open("ab")
    except OSError as error:
        raise DemoError(
            f"{folder} cannot be the demo's folder ({error.strerror}). "
            "Name another one in DEMO_DIR."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise DemoError(
            f"A demo runs in {folder} already. End it, or name another folder in DEMO_DIR."
        ) from error
    return file


def clear(site: Site, *, keep: bool) -> None:
    """Empty the claimed folder, or leave the last run's state with ``keep``."""
    for old in () if keep else tuple(site.folder.iterdir()):
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif old.name != MARK:
            old.unlink()
    for part in (site.keys, site.station / "run", site.city, site.broker_conf.parent):
        part.mkdir(parents=True, exist_ok=True)
    site.scenario.parent.mkdir(exist_ok=True)


def free_port() -> int:
    """A TCP port of the loopback that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def demand_port(port: int) -> None:
    """DemoError when somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoError(
                f"Port {port} is taken ({error.strerror}). Name another one in DEMO_PORT."
            ) from error


def make_keys(site: Site) -> bytes:
    """The station's three keys; returns its public one."""
    if not (site.keys / "station.key").exists():
        Signer.generate(site.keys / "station.key")
        for name, line in (("pseudonym.key", ""), ("card.key", f"{KEY_ID} ")):
            text = f"{line}{secrets.token_hex(KEY_BYTES)}\n"
            write_durably(site.keys / name, text.encode(), mode=0o600)
    return Signer.load(site.keys / "station.key").public_key


def make_scenario(site: Site, *, screen_port: int, seed: int, speed: float) -> Scenario:
    """Rig and people, with the last run's cards where there are some; writes ``cards.json``."""
    cards = load(site.scenario).cards if site.old else tuple(_issued(site, Random(seed)))
    scenario = Scenario(demo_rig(), cards, screen_port, free_port(), seed, speed)
    save(scenario, site.scenario)
    pseudonym_key = _key(site, "pseudonym.key")
    names = {card.name: _pseudonym(card, pseudonym_key) for card in cards}
    site.cards.write_text(json.dumps(names, indent=1) + "\n")
    return scenario


def _key(site: Site, name: str) -> bytes:
    return bytes.fromhex((site.keys / name).read_text().split()[-1])


def _issued(site: Site, rng: Random) -> Iterator[Card]:
    """Good cards of both kinds; to be refused, one of another town's key and a phone, which makes up
    its UID. (An expired one is no sure refusal: a station without a clock still serves.)"""
    good = datetime.now(UTC).date() + timedelta(days=CARD_DAYS)
    key, foreign = _key(site, "card.key"), rng.randbytes(KEY_BYTES)
    for number in range(1, QR_CARDS + 1):
        yield _qr(f"q{number}", rng, codec.day_of(good.year, good.month, good.day), key, good=True)
    for number in range(1, NFC_CARDS + 1):
        yield Card(f"n{number}", "nfc", (b"\x04" + rng.randbytes(6)).hex())
    yield Card("phone", "nfc", (b"\x08" + rng.randbytes(3)).hex(), good=False)
    yield _qr("foreign", rng, codec.day_of(good.year, good.month, good.day), foreign, good=False)


def _qr(name: str, rng: Random, last_day: int, key: bytes, *, good: bool) -> Card:
    body = codec.CardBody(KEY_ID, last_day, rng.randbytes(RANDOM_BYTES))
    return Card(name, "qr", codec.issue(body, key).decode(), good)


def _pseudonym(card: Card, key: bytes) -> str | None:
    """In hex; None for a card that is to be refused."""
    if not card.good:
        return None
    if card.kind == "nfc":
        return codec.pseudonym(key, "nfc", bytes.fromhex(card.token)).hex()
    packed = base45.decode(card.token.encode())
    return codec.pseudonym(key, "qr", packed[4:BODY_BYTES]).hex()


# -- the files that programs read -----------------------------------------------------------------


def write_broker(site: Site, port: int) -> None:
    """A mosquitto that remembers nothing: every loss is made good by the ledger."""
    site.broker_conf.write_text(
        f"listener {port} 127.0.0.1\n"
        "allow_anonymous true\n"
        "persistence false\n"
        "set_tcp_nodelay true\n"
        "log_dest stderr\n"
        + (
            "user root\n" if os.geteuid() == 0 else ""
        )  # else it would drop to a user without the log
    )


def write_settings(site: Site, scenario: Scenario, city_key: bytes, mqtt_port: int) -> None:
    """``station.toml`` of the rig that the world has."""
    places = Places(site.folder.resolve())
    per_kg = "\n".join(f"{rig.item} = {POINTS_PER_KG}" for rig in scenario.bins)
    text = f"""\
# Written by the demo at each start.
[station]
id = "{STATION}"
city = "{CITY}"
name = "デモ資源ステーション"
crowd = "one_by_one"
visit_idle_s = {VISIT_IDLE_S}
contact = {{ name = "公民館 事務室", phone = "000-000-0000" }}

[paths]
data = "."
keys = "keys"
run = "run"
catalogue = {_quoted(CATALOGUE)}

[screen]
port = {scenario.screen_port}

{"".join(_bin(rig, places) for rig in scenario.bins)}
[[reader]]
id = "qr"
kind = "camera"
source = "http://127.0.0.1:{scenario.camera_port}/cam.mjpg"

[[reader]]
id = "nfc"
kind = "pn532"
port = {_quoted(places.pn532)}

[buzzer]
pin = {scenario.buzzer_pin}

[points]
mode = "kg"
[points.per_kg]
{per_kg}

[city]
public_key = "{city_key.hex()}"

[mqtt]
host = "127.0.0.1"
port = {mqtt_port}
keepalive_s = 10
"""
    site.settings.write_text(text, "utf-8")


def _bin(rig: BinRig, places: Places) -> str:
    pins = {"lid_pin": rig.lid_pin, "lamp_pin": rig.lamp_pin, "full_pin": rig.full_pin}
    lines = ["[[bin]]", f'id = "{rig.id}"', f'item = "{rig.item}"']
    lines += [f"{name} = {pin}" for name, pin in pins.items() if pin is not None]
    common = [f"max_g = {MAX_G}", f"division_g = {DIVISION_G}"]
    if rig.scale == "hx711":
        lines += [
            "[bin.scale]",
            'kind = "hx711"',
            f"dout_pin = {rig.dout_pin}",
            f"sck_pin = {rig.sck_pin}",
            f"rate_sps = {rig.rate_sps}",
            f"counts_per_gram = {COUNTS_PER_GRAM}",
            f"zero_counts = {ZERO_COUNTS}",
            *common,
        ]
    elif rig.scale == "indicator":
        port = _quoted(places.indicator_of(rig.id))
        lines += ["[bin.scale]", 'kind = "indicator"', f"port = {port}", *common]
    return "\n".join(lines) + "\n\n"


def _quoted(path: Path) -> str:
    """As a string of TOML, whatever is in a folder's name: JSON's escapes are a part of TOML's."""
    return json.dumps(str(path), ensure_ascii=False)

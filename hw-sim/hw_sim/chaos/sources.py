"""Where the entries come from: a process that only holds a ledger, or the whole station with its people."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from hw_sim import demo_site
from hw_sim.bench import station_environment
from hw_sim.chaos import station
from hw_sim.demo_site import CITY, STATION, Site
from hw_sim.station_file import head
from hw_sim.supervisor import Child
from hw_sim.world import Places

BIN = Path(sys.executable).parent
WORLD_S = 20.0
SPEED = 20.0
"""The quiet between visits is shortened to this part."""


Send = Callable[[str, signal.Signals], bool]
"""Signals the child of that name."""


class Source(Protocol):
    """Makes entries until it is asked to be quiet."""

    committed: Path | None
    """Where it wrote what was committed, if it did."""

    def prepare(self, city_key: bytes, mqtt_port: int) -> None:
        """Settings, and what else its processes read."""

    def start(self, keep: Callable[[Child], None]) -> None:
        """Start all its processes; the one called ``station`` is killed now and then."""

    def hush(self, send: Send, /) -> None:
        """Ask for no more entries."""

    def quiet(self) -> bool:
        """Whether none come any more."""


class LedgerOnly:
    """``hw_sim.chaos.station``: light, so that hundreds of kills take minutes."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._seed = seed
        self.committed: Path | None = station.committed_file(site)

    def prepare(self, city_key: bytes, mqtt_port: int) -> None:
        pace = station.Pace(city_key.hex(), self._seed, time.monotonic())
        station.pace_file(self._site).write_bytes(msgspec.json.encode(pace))
        self._site.settings.write_text(
            f"""\
{head(STATION, CITY, folder=".")}
[[bin]]
id = "{station.BIN}"
item = "{station.ITEM}"
[city]
public_key = "{city_key.hex()}"
[mqtt]
host = "127.0.0.1"
port = {mqtt_port}
keepalive_s = 5
""",
            "utf-8",
        )

    def start(self, keep: Callable[[Child], None]) -> None:
        command = (sys.executable, "-m", "hw_sim.chaos.station", str(self._site.folder))
        keep(Child("station", command))

    def hush(self, _send: Send, /) -> None:
        station.quiet_file(self._site).touch()

    def quiet(self) -> bool:
        return station.quiet_file(self._site).exists()


class WholeStation:
    """``kiosk run`` on the simulated hardware, with the people of the demo."""

    committed: Path | None = None

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._seed = seed
        self._up = threading.Event()
        self._still = threading.Event()

    def prepare(self, city_key: bytes, mqtt_port: int) -> None:
        scenario = demo_site.make_scenario(
            self._site, screen_port=demo_site.free_port(), seed=self._seed, speed=SPEED
        )
        demo_site.write_settings(self._site, scenario, city_key, mqtt_port)

    def start(self, keep: Callable[[Child], None]) -> None:
        folder = self._site.folder
        world = (str(BIN / "hw-sim"), "world", str(self._site.scenario), "--folder", str(folder))
        keep(Child("world", world, restarts=False, output=self._heard))
        self._up.wait(WORLD_S)
        run = (str(BIN / "kiosk"), "run", "--config", str(self._site.settings))
        environment = station_environment(Places(folder).bench)
        keep(Child("station", run, environment=environment))

    def hush(self, send: Send, /) -> None:
        send("world", signal.SIGUSR1)

    def quiet(self) -> bool:
        return self._still.is_set()

    def _heard(self, line: str) -> None:
        what = json.loads(line)["what"]
        if what == "up":
            self._up.set()
        elif what == "quiet":
            self._still.set()

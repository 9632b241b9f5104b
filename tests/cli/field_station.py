"""A real ``kiosk run`` over simulated wires, whose devices a test breaks and mends.

Two bins with scales (an HX711 on the bench, an indicator on a pseudo-terminal), one without, a camera
and an NFC reader. Whatever is not plugged in when the station starts is missing for it.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any

from hw_sim.bench import Bench, Hx711Wiring, station_environment
from hw_sim.indicator_peer import IndicatorPeer
from hw_sim.mjpeg import CameraPeer
from hw_sim.pn532_peer import Pn532Peer
from hw_sim.station_file import head, make_keys

from kiosk.cli import main

ROOT = Path(__file__).resolve().parents[2]
KIOSK = Path(sys.executable).with_name("kiosk")
ZERO_COUNTS, COUNTS_PER_GRAM = 84_000.0, 43.0
LONG_S = 60.0
"""So long anything may take on a busy machine before a test gives it up."""
FEED_S = 0.02
HELD_S = 60.0
"""Longer than any story needs a card to be there."""
LOOKED_AT = ("scale", "reader", "lid", "device", "card", "ledger", "link")
"""The checks that say something about this station and not about the machine it is tested on."""

SETTINGS = """
[[bin]]
id = "b1"
item = "pet-bottle"
[bin.scale]
kind = "hx711"
dout_pin = 5
sck_pin = 6
rate_sps = {rate_sps}
counts_per_gram = 43.0
zero_counts = 84000
max_g = 60000
division_g = 20

[[bin]]
id = "b2"
item = "can-steel"
[bin.scale]
kind = "indicator"
port = "{folder}/indicator"
max_g = 60000
division_g = 20

[[bin]]
id = "b3"
item = "carton"

[[reader]]
id = "qr"
kind = "camera"
source = "http://127.0.0.1:{camera_port}/cam.mjpg"

[[reader]]
id = "nfc"
kind = "pn532"
port = "{folder}/nfc"
"""


class Indicator:
    """The peer with somebody who feeds it a load."""

    def __init__(self, link: Path) -> None:
        self.peer = IndicatorPeer(link, max_g=60_000, division_g=20)
        self.grams = 0.0
        self.babbles = False
        """Whether it says what is no telegram, as one set to another speed."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="indicator", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        self._stop.set()
        self._thread.join()
        self.peer.stop()

    def _feed(self) -> None:
        while not self._stop.wait(FEED_S):
            if self.babbles:
                self.peer.send(b"\x93\xfe\x10")
            else:
                self.peer.feed(time.monotonic(), self.grams)


class FieldStation:
    """The wires, and the station's process once ``start`` was called."""

    def __init__(self, folder: Path, *, bench_sps: float = 10, rate_sps: int = 10) -> None:
        self.folder = folder
        self.settings = folder / "station.toml"
        self.log = folder / "station.log"
        self.program: list[str | Path] = [KIOSK]
        self._port, self._camera_port = free_port(), free_port()
        make_keys(folder / "keys")
        text = head("field-1", "demo", screen_port=self._port) + SETTINGS.format(
            folder=folder, camera_port=self._camera_port, rate_sps=rate_sps
        )
        self.settings.write_text(text, encoding="utf-8")
        self.bench = Bench.create(folder / "bench.mem", [Hx711Wiring(5, 6, rate_sps=bench_sps)])
        self.load(0)
        self.indicator: Indicator | None = None
        self.nfc: Pn532Peer | None = None
        self.camera: CameraPeer | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.uplink: subprocess.Popen[bytes] | None = None

    # -- the wires ------------------------------------------------------------------------------

    def load(self, grams: float) -> None:
        """What lies in b1."""
        self.bench.load(0, ZERO_COUNTS + COUNTS_PER_GRAM * grams)

    def cable(self, *, on: bool) -> None:
        """The HX711's cable."""
        self.bench.chips[0].connected = on

    def plug_indicator(self) -> Indicator:
        self.indicator = Indicator(self.folder / "indicator")
        return self.indicator

    def plug_nfc(self) -> Pn532Peer:
        self.nfc = Pn532Peer(self.folder / "nfc")
        return self.nfc

    def plug_camera(self) -> CameraPeer:
        self.camera = CameraPeer(self._camera_port)
        return self.camera

    def plug_all(self) -> None:
        self.plug_indicator()
        self.plug_nfc()
        self.plug_camera()

    def unplug_indicator(self) -> None:
        if self.indicator is not None:
            self.indicator.unplug()
            self.indicator = None

    def unplug_nfc(self) -> None:
        if self.nfc is not None:
            self.nfc.stop()
            self.nfc = None

    def unplug_camera(self) -> None:
        if self.camera is not None:
            self.camera.stop()
            self.camera = None

    # -- the station ----------------------------------------------------------------------------

    def start(self) -> None:
        environment = {**os.environ, **station_environment(self.folder / "bench.mem")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, "run", "--config", self.settings],
                env=environment,
                stderr=log,
                cwd=self.folder,
            )
        self.until(
            lambda: self.kiosk("status", "--json").get("running"), "the station never came up"
        )

    def stop(self) -> None:
        """As systemd does it."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(LONG_S)

    def start_uplink(self) -> None:
        with (self.folder / "uplink.log").open("ab") as log:
            self.uplink = subprocess.Popen(
                [*self.program, "uplink", "--config", self.settings], stderr=log
            )

    def kill_uplink(self) -> None:
        assert self.uplink is not None
        self.uplink.kill()
        self.uplink.wait()

    def limit_files(self, size_bytes: int) -> None:
        """From now on the station can make no file longer, as if the disk refused."""
        assert self.process is not None
        resource.prlimit(
            self.process.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY)
        )

    def add_broker(self, lines: str) -> None:
        """A broker in the settings that is not there."""
        text = f'\n[mqtt]\nhost = "127.0.0.1"\nport = {free_port()}\n{lines}\n'
        with self.settings.open("a", encoding="utf-8") as file:
            file.write(text)

    def change_settings(self, before: str, after: str) -> None:
        text = self.settings.read_text(encoding="utf-8")
        assert text.count(before) == 1
        self.settings.write_text(text.replace(before, after), encoding="utf-8")

    def __enter__(self) -> FieldStation:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self.uplink, self.process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.unplug_indicator()
        self.unplug_nfc()
        self.unplug_camera()

    # -- what people see ------------------------------------------------------------------------

    def said(self, *words: str) -> str:
        """What the command line says to people.

        Asked in this process, since a story asks hundreds of times until something is so.
        """
        out, error = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            main([*words, "--config", str(self.settings)])
        assert "Traceback" not in error.getvalue(), error.getvalue()
        return out.getvalue() + error.getvalue()

    def kiosk(self, *words: str) -> Any:
        """The JSON value that a command answers."""
        return json.loads(self.said(*words))

    def cards(self, *options: str) -> list[dict[str, Any]]:
        """New cards, from their batch file."""
        out = self.folder / f"cards-{len(list(self.folder.glob('cards-*')))}.json"
        assert "error" not in self.kiosk("card", "issue", str(out), *options, "--json")
        made: list[dict[str, Any]] = json.loads(out.read_text())["cards"]
        return made

    def show(self, text: str) -> None:
        """A card before the camera, until it is hidden."""
        assert self.camera is not None
        self.camera.show(text, HELD_S)

    def kiosk_lines(self, *words: str) -> list[Any]:
        """The JSON lines that a command answers."""
        return [json.loads(line) for line in self.said(*words, "--json").splitlines()]

    def wrong(self) -> set[str]:
        """What the doctor finds wrong, as ``CODE.SUBJECT.CAUSE`` (the case where it has no cause)."""
        found = self.kiosk("doctor", "--json")["findings"]
        return {
            f"{one['code']}.{one['subject'] or ''}.{one['cause'] or one['case']}"
            for one in found
            if one["level"] != "OK" and one["code"] in LOOKED_AT
        }

    def view(self) -> Any:
        """The first view that the screen is sent."""
        return self.sent("message")

    def sent(self, name: str) -> Any:
        """The first event of this name that the screen is sent; views are ``message``."""
        url = f"http://127.0.0.1:{self._port}/events"
        event = "message"
        with urllib.request.urlopen(url, timeout=LONG_S) as events:
            for line in events:
                if line.startswith(b"event: "):
                    event = line[7:].strip().decode()
                elif line.startswith(b"data: "):
                    if event == name:
                        return json.loads(line[6:])
                    event = "message"
        raise AssertionError("the screen's stream ended")

    def until_shown(self, what: str, value: object = True) -> None:
        """Waits until the screen says so; the doctor may have heard of it a moment before."""
        self.until(lambda: self.view()[what] == value, f"the screen never had {what} {value}")

    def until_trouble(self, bin_id: str) -> None:
        """Waits until the screen shows a bin's trouble."""
        self.until(lambda: self.bin(bin_id)["state"] == "trouble", f"{bin_id} never in trouble")

    def bin(self, bin_id: str) -> Any:
        """One bin as the screen draws it."""
        (found,) = (one for one in self.view()["bins"] if one["bin"] == bin_id)
        return found

    def booked_g(self, bin_id: str) -> int:
        """What the ledger says lies in a bin."""
        (found,) = (one for one in self.kiosk("status", "--json")["bins"] if one["bin"] == bin_id)
        return int(found["gross_g"])

    def logged(self, words: str) -> int:
        """How many lines of the log hold these words."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return sum(words in line for line in lines)

    def until_told_once(self, device: str) -> None:
        """Waits until the log holds its loss and its return; each stands there once."""
        counts = [0, 0]

        def told() -> bool:
            counts[:] = self.logged(f"{device} is lost"), self.logged(f"{device} is back")
            return min(counts) >= 1

        self.until(told, f"{device} never lost and back")
        assert counts == [1, 1], self.log.read_text(encoding="utf-8")

    def until(self, seen: Callable[[], object], trouble: str) -> None:
        """Waits for it."""
        limit_s = time.monotonic() + LONG_S
        while not _seen(seen):
            alive = self.process is None or self.process.poll() is None
            assert alive and time.monotonic() < limit_s, f"{trouble}\n{self.log.read_text()}"
            time.sleep(0.2)

    def until_wrong(self, *found: str) -> None:
        """Waits until the doctor finds just this wrong."""
        self.until(lambda: self.wrong() == set(found), f"never wrong just so: {found}")

    def until_ready(self, *bins: str) -> None:
        self.until(lambda: {self.bin(one)["state"] for one in bins} == {"ready"}, "never ready")

    def until_booked(self, bin_id: str, grams: int) -> None:
        """Waits for what fell to be in the ledger, to a division."""
        self.until(lambda: abs(self.booked_g(bin_id) - grams) <= 20, f"never {grams} g booked")


def _seen(seen: Callable[[], object]) -> object:
    try:
        return seen()
    except urllib.error.URLError:  # the station answers commands a moment before its page
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

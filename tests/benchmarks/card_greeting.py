"""From a card before the camera to its greeting on the screen, through a whole running station.

    nice -n 5 python tests/benchmarks/card_greeting.py --trials 40

A real ``kiosk run``: pictures rendered beforehand (``hw_sim.presentations``) go out on the loopback
stream at 30 a second, the reader finds the card, the ledger commits the check-in, the page in headless
Chromium and a plain reader of ``/events`` show the greeting. Two times of each:

* *seen*: from when the frame that was read reached the station (the greeting's ``since_ms``);
* *whole*: from when the first frame with the whole code in it was sent.

And the station's processor share: nobody there under flickering lamps, and while a card that cannot be
read is waved about. Prints a table for docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from hw_sim import sensor
from hw_sim.conditions import CONDITIONS, room
from hw_sim.demo_site import free_port
from hw_sim.mjpeg import CameraPeer, Reel
from hw_sim.presentations import FPS, Presentation
from hw_sim.sensor import Lamp
from hw_sim.station_file import head, make_keys

from drivers.clock import boottime_ms
from kiosk.core.cards import CardBody, issue

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/screen"))
from shots import PANELS, browser_page  # noqa: E402

SETTINGS = """
[[bin]]
id = "b1"
item = "pet-bottle"
[[reader]]
id = "qr"
kind = "camera"
source = "{camera}"
"""
QUIET_SHOTS = 30
STEADY_S = 15.0
LIMIT_S = 20.0
BETWEEN_S = 2.5
UNREADABLE = "X" * 400
"""So many modules that no frame shows them."""

ON_PAINT = """
window.painted = [];
const now = () => performance.timeOrigin + performance.now();
const Real = window.EventSource;
window.EventSource = class extends Real {
    constructor(...given) {
        super(...given);
        // Two frames after the page has drawn it, it is on the panel.
        this.addEventListener("message", (event) => {
            const view = JSON.parse(event.data);
            requestAnimationFrame(() => requestAnimationFrame(() => {
                const scene = document.body.dataset.scene;
                if (view.phase === scene) window.painted.push([scene, view.since_ms, now()]);
            }));
        });
    }
};
"""


class Listener:
    """Reads ``/events``: every greeting's ``since_ms`` and when it came (boottime)."""

    def __init__(self, port: int) -> None:
        self.greetings: dict[int, int] = {}
        self._stream = urllib.request.urlopen(f"http://127.0.0.1:{port}/events", timeout=LIMIT_S)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._stream:
            if line.startswith(b"data: "):
                came_ms = boottime_ms()
                view = json.loads(line[6:])
                if view.get("phase") == "greeting":  # named events are no views
                    self.greetings.setdefault(view["since_ms"], came_ms)


class Bench:
    """The station's process, its camera and who looks on."""

    def __init__(self, folder: Path, card_key: bytes) -> None:
        self.quiet = quiet()
        self.camera = CameraPeer(0)
        self.camera.play(Reel([], self.quiet, FPS))
        self.port = free_port()
        make_keys(folder / "keys")
        (folder / "keys/card.key").write_text(card_key.hex() + "\n")
        text = head("bench", "bench", screen_port=self.port) + SETTINGS.format(
            camera=self.camera.url
        )
        (folder / "station.toml").write_text(text, encoding="utf-8")
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("kiosk"), "run", "--config", folder / "station.toml"],
            stderr=(folder / "log").open("wb"),
        )
        self.listener = Listener(self._ready())

    def _ready(self) -> int:
        limit_s = time.monotonic() + LIMIT_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1):
                    return self.port
            except OSError:
                if time.monotonic() > limit_s:
                    raise
                time.sleep(0.1)

    def share(self, seconds: float) -> float:
        """Of one core, of the whole process."""
        before, began_s = self._cpu_s(), time.monotonic()
        time.sleep(seconds)
        return (self._cpu_s() - before) / (time.monotonic() - began_s)

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(LIMIT_S)
        self.camera.stop()


def quiet() -> list[bytes]:
    """An empty hall under lamps on the mains."""
    dice, lamp = np.random.default_rng(1), Lamp(100.0, 0.3)
    light, exposure = room(dice), sensor.auto_exposure(500)
    return [
        sensor.jpeg(sensor.levels(light, exposure, 500, lamp.rows(k / FPS, exposure.ms), dice))
        for k in range(QUIET_SHOTS)
    ]


def shots(presentation: Presentation) -> list[bytes]:
    return [sensor.jpeg(presentation.frame(k)) for k in range(presentation.frames)]


@contextmanager
def bench() -> Iterator[tuple[Bench, bytes]]:
    with tempfile.TemporaryDirectory() as name:
        card_key = secrets.token_bytes(32)
        made = Bench(Path(name), card_key)
        try:
            yield made, card_key
        finally:
            made.stop()


def summary(name: str, times_ms: list[float], shown: int) -> str:
    if not times_ms:
        return f"| {name} | none | | |"
    p50, p95, most = (float(np.quantile(times_ms, share)) for share in (0.5, 0.95, 1.0))
    return f"| {name} | {len(times_ms)} of {shown} | {p50:.0f} / {p95:.0f} ms | {most:.0f} ms |"


def painted_ms(page: Any) -> dict[int, float]:
    """``since_ms`` of each greeting to when the page had painted it, both boottime."""
    wall_less_boot_ms = time.time() * 1_000 - boottime_ms()
    painted: dict[int, float] = {}
    for scene, since_ms, at_ms in page.evaluate("() => window.painted"):
        if scene == "greeting":
            painted.setdefault(since_ms, at_ms - wall_less_boot_ms)
    return painted


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--trials", type=int, default=20)
    given = asked.parse_args()
    events_seen: list[float] = []
    events_whole: list[float] = []
    page_seen: list[float] = []
    page_whole: list[float] = []
    with bench() as (made, card_key), browser_page(PANELS["wide"]) as page:
        page.add_init_script(ON_PAINT)
        page.goto(f"http://127.0.0.1:{made.port}/")
        time.sleep(5)
        idle = made.share(STEADY_S)
        dice = np.random.default_rng(1)
        for number in range(given.trials):
            text = issue(CardBody(1, 65_000, dice.bytes(10)), card_key).decode()
            presentation = Presentation(CONDITIONS[number % len(CONDITIONS)], 500 + number, text)
            if presentation.whole is None:
                continue
            reel = Reel(shots(presentation), made.quiet, FPS)
            known = set(made.listener.greetings)
            made.camera.play(reel)
            time.sleep(presentation.frames / FPS + BETWEEN_S)
            whole_ms = reel.sent_ms[presentation.whole]
            for since_ms in sorted(set(made.listener.greetings) - known)[:1]:
                events_seen.append(made.listener.greetings[since_ms] - since_ms)
                events_whole.append(made.listener.greetings[since_ms] - whole_ms)
                painted = painted_ms(page)
                if since_ms in painted:
                    page_seen.append(painted[since_ms] - since_ms)
                    page_whole.append(painted[since_ms] - whole_ms)
        waved = Presentation("tremble", 7, UNREADABLE)
        made.camera.play(Reel([], shots(waved)[15:60], FPS))
        time.sleep(3)
        searching = made.share(STEADY_S)
    lines = (
        f"{given.trials} presentations, load {os.getloadavg()[0]:.1f}",
        "| | shown | p50 / p95 | most |\n|---|---|---|---|",
        summary("seen, to /events", events_seen, given.trials),
        summary("seen, to painted in Chromium", page_seen, given.trials),
        summary("whole code sent, to /events", events_whole, given.trials),
        summary("whole code sent, to painted", page_whole, given.trials),
        f"whole station, nobody there: {idle:.1%} of a core; searching: {searching:.1%}",
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

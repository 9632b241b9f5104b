"""The simulated world: a process of its own that goes on while the station is killed.

It owns the bench memory, the pseudo-terminals, the camera and the people. One thread beats
``BEAT_S``: physics first, then (every ``SCRIPT_BEATS``) whoever is at the station. What really
happened goes to ``truth.jsonl`` in the contract's form, flushed line by line; what is worth telling
besides (who comes, a knock) to ``world/events.jsonl`` and to whoever listens.

Signals: SIGUSR1 asks the people to finish (a ``quiet`` event tells when they have), SIGTERM ends.
An ``up`` event tells when it listens to them.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO

from hw_sim.bench import Bench, Hx711Wiring
from hw_sim.indicator_peer import IndicatorPeer
from hw_sim.mjpeg import CameraPeer
from hw_sim.physics import Build, Platform
from hw_sim.pn532_peer import Pn532Peer, Tag
from hw_sim.programme import programme
from hw_sim.residents import BinSpot, Card, People, Script
from hw_sim.rig import BinOnBench, Feed
from hw_sim.scenario import COUNTS_PER_GRAM, DIVISION_G, MAX_G, ZERO_COUNTS, BinRig, Scenario
from hw_sim.screen_watch import ScreenWatch, Sight
from sync.ending import Ending

BEAT_S = 0.01
SCRIPT_BEATS = 3
SPIKE_PPM = 1_000
"""Wrong conversions begun, of a million: 1 in 1,000 (``docs/demo.md``)."""
NOISE_COUNTS = {10: 25.0, 80: 40.0}
QUIET_S = (2.0, 5.0)
"""Between two visits at ``speed`` 1."""
SETTLED_S = 4.0
CLOSED_WAIT_S = 12.0
"""After the last visit: so long for the screen to say that no visit is open."""

Listener = Callable[[dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the world keeps things below its folder."""

    folder: Path

    @property
    def own(self) -> Path:
        return self.folder / "world"

    @property
    def bench(self) -> Path:
        return self.own / "bench"

    def indicator_of(self, bin_id: str) -> Path:
        """A bin's indicator's serial port."""
        return self.own / f"tty-{bin_id}"

    @property
    def pn532(self) -> Path:
        return self.own / "tty-pn532"

    @property
    def truth(self) -> Path:
        return self.folder / "truth.jsonl"

    @property
    def events(self) -> Path:
        return self.own / "events.jsonl"

    @property
    def contents(self) -> Path:
        """What truly lies in the bins, for a run that goes on from this one."""
        return self.own / "contents.json"


class World:
    """The people's stage, over the simulated hardware."""

    def __init__(self, scenario: Scenario, folder: Path, listener: Listener) -> None:
        self.places = Places(folder)
        self.places.own.mkdir(parents=True, exist_ok=True)
        self._scenario = scenario
        self._rng = Random(scenario.seed)
        self._listener = listener
        self._finish = False
        self._closing = ExitStack()
        self._truth = self._lines(self.places.truth)
        self._events = self._lines(self.places.events)
        self.now_s = time.monotonic()
        self._bench = self._wired()
        self._bins = {bin_.rig.id: bin_ for bin_ in self._placed()}
        self._spots = tuple(
            BinSpot(bin_.rig.id, bin_.rig.item, bin_.weighs) for bin_ in self._bins.values()
        )
        self._camera = CameraPeer(scenario.camera_port, seed=scenario.seed)
        self._closing.callback(self._camera.stop)
        self._pn532 = Pn532Peer(self.places.pn532, seed=scenario.seed)
        self._closing.callback(self._pn532.stop)
        self._screen = ScreenWatch(scenario.screen_port)
        self._closing.callback(self._screen.stop)
        self._somebody = False
        self._served_s = 0.0
        """How long people were served while the station lived: the contract's minutes of visits."""

    # -- the stage ------------------------------------------------------------------------------

    @property
    def sight(self) -> Sight:
        return self._screen.sight

    @property
    def spots(self) -> tuple[BinSpot, ...]:
        return self._spots

    def holds_g(self, bin_id: str) -> int:
        return self._bins[bin_id].true_g

    def show(self, card: Card, seconds: float) -> None:
        if card.kind == "qr":
            self._camera.show(card.token, seconds)
        else:
            self._pn532.place(Tag(bytes.fromhex(card.token)))

    def put_away(self) -> None:
        self._camera.hide()
        self._pn532.remove()

    def lay(self, bin_id: str, grams: int, card: str | None) -> None:
        bin_ = self._bins[bin_id]
        truth = {"bin": bin_id, "item": bin_.rig.item, "card": card, "grams": grams}
        self._write(self._truth, truth)
        bin_.lay(grams)
        self._keep_contents()
        self.tell("drop" if grams > 0 else "taken_out", **truth)

    def lid(self, bin_id: str, opened: bool) -> None:
        """The switch closes to ground while the lid is shut; an arm is before the fill sensor while it
        is open."""
        rig = self._bins[bin_id].rig
        if rig.lid_pin is not None:
            self._bench.drive(rig.lid_pin, 1 if opened else 0)
        if rig.full_pin is not None:
            self._bench.drive(rig.full_pin, 0 if opened else 1)

    def knock(self, bin_id: str) -> None:
        self._bins[bin_id].knock()
        self.tell("knock", bin=bin_id)

    def lift_bag(self, bin_id: str) -> None:
        bin_ = self._bins[bin_id]
        grams = -bin_.true_g
        self._write(self._truth, {"bin": bin_id, "swap": True, "grams": grams})
        bin_.lift_bag()
        self._keep_contents()
        self.tell("swap", bin=bin_id, grams=grams)

    def set_bag(self, bin_id: str) -> None:
        self._bins[bin_id].set_bag()

    def tell(self, what: str, **facts: str | int | float | bool | None) -> None:
        if what in ("comes", "leaves"):
            self._somebody = what == "comes"
        self._listener(self._write(self._events, {"what": what, **facts}))

    # -- running --------------------------------------------------------------------------------

    def ask_to_finish(self) -> None:
        """Whoever is here goes on to the end; nobody else comes. A signal handler may call it."""
        self._finish = True

    def run(self, ending: Ending) -> None:
        """Until asked to end. The physics goes on after the people have finished."""
        with self._closing:
            visits = self._visits()
            beats = 0
            self.tell("up")
            while not ending.asked:
                time.sleep(BEAT_S)
                before_s, self.now_s = self.now_s, time.monotonic()
                for bin_ in self._bins.values():
                    bin_.beat(self.now_s)
                beats += 1
                if beats % SCRIPT_BEATS == 0:
                    next(visits, None)
                if self._somebody and self.sight.connected:
                    self._served_s += self.now_s - before_s

    def _visits(self) -> Script:
        """One script after the other, quiet between them, until asked to finish."""
        scripts = self._scripts()
        yield from self._quiet()
        while not self._finish:
            yield from next(scripts)
            yield from self._quiet()
        yield from self._wait(SETTLED_S)
        limit_s = self.now_s + CLOSED_WAIT_S
        while self.now_s < limit_s and not (self.sight.connected and self.sight.visits_open == 0):
            yield
        self.tell("quiet", served_s=round(self._served_s, 1))

    def _scripts(self) -> Iterator[Script]:
        people = People(self, Random(self._rng.random()))
        return programme(people, self._scenario.cards, Random(self._rng.random()))

    def _quiet(self) -> Script:
        until_s = self.now_s + self._rng.uniform(*QUIET_S) / self._scenario.speed
        while self.now_s < until_s and not self._finish:
            yield

    def _wait(self, seconds: float) -> Script:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            yield

    # -- building -------------------------------------------------------------------------------

    def _wired(self) -> Bench:
        chips = [rig for rig in self._scenario.bins if rig.scale == "hx711"]
        bench = Bench.create(
            self.places.bench,
            [
                Hx711Wiring(
                    dout_pin=_pin(rig.dout_pin),
                    sck_pin=_pin(rig.sck_pin),
                    rate_sps=rig.rate_sps,
                    seed=self._rng.getrandbits(32),
                    noise_counts=NOISE_COUNTS[rig.rate_sps],
                    spike_ppm=SPIKE_PPM,
                )
                for rig in chips
            ],
        )
        for rig in self._scenario.bins:
            if rig.lid_pin is not None:
                bench.drive(rig.lid_pin, 0)
            if rig.full_pin is not None:
                bench.drive(rig.full_pin, 1)
        return bench

    def _placed(self) -> Iterator[BinOnBench]:
        held = self._kept_contents()
        chip = 0
        for rig in self._scenario.bins:
            feed: Feed | None = None
            if rig.scale == "hx711":
                feed = self._bridge(chip)
                chip += 1
            elif rig.scale == "indicator":
                feed = self._indicator(rig)
            rng = Random(self._rng.random())
            platform = Platform(Build.drawn(rng, DIVISION_G), rng, self.now_s)
            bin_ = BinOnBench(rig, platform, feed, rng, held.get(rig.id, 0))
            platform.shift(bin_.true_g)
            bin_.beat(self.now_s)
            yield bin_

    def _bridge(self, chip: int) -> Feed:
        return lambda grams: self._bench.load(chip, ZERO_COUNTS + COUNTS_PER_GRAM * grams)

    def _indicator(self, rig: BinRig) -> Feed:
        link = self.places.indicator_of(rig.id)
        peer = IndicatorPeer(link, max_g=MAX_G, division_g=DIVISION_G)
        self._closing.callback(peer.stop)
        return lambda grams: peer.feed(self.now_s, grams)

    # -- writing --------------------------------------------------------------------------------

    def _lines(self, path: Path) -> IO[str]:
        return self._closing.enter_context(path.open("a", encoding="utf-8", buffering=1))

    def _write(self, file: IO[str], line: Mapping[str, object]) -> dict[str, object]:
        """One line with the wall clock, in the file before anything comes of it."""
        stamped = {"t_ms": time.time_ns() // 1_000_000, **line}
        file.write(json.dumps(stamped, ensure_ascii=False) + "\n")
        file.flush()
        return stamped

    def _keep_contents(self) -> None:
        draft = self.places.contents.with_suffix(".draft")
        draft.write_text(json.dumps({name: bin_.true_g for name, bin_ in self._bins.items()}))
        draft.replace(self.places.contents)

    def _kept_contents(self) -> dict[str, int]:
        if not self.places.contents.exists():
            return {}
        kept: dict[str, int] = json.loads(self.places.contents.read_text())
        return kept


def run_world(scenario: Scenario, folder: Path) -> None:
    """The process: what happens goes to standard output as JSON lines, signals steer it."""

    def say(line: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    ending = Ending()
    ending.heed()
    world = World(scenario, folder, say)
    signal.signal(signal.SIGUSR1, lambda *_: world.ask_to_finish())
    world.run(ending)


def _pin(pin: int | None) -> int:
    if pin is None:
        raise ValueError("an HX711 needs dout_pin and sck_pin")
    return pin

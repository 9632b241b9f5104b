"""How soon a moving card is read: this station beside pyzbar and zxing-cpp alone, on the same frames.

    nice -n 19 python tests/benchmarks/card_moving.py --trials 30
    nice -n 19 python tests/benchmarks/card_moving.py --trials 30 --slow 4

``hw_sim.presentations`` at 640x480, 30 frames a second. Virtual time: frame k is there at (k + 1) / 30 s;
whoever works on one for longer (by this process's clock, times ``--slow``) misses those that come
meanwhile, as with a grabber that keeps the newest. All decode the same JPEGs. Times are from the begin of
the first frame with the whole code in it. Prints a table for docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import zxingcpp
from hw_sim import sensor
from hw_sim.conditions import CONDITIONS, room
from hw_sim.presentations import FPS, Presentation
from hw_sim.sensor import Exposure, Lamp
from pyzbar import pyzbar

from drivers.exposure import ExposurePlan, Wish
from drivers.frame import Frame
from drivers.frames import FrameReader
from drivers.presence import Presence
from drivers.vision import load_cv2
from kiosk.core.cards import CardBody, issue

IN_TIME_MS = 1_500
CONTROL_FRAMES = 3
"""A camera does what it was asked so many frames later."""
WHOLE_TRIALS = 2
"""So many presentations of each condition are looked at to their end."""
IDLE_S = 30
IDLE_SHOTS = 30
QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)

Read = Callable[[Frame], list[bytes]]


class Shots:
    """A presentation's frames as a USB camera sends them, each rendered once."""

    def __init__(self, presentation: Presentation) -> None:
        self.presentation = presentation
        self._kept: dict[tuple[int, float | None], np.ndarray] = {}

    def frame(self, number: int, exposure_ms: float | None) -> Frame:
        key = (number, exposure_ms)
        if key not in self._kept:
            exposure = self.presentation.auto_exposure(number)
            if exposure_ms is not None:  # a manual exposure leaves the gain where it was
                exposure = Exposure(exposure_ms, exposure.gain)
            picture = self.presentation.frame(number, exposure)
            self._kept[key] = np.frombuffer(sensor.jpeg(picture), np.uint8)
        t_ms = round((number + 1) * 1_000 / FPS)
        return Frame(self._kept[key], t_ms, number + 1)


class Station:
    """The station's reader, with the exposure that it asks for."""

    def __init__(self, slow: float, wish: Wish) -> None:
        self._slow = slow
        self._spent_s, self._entered_s = 0.0, time.thread_time()
        self._reader = FrameReader(self._cpu_s)
        self._plan = ExposurePlan(wish)
        self._wished: list[tuple[int, float | None]] = []

    def _cpu_s(self) -> float:
        """What the reader has used, without what rendering took meanwhile."""
        return self._spent_s + self._slow * (time.thread_time() - self._entered_s)

    def exposure_ms(self, number: int) -> float | None:
        done = [ms for asked, ms in self._wished if number - asked >= CONTROL_FRAMES]
        return done[-1] if done else None

    def __call__(self, frame: Frame) -> list[bytes]:
        self._entered_s = time.thread_time()
        codes = self._reader.read(frame)
        self._spent_s = self._cpu_s()
        self._entered_s = time.thread_time()
        wished = self._plan.next(
            frame.t_ms,
            moving=self._reader.moving,
            read=bool(codes),
            dark=frame.looked_at and frame.is_dark,
        )
        self._wished.append((frame.number, wished))
        return [code.text for code in codes]


class Alone:
    """One decoder on every frame."""

    def __init__(self, decode: Callable[[np.ndarray], list[bytes]]) -> None:
        self._decode = decode

    def exposure_ms(self, number: int) -> float | None:
        return None

    def __call__(self, frame: Frame) -> list[bytes]:
        return self._decode(frame.gray)


def by_pyzbar(gray: np.ndarray) -> list[bytes]:
    return [one.data for one in pyzbar.decode(gray, symbols=[pyzbar.ZBarSymbol.QRCODE])]


def by_zxing(gray: np.ndarray) -> list[bytes]:
    return [bytes(one.bytes) for one in zxingcpp.read_barcodes(gray, formats=QR) if one.bytes]


def contenders(slow: float) -> dict[str, Callable[[], Station | Alone]]:
    return {
        "station": lambda: Station(slow, "auto"),
        "station, hints": lambda: Station(slow, "hint"),
        "pyzbar alone": lambda: Alone(by_pyzbar),
        "zxing-cpp alone": lambda: Alone(by_zxing),
    }


@dataclass
class Tally:
    """Of one contender in one condition."""

    shown: int = 0
    ms: list[float] = field(default_factory=list)
    wrong: int = 0
    cpu_s: float = 0.0
    searched_s: float = 0.0

    def add(self, other: Tally) -> None:
        self.shown += other.shown
        self.ms += other.ms
        self.wrong += other.wrong
        self.cpu_s += other.cpu_s
        self.searched_s += other.searched_s

    @property
    def in_time(self) -> list[float]:
        return [ms for ms in self.ms if ms <= IN_TIME_MS]

    def share(self) -> float:
        return len(self.in_time) / self.shown

    def quantile(self, share: float) -> float:
        """Of all presentations; those never read count as never."""
        ranked = sorted(self.ms) + [float("inf")] * (self.shown - len(self.ms))
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def live(shots: Shots, reader: Station | Alone, slow: float, tally: Tally, text: bytes) -> None:
    """One presentation from its begin until it is read, or over."""
    whole = shots.presentation.whole
    assert whole is not None
    tally.shown += 1
    free_s, number = 0.0, -1
    while True:
        newest = max(number + 1, int(free_s * FPS) - 1)
        if newest >= shots.presentation.frames or (newest - whole) / FPS * 1_000 > IN_TIME_MS:
            return
        number = newest
        frame = shots.frame(number, reader.exposure_ms(number + 1))
        began_s = max(free_s, (number + 1) / FPS)
        cpu_s = time.process_time()
        found = reader(frame)
        took_s = slow * (time.process_time() - cpu_s)
        tally.cpu_s += took_s
        tally.searched_s += max(1 / FPS, took_s)
        free_s = began_s + took_s
        tally.wrong += sum(one != text for one in found)
        if text in found:
            tally.ms.append((free_s - whole / FPS) * 1_000)
            return


def twice(shots: Shots, slow: float, text: bytes) -> int:
    """How many readings one whole presentation makes, and then two seconds of nobody."""
    reader, presence, readings = Station(slow, "auto"), Presence(), 0
    for number in range(shots.presentation.frames):
        frame = shots.frame(number, None)
        for found in reader(frame):
            readings += presence.is_new(found, frame.t_ms)
    return readings


def idle(slow: float) -> float:
    """Share of a core that an empty hall costs, under lamps on the mains."""
    dice, lamp = np.random.default_rng(1), Lamp(100.0, 0.4)
    light, exposure = room(dice), sensor.auto_exposure(500)
    pictures = [
        sensor.jpeg(sensor.levels(light, exposure, 500, lamp.rows(k / FPS, exposure.ms), dice))
        for k in range(IDLE_SHOTS)
    ]
    reader = Station(slow, "hint")
    began_s = time.process_time()
    for number in range(IDLE_S * FPS):
        data = np.frombuffer(pictures[number % IDLE_SHOTS], np.uint8)
        reader(Frame(data, round(number * 1_000 / FPS), number + 1))
    return slow * (time.process_time() - began_s) / IDLE_S


def cards() -> Iterator[bytes]:
    dice = np.random.default_rng(1)
    while True:
        yield issue(CardBody(1, 25_000, dice.bytes(10)), bytes(32))


Part = tuple[dict[tuple[str, str], Tally], dict[int, int]]


def condition(name: str, trials: int, first: int, slow: float) -> Part:
    """One condition: the contenders' tallies, and how often a whole presentation makes an event."""
    load_cv2()
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    readings: dict[int, int] = defaultdict(int)
    done, seed, texts = 0, first, cards()
    while done < trials:
        text = next(texts)
        shots = Shots(Presentation(name, seed, text.decode()))
        seed += 1
        if shots.presentation.whole is None:
            continue  # held beside the picture: nothing to be read
        done += 1
        for who, make in contenders(slow).items():
            tally = Tally()
            live(shots, make(), slow, tally, text)
            tallies[who, name].add(tally)
            if name == "swipe":
                tallies[who, f"of these {shots.presentation.speed_mm_s:.0f} mm/s"].add(tally)
        if done <= WHOLE_TRIALS:
            readings[twice(shots, slow, text)] += 1
    sys.stderr.write(f"{name} done\n")
    return dict(tallies), dict(readings)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--trials", type=int, default=9, help="presentations a condition")
    asked.add_argument("--first", type=int, default=1, help="the first seed")
    asked.add_argument(
        "--slow", type=float, default=1.0, help="processor time counts so many times"
    )
    asked.add_argument("--conditions", default=",".join(CONDITIONS))
    asked.add_argument("--processes", type=int, default=1)
    given = asked.parse_args()
    conditions = given.conditions.split(",")
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    readings: dict[int, int] = defaultdict(int)
    with ProcessPoolExecutor(given.processes) as pool:
        asked_for = [
            pool.submit(condition, name, given.trials, given.first, given.slow)
            for name in conditions
        ]
        for part in asked_for:
            found, times = part.result()
            tallies.update(found)
            for count, often in times.items():
                readings[count] += often
    made = list(contenders(given.slow))
    say(
        f"slow x{given.slow:g}, {given.trials} presentations a condition, load {os.getloadavg()[0]:.1f}"
    )
    say("| condition | " + " | ".join(made) + " |\n|---|" + "---|" * len(made))
    for name in made:
        for one in conditions:
            tallies[name, "all"].add(tallies[name, one])
    speeds = sorted({row for _, row in tallies if row.startswith("of these")})
    for one in [*conditions, *speeds, "all"]:
        cells = []
        for name in made:
            tally = tallies[name, one]
            p50, p90 = tally.quantile(0.5), tally.quantile(0.9)
            cell = f"{tally.share():.0%}, {p50:.0f} / {p90:.0f} ms"
            if one == "all":
                cell += f"; {tally.wrong} wrong; {tally.cpu_s / tally.searched_s:.0%} of a core"
            cells.append(cell)
        say(f"| {one} | " + " | ".join(cells) + " |")
    say("events that a whole presentation makes: " + str(dict(sorted(readings.items()))))
    say(f"nobody there, lamps on the mains: {idle(given.slow):.1%} of a core, decoding included")


if __name__ == "__main__":
    main()

"""Wrong readings accepted on a bad wire and a busy machine, beside other packages on the same pins.

    python tests/benchmarks/wire.py --reads 30000
    python tests/benchmarks/wire.py --reads 1000000 --write results.jsonl    # hours

One chip at 80 SPS (the bench's model) in virtual time (``hw_sim.virtual_pins``): a scheduler's
preemption of 25 us to 3 ms with chance p a GPIO call, a level read wrong with chance 1e-5 a look, the
load stepping to another value every few seconds, noise of the data sheet. Every reading that a driver
delivers is held against the chip's own register: one bit off is wrong, so is one at another gain.

Each line: readings delivered, how many of them wrong, their share of the conversions that the chip
completed, and readings a second of virtual time. ``tests/benchmarks/README.md`` says how the peers
are installed; a peer that is not there is left out.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "hw-sim")]

from hw_sim.bench import HISTORY, Hx711Wiring  # noqa: E402
from hw_sim.hx711_chip import Hx711Chip  # noqa: E402
from hw_sim.virtual_pins import VirtualClock, VirtualPins, plain_slot  # noqa: E402

RATE_SPS = 80.0
PERIOD_NS = round(1e9 / RATE_SPS)
FLIPPED = 1e-5
PREEMPTED = (1e-5, 1e-4, 1e-3)
STEP_S = 5.0
LOADS_COUNTS = (84_000.0, 2_600_000.0)
KEPT = 64
DOUT, SCK = 5, 6


@dataclass(frozen=True)
class Setting:
    """What one run is made with; ``goes_on``: a frame broken off is not ended by a conversion."""

    reads: int
    preempted: float
    seed: int
    gain: int = 128
    goes_on: bool = False


class WatchedChip(Hx711Chip):
    """The chip of the bench, whose load steps by itself and whose conversions are written down."""

    def __init__(self, clock: VirtualClock, setting: Setting) -> None:
        wiring = Hx711Wiring(
            DOUT,
            SCK,
            RATE_SPS,
            seed=setting.seed,
            reset_keeps_gain=bool(setting.seed % 2),
            reloads=not setting.goes_on,
        )
        self._gain_wanted = setting.gain
        self.slot = plain_slot(wiring, clock.now)
        super().__init__(self.slot, lambda: clock.now)
        self.done: deque[tuple[int, int, bool]] = deque(maxlen=KEPT)
        self._rng = Random(setting.seed)
        self._step_ns = 0

    def _convert(self, now: int) -> None:
        slot = self.slot
        if now >= self._step_ns:
            at = slot.history_head % HISTORY
            slot.history_ns[at] = now - self._rng.randrange(PERIOD_NS)
            slot.history_counts[at] = self._rng.uniform(*LOADS_COUNTS)
            slot.history_head += 1
            self._step_ns = now + round(self._rng.uniform(0.2, 2 * STEP_S) * 1e9)
        super()._convert(now)
        end_ns = slot.next_ns - PERIOD_NS
        right = slot.gain == self._gain_wanted and (
            slot.gain_before == self._gain_wanted or end_ns - slot.gain_ns >= 4 * PERIOD_NS
        )
        self.done.append((end_ns, slot.register, right))

    def said(self, counts: int, from_ns: int, to_ns: int) -> bool:
        """Whether a conversion that ended then has this value, at the right gain."""
        return any(
            value == counts and right for end, value, right in self.done if from_ns < end <= to_ns
        )


class Tally:
    """What one driver delivered."""

    def __init__(self) -> None:
        self.delivered = self.wrong = 0

    def count(self, right: bool) -> None:
        self.delivered += 1
        self.wrong += not right


def world(setting: Setting) -> tuple[VirtualClock, WatchedChip]:
    """Pins, chip and clock in the places where drivers look for them."""
    clock = VirtualClock()
    chip = WatchedChip(clock, setting)
    pins = VirtualPins(
        clock, [(DOUT, SCK, chip)], preempted=setting.preempted, flipped=FLIPPED, seed=setting.seed
    )
    package = ModuleType("RPi")
    package.GPIO = pins  # type: ignore[attr-defined]
    sys.modules["RPi"] = package
    sys.modules["RPi.GPIO"] = pins  # type: ignore[assignment]
    for name in [*sys.modules]:
        if name.split(".")[0] in ("hx711", "hx711_multi", "drivers"):
            del sys.modules[name]
    return clock, chip


def ours(setting: Setting) -> tuple[Tally, WatchedChip, VirtualClock]:
    """The station's thread for a scale, with its witness and its gate, as it is."""
    clock, chip = world(setting)
    driver: Any = importlib.import_module("drivers.hx711")
    looking: Any = importlib.import_module("drivers.hx711_looking")
    for name in ("clock", "hx711_looking", "hx711_safe", "hx711_gpio"):
        importlib.import_module(f"drivers.{name}").time = clock  # type: ignore[attr-defined]
    gpio: Any = importlib.import_module("drivers.hx711_gpio")
    tally = Tally()
    done = threading.Event()

    def post(event: Any) -> None:
        for t_ms, counts in zip(
            getattr(event, "t_ms", ()) if hasattr(event, "counts") else (),
            getattr(event, "counts", ()),
            strict=True,
        ):
            until_ns = (t_ms + 1) * 1_000_000
            tally.count(chip.said(counts, until_ns - PERIOD_NS, until_ns))
        if tally.delivered >= setting.reads:
            done.set()

    wire = looking.LookingWire(gpio.PackagePins(DOUT, SCK, setting.gain))
    scale = driver.Hx711Scale([driver.Hx711Bin("b1", RATE_SPS, setting.gain)], wire)
    scale.start(post)
    done.wait()
    scale.stop()
    return tally, chip, clock


def package(setting: Setting) -> tuple[Tally, WatchedChip, VirtualClock]:
    """``hx711``: its readings as its own ``get_raw_data`` takes them."""
    clock, chip = world(setting)
    module: Any = importlib.import_module("hx711")
    module.time = clock
    driver = module.HX711(DOUT, SCK, gain=setting.gain)
    tally = Tally()
    while tally.delivered < setting.reads:
        counts = driver._read()
        if counts not in (False, -1):
            tally.count(chip.said(counts, 0, clock.now))
    return tally, chip, clock


def multi(setting: Setting) -> tuple[Tally, WatchedChip, VirtualClock]:
    """``hx711-multi``: one raw reading at a time."""
    clock, chip = world(setting)
    module: Any = importlib.import_module("hx711_multi.hx711")
    module.sleep, module.perf_counter = clock.sleep, clock.perf_counter
    driver = module.HX711(DOUT, SCK, channel_A_gain=setting.gain, log_level="CRITICAL")
    tally = Tally()
    while tally.delivered < setting.reads:
        driver.read_raw(1)  # of one reading it returns None, and keeps it here:
        counts = driver._adcs[0].measurement
        if counts is not None:
            tally.count(chip.said(counts, 0, clock.now))
    return tally, chip, clock


WHO = {"ours": ours, "hx711": package, "hx711-multi": multi}
NEEDS = {"ours": "hx711", "hx711": "hx711", "hx711-multi": "hx711_multi"}


def runs(who: list[str], settings: list[Setting]) -> Iterator[dict[str, Any]]:
    for setting in settings:
        for name in who:
            if importlib.util.find_spec(NEEDS[name]) is None:
                continue
            began = time.monotonic()
            tally, chip, clock = WHO[name](setting)
            yield {
                "driver": name,
                "p": setting.preempted,
                "delivered": tally.delivered,
                "wrong": tally.wrong,
                "wrong_ppm": round(1e6 * tally.wrong / tally.delivered, 1),
                "share_of_completed": round(tally.delivered / chip.slot.conversions, 4),
                "readings_a_virtual_second": round(tally.delivered / (clock.now / 1e9 - 1), 1),
                "took_s": round(time.monotonic() - began, 1),
            }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reads", type=int, default=10_000)
    parser.add_argument("--p", type=float, action="append")
    parser.add_argument("--driver", action="append", choices=[*WHO])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gain", type=int, default=128, choices=[128, 64])
    parser.add_argument(
        "--goes-on",
        action="store_true",
        help="a broken frame goes on (the peers may wait for ever)",
    )
    parser.add_argument("--write", type=Path, help="a file that gets each result when it is there")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    settings = [
        Setting(options.reads, p, options.seed, options.gain, options.goes_on)
        for p in options.p or PREEMPTED
    ]
    for result in runs(options.driver or [*WHO], settings):
        line = json.dumps(result)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if options.write:
            with options.write.open("a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()

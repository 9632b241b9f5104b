"""Time from hands-off to a stable weight, and how right it is: ours beside the usual locks.

    python tests/benchmarks/settling.py [--trials N] [--weathers house,...] [--rates 80,10] [--curve]

The same process, the same trials of the same seeds for every lock. ``--curve`` shows what certainty that no
hand is on costs in time. 200 trials, times KIOSK_SEARCH_SIZE.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from settling_peers import DeviationOfMeans, PeakToPeak
from settling_trials import COUNTS_PER_GRAM, WEATHERS, ZERO_COUNTS, Trial, trials

from kiosk.core.config import ScaleRules
from kiosk.core.settle import CountsSettler, Plateau, counts

SEED = 20_26
SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
OLD_LEVEL_MS = 200
"""So soon after the hand has come a plateau may still be the one before it."""


@dataclass
class Tally:
    """What one lock did; times in seconds from hands-off, errors in divisions."""

    times_s: list[float] = field(default_factory=list)
    errors_d: list[float] = field(default_factory=list)
    inside: int = 0
    stated_d: list[float] = field(default_factory=list)
    with_hand: int = 0
    hand_s: float = 0.0
    never: int = 0
    busy_s: float = 0.0
    samples: int = 0

    def add(self, trial: Trial, found: tuple[float, float, float] | None) -> None:
        self.hand_s += (trial.off_ms - trial.hand_ms) / 1000
        if found is None:
            self.never += 1
            return
        t_ms, gross_g, stated_g = found
        error_g = abs(gross_g - trial.load_g)
        if t_ms <= trial.off_ms:
            self.with_hand += 1
        self.times_s.append((t_ms - trial.off_ms) / 1000)
        self.errors_d.append(error_g / trial.division_g)
        self.inside += error_g <= stated_g
        self.stated_d.append(stated_g / trial.division_g)

    def row(self, name: str) -> str:
        times, errors, n = sorted(self.times_s), sorted(self.errors_d), len(self.times_s)
        if n == 0:
            return f"| {name} | never locked |"
        stated = f"{100 * self.inside / n:.1f} %, {sorted(self.stated_d)[n // 2]:.2f} e"
        return (
            f"| {name} | {_share(times, 0.5):.2f} / {_share(times, 0.95):.2f} / "
            f"{_share(times, 0.999):.2f} | {_share(errors, 0.5):.3f} / {_share(errors, 0.999):.2f} / "
            f"{errors[-1]:.2f} | {self.with_hand} in {self.hand_s:.0f} s | {self.never} | "
            f"{stated if any(self.stated_d) else '-'} | {1e6 * self.busy_s / self.samples:.0f} |"
        )


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ours(trial: Trial, rate_sps: float) -> tuple[float, float, float] | None:
    d = trial.division_g
    settler = CountsSettler(ScaleRules(60_000, d, d, rate_sps, COUNTS_PER_GRAM, ZERO_COUNTS))
    for t_ms, value in zip(trial.t_ms, trial.counts, strict=True):
        for sign in settler.feed(t_ms, value):
            if isinstance(sign, Plateau) and _new(trial, t_ms, sign.gross_g):
                return t_ms, sign.gross_g, sign.uncertainty_g
    return None


def peer(kind: type[PeakToPeak] | type[DeviationOfMeans]) -> Callable[..., object]:
    def lock(trial: Trial, rate_sps: float) -> tuple[float, float, float] | None:
        judge = kind(rate_sps, trial.division_g)
        for t_ms, value in zip(trial.t_ms, trial.counts, strict=True):
            gross_g = judge.feed((value - ZERO_COUNTS) / COUNTS_PER_GRAM)
            if gross_g is not None and _new(trial, t_ms, gross_g):
                return t_ms, gross_g, 0.0
        return None

    return lock


def _new(trial: Trial, t_ms: float, gross_g: float) -> bool:
    """Whether a lock at ``t_ms`` is on what was laid down, not on what was there before."""
    if t_ms <= trial.hand_ms:
        return False
    old = t_ms <= trial.hand_ms + OLD_LEVEL_MS
    return not (old and abs(gross_g - trial.base_g) <= trial.division_g)


LOCKS: dict[str, Callable[..., object]] = {
    "this station": ours,
    "peak-to-peak <= 1 e over 0.5 s": peer(PeakToPeak),
    "deviation of 10 means <= 0.1 e": peer(DeviationOfMeans),
}


def measure(weather: str, rate_sps: float, n: int, locks: dict[str, Callable[..., object]]) -> None:
    tallies = {name: Tally() for name in locks}
    for trial in trials(n, rate_sps, SEED, WEATHERS[weather]):
        for name, lock in locks.items():
            begun_s = time.process_time()
            found = lock(trial, rate_sps)
            tally = tallies[name]
            tally.busy_s += time.process_time() - begun_s
            tally.samples += len(trial.t_ms)
            tally.add(trial, found)  # type: ignore[arg-type]
    for name, tally in tallies.items():
        say(tally.row(f"{weather}, {rate_sps:g} SPS: {name}"))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200 * SIZE)
    parser.add_argument("--weathers", default="house")
    parser.add_argument("--rates", default="80,10")
    parser.add_argument("--curve", action="store_true")
    chosen = parser.parse_args()
    say("| platform, rate: lock | t50 / t95 / t99.9, s | error p50 / p99.9 / most, e | hand on "
          "| never | inside k=2, median | us a sample |")  # fmt: skip
    say("|---|---|---|---|---|---|---|")
    for weather in chosen.weathers.split(","):
        for rate_sps in map(float, chosen.rates.split(",")):
            if chosen.curve:
                for nats in (4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 24.0):
                    counts.NO_HAND_FAST_NATS = counts.NO_HAND_SLOW_NATS = nats
                    locks = {f"{nats:g} nats that no hand is on": ours}
                    measure(weather, rate_sps, chosen.trials, locks)
            else:
                measure(weather, rate_sps, chosen.trials, LOCKS)


if __name__ == "__main__":
    main()

"""Sixteen channels at 80 samples a second through the whole path: what share of one core?

    python tests/benchmarks/channels.py [--seconds S]

From counts in blocks, as a driver posts them, through ``Station.handle`` (settler, rules, visits) to
entries that are committed at once in memory. Every bin gets a drop every ``EVERY_S`` seconds, far more
than a station sees; the second row is the same with nobody there. Processor time, not the clock.
"""

from __future__ import annotations

import argparse
import sys
import time

from settling_trials import COUNTS_PER_GRAM, ZERO_COUNTS, Weather, trials

from kiosk.core.config import BinRules, ScaleRules, StationRules
from kiosk.core.effects import Effect, Record
from kiosk.core.events import CountsBlock, Moment, Tick
from kiosk.core.memory import BinBook, Memory
from kiosk.core.settle import CountsSettler
from kiosk.core.station import Station

CHANNELS, RATE_SPS, BLOCK = 16, 80.0, 8
EVERY_S = 10.0
AIM = 0.20


def station() -> Station:
    scale = ScaleRules(60_000, 20, 20, RATE_SPS, COUNTS_PER_GRAM, ZERO_COUNTS)
    bins = tuple(BinRules(f"b{n}", "pet-bottle", scale) for n in range(CHANNELS))
    books = tuple(BinBook(b.bin, b.item, f"{b.bin}-bag", 0, 0) for b in bins)
    memory = Memory(prefix="x", books=books, same_boot=True, open_visits=())
    return Station(StationRules(bins=bins), memory)


def signal(seconds: float, *, drops: bool) -> list[list[int]]:
    """Counts of each channel: trials one after the other, each beginning where the last one ended."""
    n = int(RATE_SPS * EVERY_S)
    rounds = max(1, round(seconds / EVERY_S))
    weather = Weather(
        load_g=(100.0, 3_000.0) if drops else (0.0, 0.001), hand_least_g=200.0 * drops
    )
    drawn = iter(trials(CHANNELS * rounds, RATE_SPS, 7, weather, after_s=EVERY_S))
    channels = []
    for _ in range(CHANNELS):
        level, series = 0, []
        for _ in range(rounds):
            trial = next(drawn)
            series += [min((1 << 23) - 2, level + c) for c in trial.counts[:n]]
            level += round((trial.load_g - trial.base_g) * COUNTS_PER_GRAM) * drops
        channels.append(series)
    return channels


def carry_out(rules: Station, effects: list[Effect]) -> int:
    """Commits what is to be recorded; how many entries that were."""
    entries = 0
    while effects:
        more: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Record):
                seqs = tuple(range(entries + 1, entries + 1 + len(effect.items)))
                entries += len(effect.items)
                more += rules.recorded(effect.items, seqs)
        effects = more
    return entries


def measure(name: str, channels: list[list[int]]) -> None:
    rules = station()
    length, entries = len(channels[0]), 0
    begun_s = time.process_time()
    for at in range(0, length - BLOCK + 1, BLOCK):
        times = tuple(round((at + k + 1) * 1000 / RATE_SPS) for k in range(BLOCK))
        now = Moment(times[-1], times[-1], "synced", 1)
        for n, series in enumerate(channels):
            block = CountsBlock(f"b{n}", times, tuple(series[at : at + BLOCK]))
            entries += carry_out(rules, rules.handle(block, now))
        entries += carry_out(rules, rules.handle(Tick(times[-1]), now))
    busy_s = time.process_time() - begun_s
    share = busy_s / (length / RATE_SPS)
    each_us = 1e6 * busy_s / length / CHANNELS
    say(f"| {name} | {100 * share:.1f} % | {each_us:.0f} | {entries} | {share / AIM:.2f} |")


def settlers_alone(channels: list[list[int]]) -> None:
    scale = ScaleRules(60_000, 20, 20, RATE_SPS, COUNTS_PER_GRAM, ZERO_COUNTS)
    begun_s = time.process_time()
    for series in channels:
        settler = CountsSettler(scale)
        for at, value in enumerate(series):
            settler.feed(round((at + 1) * 1000 / RATE_SPS), value)
    busy_s = time.process_time() - begun_s
    length = len(channels[0])
    share, each_us = busy_s / (length / RATE_SPS), 1e6 * busy_s / length / CHANNELS
    say(f"| settlers alone, drops | {100 * share:.1f} % | {each_us:.0f} | - | {share / AIM:.2f} |")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    say("| 16 channels at 80 SPS | share of one core | us a sample | entries | of the aim (20 %) |")
    say("|---|---|---|---|---|")
    busy = signal(seconds, drops=True)
    measure(f"a drop into every bin every {EVERY_S:g} s", busy)
    measure("nobody there", signal(seconds, drops=False))
    settlers_alone(busy)


if __name__ == "__main__":
    main()

"""A year of a station (``hw_sim.years``) judged against the truth: the figures of ``docs/benchmarks.md``.

``tests/worlds/test_years.py`` asks the same of two days in every run.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator

from hw_sim.years import SMALL, Year, year


def rows(life: Year) -> Iterator[tuple[str, str]]:
    """What was found, as lines of a table."""
    judge = life.judge
    swaps = len(life.books.swaps)
    yield (
        "weighings judged / entries / bag changes",
        f"{judge.weighings:,} / {life.books.seq:,} / {swaps:,}",
    )
    yield "missed, counted twice, or another resident's", f"{len(judge.faults)}"
    yield "true value inside k = 2", f"{judge.coverage:.1%}"
    rms_g = math.sqrt(sum(error_g**2 for error_g in judge.errors_g) / judge.weighings)
    most_g = max(abs(error_g) for error_g in judge.errors_g)
    yield (
        "median interval / error rms / largest error",
        f"{judge.median_g} g / {rms_g:.1f} g / {most_g:.1f} g",
    )
    sums = [error_g for error_g, _ in judge.sums]
    if sums:
        stated = sorted(may_g for _, may_g in judge.sums)[len(sums) // 2]
        rms_g = math.sqrt(sum(error_g**2 for error_g in sums) / len(sums))
        inside = judge.sums_within / len(sums)
        yield (
            f"sums of {SMALL} small drops: how many / inside their k = 2",
            f"{len(sums):,} / {inside:.1%}",
        )
        yield (
            "... median interval / error mean, rms / largest",
            f"{stated} g / {sum(sums) / len(sums):+.2f} g, {rms_g:.1f} g"
            f" / {max(abs(error_g) for error_g in sums):.1f} g",
        )
    off = max(abs(judge.said_g[name] - judge.true_g[name]) for name in life.cells)
    moved = max(judge.moved_g.values())
    yield (
        "a bin's sum of all weighings, off by at most",
        f"{off:.0f} g of {moved / 1000:,.0f} kg moved",
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rate", type=int, default=10, help="samples a second")
    asked = parser.parse_args()
    life = year(asked.seed, asked.days, rate_sps=asked.rate)
    say(f"| seed {asked.seed}, {asked.days} days at {asked.rate} SPS | |\n|---|---|")
    for name, value in rows(life):
        say(f"| {name} | {value} |")
    for fault in life.verdict():
        say(f"FAULT {fault}")


if __name__ == "__main__":
    main()

"""Ten million entries in the ledger: start, append, state and first batch, beside a ledger of a thousand.

    python tests/benchmarks/big_ledger.py [--short N] [--long N] [--rounds N] [--folder DIR]

Both are made of rows as the product writes them (``filled_ledger``; ten million take 5 GB and some minutes;
half of the seals are held). Each round opens the ledger in a process of its own and measures with its
clock; printed are the medians and how many times as long the long ledger takes. The system's cache is as it
is after the rounds before.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from filled_ledger import fill
from ledger_site import Site, checkin, weighing

REPEATS = 50
"""Of what takes less than a millisecond."""


def took_ms(work: Callable[[], Any]) -> float:
    began_s = time.perf_counter()
    work()
    return (time.perf_counter() - began_s) * 1000


def measure(folder: Path) -> dict[str, float]:
    """One start and what follows it, in milliseconds."""
    site = Site(folder)
    began_s = time.perf_counter()
    ledger = site.open()
    figures = {"start": (time.perf_counter() - began_s) * 1000}
    assert ledger.turn_over is None, ledger.turn_over
    figures["first_batch"] = took_ms(lambda: ledger.batch(0))
    figures["next_batch"] = took_ms(lambda: ledger.batch(300))
    figures["state"] = statistics.median(took_ms(lambda: ledger.progress) for _ in range(REPEATS))
    gross_g = next(book.gross_g for book in ledger.memory().books if book.bin == "b1")
    assert gross_g is not None
    appends = []
    for n in range(REPEATS):
        visit, before_g = f"big-{ledger.head[0]}", gross_g + 100 * n
        items = [checkin(b"A", visit=visit), weighing(before_g, before_g + 100, visit=visit)]
        appends.append(took_ms(lambda items=items: ledger.append(items)))  # type: ignore[misc]
    figures["append"] = statistics.median(appends)
    ledger.close()
    return figures


def rounds(folder: Path, count: int) -> dict[str, float]:
    """The medians of ``count`` processes."""
    said = [
        json.loads(subprocess.check_output([sys.executable, __file__, "--measure", folder]))
        for _ in range(count)
    ]
    return {name: statistics.median(each[name] for each in said) for name in said[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", type=int, default=1_000)
    parser.add_argument("--long", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--measure", type=Path, default=None)
    asked = parser.parse_args()
    if asked.measure is not None:
        sys.stdout.write(json.dumps(measure(asked.measure)))
        return
    with tempfile.TemporaryDirectory(prefix="big-", dir=asked.folder) as folder:
        figures: dict[str, Any] = {}
        for name, entries in (("short", asked.short), ("long", asked.long)):
            site = Site(Path(folder) / name)
            site.folder.mkdir()
            fill(site, entries)
            figures[name] = {"entries": entries, "bytes": site.database.stat().st_size}
            took = rounds(site.folder, asked.rounds)
            figures[name] |= {f"{what}_ms": round(ms, 3) for what, ms in took.items()}
        figures["times"] = {
            what: round(figures["long"][what] / figures["short"][what], 2)
            for what in figures["short"]
            if what.endswith("_ms")
        }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

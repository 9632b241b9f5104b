"""The page under load: weight to painted, ten thousand visits, five hundred slow connections.

    nice -n 5 python tests/benchmarks/screen_load.py shown --trials 200
    nice -n 5 python tests/benchmarks/screen_load.py visits --visits 10000
    nice -n 5 python tests/benchmarks/screen_load.py slow --asked 500

*shown*: from ``publish`` of a recorded weight, which the rules call when the ledger has committed it, until
Chromium has painted it (two frames after the page drew it). *visits*: whole visits pushed through a real
ScreenServer to a real page as fast as it draws them; the page's heap after a garbage collection, its nodes
and listeners; and, without the page (its driver keeps what it is answered), this process' resident memory
when the same views go to a client that only reads. *slow*: 500 connections that ask slowly or nothing, and
are made anew as soon as they are ended (tests/screen/slow_people.py), while a page is loaded again and
again and views go out; the times to a whole answer and to the view. Prints tables for docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/screen"))
from screen_people import Browser, Station, Watching  # noqa: E402
from screen_scenes import bins, setup, view  # noqa: E402
from shots import PANELS, browser_page, publish  # noqa: E402
from slow_people import slow_people  # noqa: E402

from kiosk.core.view import View  # noqa: E402

PAINTED = """record => new Promise((done) => {
  const look = () => {
    if (document.body.dataset.scene !== "recorded") return requestAnimationFrame(look);
    if (!document.querySelector("h1").innerText.includes(record)) return requestAnimationFrame(look);
    const painted = () => done(performance.timeOrigin + performance.now());
    requestAnimationFrame(() => requestAnimationFrame(painted));
  };
  look();
})"""
VISIT = ("greeting", "weighing", "recorded", "thanks", "waiting")
SLOW = 500


def resident_kb() -> int:
    """Of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def summary(name: str, times_ms: list[float]) -> str:
    p50, p95, p99, most = (float(np.quantile(times_ms, share)) for share in (0.5, 0.95, 0.99, 1.0))
    return f"| {name} | {len(times_ms)} | {p50:.0f} / {p95:.0f} / {p99:.0f} ms | {most:.0f} ms |"


def timed(do: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    do()
    return (time.perf_counter() - began_s) * 1000


def shown(page: Any, station: Station, trials: int) -> list[float]:
    """Milliseconds from the commit's ``publish`` to paint, each from a bin in motion."""
    times_ms = []
    for number in range(trials):
        grams = 20 * (number + 1)
        publish(page, station.screen, view(phase="weighing", bin="b1", live_g=grams, visits_open=1))
        page.evaluate(
            "record => { window.painted = (" + PAINTED + ")(record) }", f"{grams / 1000:.2f}"
        )
        began_ms = time.time() * 1000
        station.screen.publish(
            view(phase="recorded", bin="b1", net_g=grams, visit_g=grams, records=number + 1)
        )
        times_ms.append(page.evaluate("() => window.painted") - began_ms)
    return times_ms


COLLECTIONS = 6


def visits(
    page: Any, station: Station, number: int, marks: tuple[int, ...]
) -> list[dict[str, int]]:
    """The memory after so many visits as ``marks`` says."""
    session = page.context.new_cdp_session(page)
    found = []
    for visit in range(1, number + 1):
        for phase in VISIT:
            station.screen.publish(visiting(visit, phase))
            page.wait_for_function("scene => document.body.dataset.scene === scene", arg=phase)
        if visit in marks:
            counted = settled(session)
            heap = session.send("Runtime.getHeapUsage")["usedSize"]
            found.append(
                {
                    "visits": visit,
                    "heap_kb": int(heap) // 1024,
                    "nodes": counted["nodes"],
                    "listeners": counted["jsEventListeners"],
                }
            )
    return found


def served(station: Station, number: int, marks: tuple[int, ...]) -> list[dict[str, int]]:
    """As ``visits``, to a client that only reads: the memory of whoever serves."""
    watching = Watching(station.screen.port)
    found = []
    for visit in range(1, number + 1):
        for phase in VISIT:
            station.screen.publish(visiting(visit, phase))
            watching.until(
                lambda seen, visit=visit, phase=phase: (  # type: ignore[misc]
                    (seen["checkins"], seen["phase"]) == (visit, phase)
                )
            )
        if visit in marks:
            found.append({"visits": visit, "station_kb": resident_kb()})
    watching.close()
    return found


def visiting(visit: int, phase: Any) -> View:
    return view(
        phase=phase,
        since_ms=visit,
        bin=None if phase in ("greeting", "thanks", "waiting") else f"b{visit % 3 + 1}",
        live_g=visit % 5000 if phase == "weighing" else None,
        net_g=visit % 5000,
        visit_g=visit % 5000,
        checkins=visit,
        bins=bins(4, b4="no_scale"),
    )


def settled(session: Any) -> dict[str, int]:
    """What is left when collecting garbage frees no more nodes (some wait for a frame to be drawn)."""
    least: dict[str, int] = {}
    for _ in range(COLLECTIONS):
        session.send("HeapProfiler.collectGarbage")
        counted: dict[str, int] = session.send("Memory.getDOMCounters")
        if not least or counted["nodes"] < least["nodes"]:
            least = counted
        time.sleep(0.05)
    return least


def slow(station: Station, asked: int) -> dict[str, list[float]]:
    """Milliseconds to each of the panel's answers while ``SLOW`` others are there."""
    browser = Browser(station)
    station.screen.publish(view())
    own = Watching(station.screen.port, browser.token())
    own.next()
    times: dict[str, list[float]] = {"page": [], "script": [], "view": [], "touch": []}
    with slow_people(station.screen.port, SLOW) as people:
        while people.began <= SLOW:
            time.sleep(0.05)
        token = browser.token()
        for number in range(asked):
            times["page"].append(timed(lambda: browser.ask("GET", "/")))
            times["script"].append(timed(lambda: browser.ask("GET", "/screen.js")))
            began_s = time.perf_counter()
            station.screen.publish(view(phase="greeting", checkins=number + 1))
            own.until(lambda seen, number=number: seen["checkins"] == number + 1)  # type: ignore[misc]
            times["view"].append((time.perf_counter() - began_s) * 1000)
            times["touch"].append(
                timed(lambda: browser.touch({"action": "claim"}, x_kiosk_token=token))
            )
        own.close()
    return times


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("what", choices=("shown", "visits", "slow"))
    asked.add_argument("--trials", type=int, default=200)
    asked.add_argument("--visits", type=int, default=10_000)
    asked.add_argument("--asked", type=int, default=500)
    given = asked.parse_args()
    station = Station(setup(4))
    station.screen.start()
    lines = [f"load {os.getloadavg()[0]:.1f}"]
    if given.what == "slow":
        found = slow(station, given.asked)
        lines += ["| | asked | p50 / p95 / p99 | most |", "|---|---|---|---|"]
        lines += [summary(name, times_ms) for name, times_ms in found.items()]
    else:
        marks = tuple(sorted({given.visits // 10, given.visits}))
        if given.what == "visits":
            alone = served(station, given.visits, marks)
            lines += [" ".join(f"{name}={count}" for name, count in one.items()) for one in alone]
        with browser_page(PANELS["wide"]) as page:
            page.goto(f"{station.origin}/")
            if given.what == "shown":
                times_ms = shown(page, station, given.trials)
                lines += ["| | trials | p50 / p95 / p99 | most |", "|---|---|---|---|"]
                lines.append(summary("committed to painted", times_ms))
            else:
                for one in visits(page, station, given.visits, marks):
                    lines.append(" ".join(f"{name}={count}" for name, count in one.items()))
    station.screen.stop()
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

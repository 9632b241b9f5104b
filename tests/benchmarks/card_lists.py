"""200,000 closed and 200,000 allowed cards at a station: looks, memory, taking in, bytes on the wire.

    python tests/benchmarks/card_lists.py [--cards N] [--looks N]

Beside the station's lists (sorted rows in a mapped file, ``kiosk.cards.lists``): the same two lists as
frozensets of ``bytes``, and as tables of an SQLite file (primary key, WITHOUT ROWID). Each runs in a
process of its own on the same cards and looks, half of them for a closed card. ``over_1_ms`` of the clock
on a busy machine is mostly other processes' turn; ``max_cpu_us`` is a second round in processor time.
Memory is what the process has more than before, anonymous and of files (``/proc/self/status``); pages of
files are the kernel's to take back. Times are of the clock, on a machine that may be doing other work.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "cards"))

from list_site import CityList, Clock, lists

from sync.messages import deflate

VARIANTS = ("station", "frozenset", "sqlite")
DELTA, LARGE_DELTA = 100, 2_000

Look = Callable[[bytes], bool]


def card(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()[:16]


def city_list(name: Any, first: int, count: int) -> CityList:
    made = CityList(name=name)
    made.publish_full(card(number) for number in range(first, first + count))
    return made


def memory_kb() -> dict[str, int]:
    fields = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if line
    )
    return {key: int(fields[key].split()[0]) for key in ("RssAnon", "RssFile")}


def station(folder: Path, count: int) -> Look:
    """What lies in the folder since ``taken_in`` put it there."""
    held = lists(folder, Clock(), use="allowed")
    return lambda name: held.standing(name) == "closed"


def frozensets(_folder: Path, count: int) -> Look:
    closed = frozenset(card(number) for number in range(count))
    allowed = frozenset(card(number) for number in range(count, 2 * count))
    return lambda name: name in closed or (name in allowed and False)


def sqlite(folder: Path, count: int) -> Look:
    file = folder / "peer.db"
    new = not file.exists()
    database = sqlite3.connect(file)
    if new:
        for table, first in (("closed", 0), ("allowed", count)):
            database.execute(f"CREATE TABLE {table}(name BLOB PRIMARY KEY) WITHOUT ROWID")
            rows = ((card(number),) for number in range(first, first + count))
            database.executemany(f"INSERT INTO {table} VALUES (?)", rows)
        database.commit()

    def look(name: bytes) -> bool:
        if database.execute("SELECT 1 FROM closed WHERE name = ?", (name,)).fetchone():
            return True
        database.execute("SELECT 1 FROM allowed WHERE name = ?", (name,)).fetchone()
        return False

    return look


def measured(variant: str, folder: Path, count: int, looks: int) -> dict[str, Any]:
    """Loaded, looked into, and weighed, in this process."""
    rng = random.Random(5)
    names = [card(rng.randrange(2 * count)) for _ in range(looks)]
    took_ns, cpu_ns = array("q", [1] * looks), array("q", [1] * looks)
    before = memory_kb()
    began_s = time.perf_counter()
    look = {"station": station, "frozenset": frozensets, "sqlite": sqlite}[variant](folder, count)
    load_s = time.perf_counter() - began_s
    closed = 0
    for number, name in enumerate(names):
        start_ns = time.perf_counter_ns()
        found = look(name)
        took_ns[number] = time.perf_counter_ns() - start_ns
        closed += found
    after = memory_kb()
    for number, name in enumerate(names):
        start_ns = time.thread_time_ns()
        look(name)
        cpu_ns[number] = time.thread_time_ns() - start_ns
    times, cpu = sorted(took_ns), sorted(cpu_ns)
    return {
        "variant": variant,
        "load_ms": round(load_s * 1000, 1),
        "p50_us": times[looks // 2] / 1000,
        "p99_us": times[looks * 99 // 100] / 1000,
        "max_us": times[-1] / 1000,
        "over_1_ms": sum(took > 1_000_000 for took in times),
        "max_cpu_us": cpu[-1] / 1000,
        "anon_mb": round((after["RssAnon"] - before["RssAnon"]) / 1024, 1),
        "file_mb": round((after["RssFile"] - before["RssFile"]) / 1024, 1),
        "closed_share": round(closed / looks, 2),
    }


def taken_in(folder: Path, count: int) -> dict[str, Any]:
    """Both lists word by word into a new station's folder; then small and large deltas, and a start."""
    closed, allowed = city_list("closed", 0, count), city_list("allowed", count, count)
    held = lists(folder, Clock(), use="allowed")
    result: dict[str, Any] = {}

    def hand_in(city: CityList, topics: list[str]) -> float:
        began_s = time.perf_counter()
        for topic in topics:
            reason = held.accept(topic, city.retained[topic]).reason
            assert reason is None, (topic, reason)
        return round((time.perf_counter() - began_s) * 1000, 1)

    def wire(city: CityList, topics: list[str]) -> int:
        return sum(len(deflate(city.retained[topic])[1]) for topic in topics)

    parts = [topic for topic in closed.retained if topic.count("/") == 2]
    whole = ["closed/full", *parts]
    result["parts"], result["full_bytes"] = len(parts), wire(closed, whole)
    result["full_json_bytes"] = sum(len(closed.retained[topic]) for topic in whole)
    result["full_ms"] = hand_in(closed, whole)
    hand_in(allowed, [topic.replace("closed", "allowed") for topic in whole] + ["allowed/delta"])
    for name, changes in (("delta", DELTA), ("large_delta", LARGE_DELTA)):
        closed.change(add=(card(9_000_000 + n) for n in range(changes)))
        result[f"{name}_bytes"] = wire(closed, ["closed/delta"])
        result[f"{name}_ms"] = hand_in(closed, ["closed/delta"])
    closed.say_again()
    result["disk_bytes"] = sum(file.stat().st_size for file in folder.iterdir())
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cards", type=int, default=200_000)
    parser.add_argument("--looks", type=int, default=200_000)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.variant:
        result = measured(asked.variant, asked.folder, asked.cards, asked.looks)
        sys.stdout.write(json.dumps(result) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(taken_in(Path(folder), asked.cards)) + "\n")
        for variant in ("sqlite", *VARIANTS):  # the database is made in the first round
            command = [sys.executable, __file__, "--cards", str(asked.cards)]
            command += ["--looks", str(asked.looks), "--folder", folder, "--variant", variant]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            sys.stdout.write(done.stdout)
            sys.stdout.flush()


if __name__ == "__main__":
    main()

"""From the station's ledger to the city's commit: a backlog drained, and one weighing at a time.

    python tests/benchmarks/drain.py [--entries N] [--database postgresql|sqlite] [--raw] [--wire]
        [--live N] [--during N] [--compress auto|always|never[,...]] [--receivers N]
        [--peer PYTHON [--peer-records N] [--peer-memory]]

Side by side in one run, some six minutes on a machine that does nothing else:

    python tests/benchmarks/drain.py --entries 1000000 --compress never,auto --raw --peer PYTHON

Processes as they run: a station (the product's ledger and control socket) with N entries of check-ins,
weighings and visits' ends; ``kiosk uplink``; mosquitto on its own port; ``kiosk-receiver run``; PostgreSQL
as shipped (``fsync`` on). The drain's clock runs from the uplink's start to the moment at which the last
entry is seen committed in the city's database, asked every 20 ms from beside. Processor times are the
kernel's (``/proc``), of whole processes, starting included; PostgreSQL's are its server's and all its
children's. Each way of ``--compress`` drains its own copy of the ledger into its own city; what else is
asked for is measured at the last of them.

``--live`` appends one weighing at a time afterwards and waits until the database shows it (every
millisecond). ``--during`` does so while the backlog drains, and waits until the city has the entry
verified, joined or parked. ``--raw`` sends the same rows without chain, signature, seals or check over the
same broker into a table of the same columns: the machine's limit. ``--wire`` is a pass of its own through a
proxy that counts every byte of the uplink's connection, both ways. ``--peer PYTHON`` drains records from
ThingsBoard's gateway afterwards, as shipped and tuned, to PUBACK (``drain_peer.py``; PYTHON is that of the
peers' environment). It needs fewer of them: its clock runs from the first record on the broker to the
last, so a start is not in its rate, nor its first pack of 10,000 (in its favour: 5 % of 200,000).
``--peer-memory`` tries its memory store as well, which takes minutes. Each part is said on standard error
when it is done; all of them are one JSON value at the end.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))
sys.path.insert(0, str(Path(__file__).parents[1] / "sync"))

from drain_city import City
from drain_raw import raw
from filled_ledger import fill
from ledger_site import Site


def quantile(sorted_ms: list[float], share: float) -> float:
    return round(sorted_ms[min(len(sorted_ms) - 1, int(share * len(sorted_ms)))], 1)


def spread(took_ms: list[float]) -> dict[str, float]:
    took_ms = sorted(took_ms)
    return {
        "p50_ms": quantile(took_ms, 0.5),
        "p99_ms": quantile(took_ms, 0.99),
        "max_ms": round(took_ms[-1], 1),
    }


def drain(city: City, during: int) -> dict[str, Any]:
    """One backlog, from the uplink's start to the last entry's commit."""
    head = city.station.ask("head")
    before = city.cpu_s()
    began_s = time.monotonic()
    city.start_uplink()
    overtook: list[float] = []
    while during and not city.watermark():  # an entry from before the uplink's start is backlog
        city.check()
    while len(overtook) < during and city.watermark() < head:
        overtook.append(city.until_verified(city.station.ask("append")))
    while city.watermark() < head:
        city.check()
        time.sleep(0.02)
    took_s = time.monotonic() - began_s
    used = {name: round(spent - before.get(name, 0.0), 2) for name, spent in city.cpu_s().items()}
    figures: dict[str, Any] = {
        "entries": head,
        "seconds": round(took_s, 2),
        "entries_per_s": round(head / took_s),
        "cpu_s": used,
        "cpu_us_per_entry": {name: round(s / head * 1e6, 2) for name, s in used.items()},
        "uplink_peak_mb": city.uplink_peak_mb(),
    }
    if overtook:
        figures["live_during"] = {"weighings": len(overtook), **spread(overtook)}
    if city.wire is not None:
        figures["wire"] = {
            "bytes_per_entry": round(city.wire.total / head, 1),
            "bytes_per_weighing": round(city.wire.total / city.station.ask("weighings"), 1),
        }
    return figures


def live(city: City, count: int) -> dict[str, Any]:
    """One weighing at a time, from before the append to the commit that is seen from beside."""
    took_ms = []
    bytes_before = city.wire.total if city.wire is not None else 0
    for n in range(count):
        time.sleep(0.02 + 0.013 * (n % 7))
        took_ms.append(city.until_committed(city.station.ask("append")))
    figures: dict[str, Any] = {"weighings": count, **spread(took_ms)}
    if city.wire is not None:
        figures["bytes_per_weighing"] = round((city.wire.total - bytes_before) / count, 1)
    return figures


def peer(python: Path, records: int, *, memory: bool) -> list[dict[str, Any]]:
    """ThingsBoard's gateway: as shipped, tuned, and where asked for its memory store."""
    script = Path(__file__).with_name("drain_peer.py")
    ways: list[tuple[str, ...]] = [("sqlite",), ("sqlite", "--tuned")]
    if memory:
        ways.append(("memory", "--tuned"))
    found = []
    for way in ways:
        call = [python, script, "--records", str(records), "--storage", *way]
        found.append(json.loads(subprocess.check_output(call)))
        say("peer", found[-1])
    return found


def say(name: str, figures: Any) -> None:
    sys.stderr.write(f"{name}: {json.dumps(figures)}\n")
    sys.stderr.flush()


def compress_ways(text: str) -> list[str]:
    ways = text.split(",")
    if not set(ways) <= {"auto", "always", "never"}:
        raise argparse.ArgumentTypeError("write auto, always, never, or several with commas")
    return ways


def measure(folder: Path, site: Site, asked: argparse.Namespace, compress: str) -> dict[str, Any]:
    """One city's figures; what is asked for beside the drain where it is the last one."""
    last = compress == asked.compress[-1]
    with ExitStack() as held:
        city = City(
            folder,
            site,
            asked.database,
            compress=compress,
            receivers=asked.receivers,
            wire=asked.wire,
        )
        held.callback(city.close)
        figures: dict[str, Any] = {"drain": drain(city, asked.during)}
        if asked.live and last:
            figures["live"] = live(city, asked.live)
        if asked.raw and last:
            figures["raw"] = raw(city, site.database)
    say(f"compress {compress}", figures)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--compress", type=compress_ways, default=["auto"])
    parser.add_argument("--receivers", type=int, default=1)
    parser.add_argument("--live", type=int, default=0)
    parser.add_argument("--during", type=int, default=0)
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("--wire", action="store_true")
    parser.add_argument("--peer", type=Path, default=None)
    parser.add_argument("--peer-records", type=int, default=200_000, help="at least 100000")
    parser.add_argument("--peer-memory", action="store_true")
    asked = parser.parse_args()
    if asked.peer_records < 100_000:
        parser.error("--peer-records: below 100000 its packs say nothing of its rate")
    figures: dict[str, Any] = {"database": asked.database}
    with tempfile.TemporaryDirectory(prefix="drain-") as name:
        filled = Site(Path(name) / "filled")
        filled.folder.mkdir()
        fill(filled, asked.entries)
        for compress in asked.compress:
            folder = Path(name) / compress
            shutil.copytree(filled.folder, folder / "station")
            figures[compress] = measure(folder, Site(folder / "station"), asked, compress)
            shutil.rmtree(folder)
    if asked.peer is not None:
        figures["peer"] = peer(asked.peer, asked.peer_records, memory=asked.peer_memory)
        best = max(each["per_s"] for each in figures["peer"])
        figures["times_the_peers_best"] = {
            compress: round(figures[compress]["drain"]["entries_per_s"] / best, 1)
            for compress in asked.compress
        }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""A station's process for the drain: the product's ledger and control socket, told what to do in lines.

``drain_station.py FOLDER CITY_KEY_HEX``; each line on standard input is answered by one on standard output:
``head``, ``weighings`` (how many), ``append`` (one weighing; its seq), ``progress``.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from ledger_site import ITEMS, Site, weighing

from kiosk.control import ControlServer
from kiosk.control.ledger_ops import ledger_ops


@dataclass(frozen=True)
class _City:
    public_key: bytes


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    site = Site(Path(sys.argv[1]), city=_City(bytes.fromhex(sys.argv[2])))  # type: ignore[arg-type]
    ledger = site.open()
    assert ledger.turn_over is None, ledger.turn_over
    gross_g = next(book.gross_g for book in ledger.memory().books if book.bin == "b1")
    assert gross_g is not None
    ops = dict(ledger_ops(ledger, station=site.station, city="demo", software="bench"))
    ops["link"] = lambda _: {}
    ops["health"] = lambda _: {
        "queue": 0,
        "uptime_s": int(time.monotonic()),
        "scales": {},
        "readers": {},
    }
    server = ControlServer(site.folder / "control.sock", ops)
    server.start()
    say("ready")
    for line in sys.stdin:
        match line.strip():
            case "append":
                (seq,) = ledger.append(
                    [weighing(gross_g, gross_g + 120, visit=f"live-{ledger.head[0]}")]
                )
                gross_g += 120
                say(seq)
            case "head":
                say(ledger.head[0])
            case "weighings":
                with closing(sqlite3.connect(site.database)) as db:
                    (count,) = db.execute(
                        "SELECT entries FROM counter WHERE kind = 'weighing'"
                    ).fetchone()
                say(count)
    server.stop()
    ledger.close()


assert set(ITEMS) == {"b1", "b2"}
if __name__ == "__main__":
    main()

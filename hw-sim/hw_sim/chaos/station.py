"""The process that holds a ledger: the real one, with the real control socket, and nobody at the bins.

``python -m hw_sim.chaos.station FOLDER`` opens the ledger in a site's folder as ``kiosk run`` does, serves
its uplink, and appends at a pace of its own: check-ins with seals, weighings, clock entries, now and then
some hundreds at once, and every few seconds a day is over, so that seals are forgotten. After each
``append`` has returned it writes seq and hash to ``committed``; a kill between the two leaves an entry
more than promised, never one less. A file ``quiet`` ends the appending, not the serving.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from hw_sim.demo_site import CITY, STATION, Site
from kiosk.control import ControlServer
from kiosk.control.ledger_ops import ledger_ops
from kiosk.control.server import Handler
from kiosk.core.effects import Item
from kiosk.core.entries import At, Checkin, Clock, Opening, VisitClose, Weighing
from kiosk.ledger import Ledger
from sync.ending import Ending
from sync.signing import Signer

BIN, ITEM = "b1", "pet-bottle"
PAUSE_S = 0.03
"""Mean time between two transactions."""
BURST_EACH = 150
"""One transaction in so many is one of BURST entries."""
BURST = 400
DAY_S = 20.0
"""A day of the station's clock passes in so long."""
DAY_MS = 86_400_000
BEGAN_MS = 1_790_000_000_000
UNSYNCED_S = 0.2
"""After a start the clock is not known for so long."""
LINK_DAYS = 2


class Pace(msgspec.Struct, frozen=True):
    """What the run tells this process, in ``pace.json``."""

    city_key: str
    seed: int
    began_s: float
    """By CLOCK_MONOTONIC: one clock over all lives."""


class _Clock:
    """One life's stamps."""

    def __init__(self, began_s: float) -> None:
        self._boot = secrets.token_hex(16)
        self._began_s = began_s
        self._up_s = time.monotonic()

    def at(self) -> At:
        now_s = time.monotonic()
        up_ms = int((now_s - self._up_s) * 1000)
        utc_ms = BEGAN_MS + int((now_s - self._began_s) / DAY_S * DAY_MS)
        return At(self._boot, up_ms, utc_ms, "synced" if self.known else "unsynced")

    @property
    def known(self) -> bool:
        return time.monotonic() - self._up_s > UNSYNCED_S


def committed_file(site: Site) -> Path:
    """Seq and hash of what ``append`` returned, a line each."""
    return site.station / "committed"


def quiet_file(site: Site) -> Path:
    return site.station / "quiet"


def pace_file(site: Site) -> Path:
    return site.station / "pace.json"


def hold(site: Site) -> None:
    """Until SIGTERM."""
    pace = msgspec.json.decode(pace_file(site).read_bytes(), type=Pace)
    clock = _Clock(pace.began_s)
    ending = Ending()
    ending.heed()
    ledger = Ledger.open(
        site.station,
        station=STATION,
        city=CITY,
        signer=Signer.load(site.keys / "station.key"),
        city_key=bytes.fromhex(pace.city_key),
        software="chaos",
        openings={BIN: Opening(0, None, 1)},
        items={BIN: ITEM},
        clock=clock.at,
        day_of=lambda utc_ms: utc_ms // DAY_MS,
    )
    with closing(ledger), committed_file(site).open("ab", buffering=0) as committed:
        control = ControlServer(site.socket, _ops(ledger))
        control.start()
        rng = random.Random(f"{pace.seed} {ledger.head[0]}")
        steps = _steps(ledger, clock, rng)
        while not ending.asked:
            if not quiet_file(site).exists():
                next(steps)
                seq, entry_hash = ledger.head
                os.write(committed.fileno(), f"{seq} {entry_hash.hex()}\n".encode())
            time.sleep(rng.expovariate(1 / PAUSE_S))
        ledger.end_waits()
        control.stop()


def _ops(ledger: Ledger) -> dict[str, Handler]:
    ops = dict(ledger_ops(ledger, station=STATION, city=CITY, software="chaos"))
    ops["link"] = lambda _: {}
    ops["health"] = lambda _: {
        "queue": ledger.head[0] - ledger.watermark,
        "uptime_s": int(time.monotonic()),
        "scales": {BIN: "ready"},
        "readers": {},
    }
    return ops


def _steps(ledger: Ledger, clock: _Clock, rng: random.Random) -> Iterator[None]:
    """A transaction at each ``next``."""
    books = {book.bin: book.gross_g for book in ledger.memory().books}
    gross_g = books.get(BIN) or 0
    told = False
    people = [bytes([number]) * 16 for number in range(40)]
    while True:
        if clock.known and not told:
            told = True
            ledger.append([Item(Clock(clock.at().utc_ms, 50, "ntp"))])
        elif rng.randrange(BURST_EACH) == 0:
            count = rng.randrange(BURST)
            ledger.append([_drop(gross_g + 10 * n, 10, None) for n in range(count + 1)])
            gross_g += 10 * (count + 1)
        elif rng.random() < 0.3:
            net_g = rng.randrange(20, 2000)
            visit = f"v-{secrets.token_hex(8)}"
            person = rng.choice(people)
            ledger.append([Item(Checkin(visit, None, "qr", True, 0, 0), pseudonym=person)])
            ledger.append([_drop(gross_g, net_g, visit), Item(VisitClose(visit, "goodbye"))])
            gross_g += net_g
        elif rng.random() < 0.5:
            person = rng.choice(people)
            ledger.append([Item(Checkin(None, None, "nfc", False, 0, 1), pseudonym=person)])
        elif rng.random() < 0.1:
            ledger.forget_due(LINK_DAYS)
        else:
            ledger.append([_drop(gross_g, 150, None)])
            gross_g += 150
        yield


def _drop(before_g: int, net_g: int, visit: str | None) -> Item:
    draft = Weighing(
        bin=BIN,
        item=ITEM,
        bag="bag-1",
        visit=visit,
        net_g=net_g,
        gross_before_g=before_g,
        gross_after_g=before_g + net_g,
        uncertainty_g=20,
        division_g=20,
        adjustment=1,
        mode="estimate",
        catalogue=1,
        tariff=0,
        points=0,
    )
    return Item(draft)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    hold(Site(Path(sys.argv[1])))

"""A ledger of any length in a minute: rows as the product writes them, without a commit for each.

One visit in five entries: a linked check-in (sealed), three weighings, the visit's end; every hundredth
visit a bag change after it. Bodies are canonical, digests and hashes chain, the head is signed and the
projections stand where ``kiosk.ledger.projections.rebuild`` would put them, so that ``Ledger.open`` goes on
with it as with its own.
"""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

import msgspec
from ledger_site import DAY_MS, ITEMS, Site

from kiosk.core import stock
from kiosk.core.chain import digest, link, seal
from kiosk.core.memory import BinBook
from kiosk.core.shared import month_of
from kiosk.core.stock import ItemStock
from sync.messages import batch_message

VISITS_A_DAY = 60
CARDS = 3_000
AT_ONCE = 10_000
NETS_G = (35, 120, 480, 1_240, 60, 310, 90, 2_105, 150, 75, 640)


@dataclass
class _Sums:
    """What the projections have to hold at the end."""

    kinds: Counter[str] = field(default_factory=Counter)
    days: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    gross_g: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ITEMS, 0))
    bags: dict[str, str] = field(default_factory=dict)
    stock: dict[str, ItemStock] = field(default_factory=dict)
    yard: list[tuple[int, int, str, int, None]] = field(default_factory=list)

    def weighed(self, name: str, net_g: int, old_g: int, visit: str, day: int) -> None:
        """A drop, as the stock yard's books take it."""
        item, bag = ITEMS[name], self.bags[name]
        entry = {"kind": "weighing", "net_g": net_g}
        before = BinBook(name, item, bag, old_g)
        after = BinBook(name, item, bag, old_g + net_g)
        now, _ = stock.moved(self.stock.get(item, ItemStock()), before, after, entry)
        amount = stock.amount_of(entry)
        assert amount is not None
        self.stock[item] = stock.dropped(now, amount, visit, day, month_of(day))

    def swapped(self, name: str, old_g: int, new_bag: str, seq: int) -> None:
        """A bag change."""
        item = ITEMS[name]
        entry = {"kind": "bag_swap", "net_g": old_g}
        before = BinBook(name, item, self.bags[name], old_g)
        now, gone = stock.moved(self.stock[item], before, BinBook(name, item, new_bag, 0), entry)
        self.stock[item] = now
        if gone is not None:
            self.yard.append((seq, 0, item, old_g, None))


def fill(site: Site, entries: int) -> None:
    """Begin a ledger in ``site.folder`` and grow it to ``entries`` entries or a visit more."""
    opened = site.open()
    ledger_id = opened.ledger_id
    with closing(sqlite3.connect(site.database)) as db:
        bags = dict(db.execute("SELECT bin, bag FROM book"))
    opened.close()
    with closing(sqlite3.connect(site.database, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA journal_mode=MEMORY")
        last, before = db.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC").fetchone()
        sums = _Sums(bags=bags)
        db.execute("BEGIN")
        visits = _visits(ledger_id, last, sums, site.clock.utc_ms)
        while last < entries:
            rows, seals, held = [], [], []
            for bodies, day, salt, pseudonym in itertools.islice(visits, AT_ONCE // 5):
                seals.append((last + 1, salt, pseudonym))
                held.append((last + 1, day, 1))
                for body in bodies:
                    last += 1
                    own = digest(body.encode())
                    before = link(before, own)
                    rows.append((last, body, own, before))
                if last >= entries:
                    break
            db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", rows)
            db.executemany("INSERT INTO seal VALUES (?, ?, ?)", seals)
            db.executemany("INSERT INTO held_seal VALUES (?, ?, ?)", held)
        _project(db, sums)
        signature = site.signer.sign(batch_message(ledger_id, last, before))
        db.execute("DELETE FROM batch_sig")
        db.execute("INSERT INTO batch_sig VALUES (?, ?)", (last, signature))
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode=WAL")


def _visits(
    ledger_id: str, last: int, sums: _Sums, utc_ms: int
) -> Iterator[tuple[list[str], int, bytes, bytes]]:
    """Bodies of one visit after another, its day, and what opens its check-in's seal."""
    boot, prefix = "b0" * 16, f"{ledger_id[:10]}-1"
    bins, gross = list(ITEMS), sums.gross_g
    for number in itertools.count(1):
        bodies: list[str] = []
        ms = utc_ms + number * (DAY_MS // VISITS_A_DAY)
        day, visit = ms // DAY_MS, f"{prefix}-v{number}"
        salt = hashlib.md5(b"%d" % number).digest()
        pseudonym = hashlib.sha256(b"%d" % (zlib.crc32(b"%d" % number) % CARDS)).digest()[:16]

        def stamp(after_ms: int, ms: int = ms) -> str:
            utc = ms + after_ms
            return f'{{"boot":"{boot}","boot_ms":{utc % DAY_MS},"clock":"synced","utc_ms":{utc}}}'

        seq = last + 1
        bodies.append(
            f'{{"at":{stamp(0)},"by":"qr","kind":"checkin","points":1,"proves":true,'
            f'"seal":"{seal(salt, pseudonym).hex()}","seq":{seq},"tariff":1,"visit":"{visit}"}}'
        )
        for n in range(3):
            seq += 1
            name = bins[(number + n) % len(bins)]
            net_g = NETS_G[(number * 3 + n) % len(NETS_G)] + number % 17
            old_g = gross[name]
            gross[name] = old_g + net_g
            bodies.append(
                f'{{"adjustment":1,"at":{stamp(4_000 * (n + 1))},"bag":"{sums.bags[name]}",'
                f'"bin":"{name}","catalogue":1,"division_g":20,"gross_after_g":{old_g + net_g},'
                f'"gross_before_g":{old_g},"item":"{ITEMS[name]}","kind":"weighing",'
                f'"mode":"estimate","net_g":{net_g},"points":{net_g // 100},"seq":{seq},'
                f'"tariff":1,"uncertainty_g":12,"visit":"{visit}"}}'
            )
            sums.weighed(name, net_g, old_g, visit, day)
            total = sums.days.setdefault((day, ITEMS[name]), [0, 0])
            total[0] += net_g
            total[1] += 1
        seq += 1
        bodies.append(
            f'{{"at":{stamp(40_000)},"kind":"visit_close","reason":"idle","seq":{seq},'
            f'"visit":"{visit}"}}'
        )
        if number % 100 == 0:
            for name in bins:
                seq += 1
                new, old_g = f"{prefix}-b{number}", gross[name]
                bodies.append(
                    f'{{"at":{stamp(60_000)},"bag":"{sums.bags[name]}","bin":"{name}",'
                    f'"gross_after_g":0,"gross_before_g":{old_g},"item":"{ITEMS[name]}",'
                    f'"kind":"bag_swap","net_g":{old_g},"new_bag":"{new}","seq":{seq}}}'
                )
                sums.swapped(name, old_g, new, seq)
                gross[name], sums.bags[name] = 0, new
                sums.kinds["bag_swap"] += 1
        sums.kinds.update({"checkin": 1, "weighing": 3, "visit_close": 1})
        last = seq
        yield bodies, day, salt, pseudonym


def _project(db: sqlite3.Connection, sums: _Sums) -> None:
    db.executemany(
        "INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE"
        " SET entries = entries + excluded.entries",
        sums.kinds.items(),
    )
    db.executemany(
        "INSERT INTO day_item VALUES (?, ?, ?, ?, 0, 0)",
        [(day, item, net_g, count) for (day, item), (net_g, count) in sums.days.items()],
    )
    db.executemany(
        "UPDATE book SET gross_g = ?, bag = ?, item = ? WHERE bin = ?",
        [(gross_g, sums.bags[name], ITEMS[name], name) for name, gross_g in sums.gross_g.items()],
    )
    db.executemany(
        "INSERT INTO stock VALUES (?, ?)",
        [
            (item, msgspec.json.encode(one, order="sorted").decode())
            for item, one in sums.stock.items()
        ],
    )
    db.executemany("INSERT INTO yard_bag VALUES (?, ?, ?, ?, ?)", sums.yard)

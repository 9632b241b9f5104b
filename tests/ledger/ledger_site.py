"""A station's data folder, its keys, its clock, and drafts as the rules make them."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.core.effects import Item
from kiosk.core.entries import (
    At,
    BagSwap,
    Checkin,
    ClockQuality,
    Opening,
    Snapshot,
    Unattributed,
    VisitClose,
    Weighing,
)
from kiosk.ledger import Ledger
from kiosk.ledger.projections import Counting
from sync.messages import Ack, AckError, encode_ack
from sync.signing import Signer

DAY_MS = 86_400_000
ITEMS = {"b1": "pet-bottle", "b2": "can"}


@dataclass
class Clock:
    """A clock that only the test moves."""

    boot: str = "0" * 32
    boot_ms: int = 60_000
    utc_ms: int = 20_000 * DAY_MS
    clock: ClockQuality = "synced"

    def __call__(self) -> At:
        return At(boot=self.boot, boot_ms=self.boot_ms, utc_ms=self.utc_ms, clock=self.clock)


@dataclass
class Site:
    """One station's folder, and the city that signs for it."""

    folder: Path
    signer: Signer = field(default_factory=lambda: Signer(b"station-key-of-the-tests-32bytes"))
    city: Signer = field(default_factory=lambda: Signer(b"city-key-of-the-tests---32-bytes"))
    clock: Clock = field(default_factory=Clock)
    station: str = "hall-1"

    @property
    def database(self) -> Path:
        return self.folder / "ledger.db"

    def open(self, counting: Counting | None = None) -> Ledger:
        return Ledger.open(
            self.folder,
            station=self.station,
            city="demo",
            signer=self.signer,
            city_key=self.city.public_key,
            software="test",
            openings={bin_id: Opening(0, None, 1) for bin_id in ITEMS},
            items=ITEMS,
            clock=self.clock,
            day_of=lambda utc_ms: utc_ms // DAY_MS,
            counting=counting,
        )

    def ack(
        self,
        ledger: Ledger,
        seq: int | None = None,
        *,
        epoch: int = 1,
        head: bytes | None = None,
        error: AckError | None = None,
        signer: Signer | None = None,
    ) -> bytes:
        """What the city would send once it has committed up to ``seq`` (the head)."""
        if seq is None:
            seq = ledger.head[0]
        if head is None:
            with closing(sqlite3.connect(self.database)) as db:
                row = db.execute("SELECT hash FROM ledger WHERE seq = ?", (seq,)).fetchone()
            head = bytes(32) if row is None else row[0]
        return encode_ack(Ack(ledger.ledger_id, epoch, seq, head, error), signer or self.city)


def weighing(
    before_g: int, after_g: int, *, bin_id: str = "b1", visit: str | None = "v-1", points: int = 0
) -> Item:
    """A drop, or with ``after_g`` below ``before_g`` something taken out."""
    return Item(
        Weighing(
            bin=bin_id,
            item=ITEMS[bin_id],
            bag="bag-1",
            visit=visit,
            net_g=after_g - before_g,
            gross_before_g=before_g,
            gross_after_g=after_g,
            uncertainty_g=10,
            division_g=20,
            adjustment=1,
            mode="estimate",
            catalogue=1,
            tariff=1,
            points=points,
        )
    )


def unattributed(before_g: int | None, after_g: int | None, cause: str = "drift") -> Item:
    net_g = None if before_g is None or after_g is None else after_g - before_g
    return Item(
        Unattributed(
            bin="b1",
            item="pet-bottle",
            bag="bag-1",
            cause=cause,  # type: ignore[arg-type]
            net_g=net_g,
            gross_before_g=before_g,
            gross_after_g=after_g,
            uncertainty_g=10,
        )
    )


def bag_swap(before_g: int | None, after_g: int | None, new_bag: str = "bag-2") -> Item:
    net_g = None if before_g is None or after_g is None else before_g - after_g
    return Item(BagSwap("b1", "pet-bottle", "bag-1", new_bag, net_g, before_g, after_g))


def checkin(person: bytes, *, visit: str | None = None, points: int = 1) -> Item:
    """A card of ``person`` (one letter stands for the 16 bytes of its pseudonym)."""
    return Item(Checkin(visit, None, "qr", True, 1, points), pseudonym=person * 16)


def close_visit(visit: str = "v-1") -> Item:
    return Item(VisitClose(visit=visit, reason="idle"))


def drop_many(ledger: Ledger, count: int) -> None:
    """``count`` drops of 100 g into b1, a commit each."""
    book = next(book for book in ledger.memory().books if book.bin == "b1")
    assert book.gross_g is not None
    before_g = book.gross_g
    for after_g in range(before_g + 100, before_g + 100 * count + 1, 100):
        ledger.append([weighing(after_g - 100, after_g)])


def thin(site: Site, ledger: Ledger, *seqs: int) -> None:
    """The bodies of ``seqs`` taken away, behind a snapshot of everything before it."""
    data = b"the projections"
    digest = hashlib.sha256(data).hexdigest()
    (at,) = ledger.append([Item(Snapshot(of=ledger.head[0], digest=digest))])
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("INSERT INTO snapshot VALUES (?, ?)", (at, data))
        db.executemany("UPDATE ledger SET body = NULL WHERE seq = ?", [(seq,) for seq in seqs])


def projected(db: sqlite3.Connection) -> dict[str, list[Any]]:
    """Every row of every projection, to compare."""
    kept = {"ledger", "seal", "batch_sig", "snapshot", "sent", "unseal", "projected"}
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: db.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
        for (name,) in tables
        if name not in kept and not name.startswith(("_", "sqlite_"))
    }

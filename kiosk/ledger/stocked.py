"""The stock yard's books, kept in step with the ledger (``kiosk.core.stock`` says what they mean).

``stock`` one row an item, ``yard_bag`` one row a bag that was ever stored (``picked`` the pickup it left
with), ``stock_move`` one row a pickup or sale. Nothing is ever read from an earlier entry's body, so a
ledger whose bodies were thinned away goes on counting; what is looked at for one entry does not grow
with the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from kiosk.core import stock
from kiosk.core.conserving import Entry
from kiosk.core.effects import Item
from kiosk.core.memory import BinBook
from kiosk.core.shared import month_of
from kiosk.core.stock import Bags, ItemStock
from kiosk.core.yard import MAX_CARRIED, StockCarried

MAX_LISTED = 1_000
TABLES = ("stock", "yard_bag", "stock_move")
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(ItemStock)


class Move(msgspec.Struct, frozen=True, array_like=True):
    """A pickup or sale that was written down. ``bags`` and ``beyond`` of a pickup, ``yen`` of a sale;
    ``voided`` the entry that took it back."""

    seq: int
    kind: str
    item: str
    bags: int | None
    beyond: int
    net_g: int | None
    yen: int | None
    who: str | None
    date: str | None
    utc_ms: int
    known: bool
    voided: int | None


def moved(db: sqlite3.Connection, before: BinBook | None, after: BinBook, entry: Entry) -> None:
    """A bin's book was moved by an entry that carries grams."""
    if before is not None and before.item not in ("", after.item):
        _write(db, before.item, stock.left(_read(db, before.item), before))
    if after.item == "":  # an adjustment before a bin's first entry: of which item is not known yet
        return
    now, gone = stock.moved(_read(db, after.item), before, after, entry)
    _write(db, after.item, now)
    if gone is not None:
        _store(db, entry["seq"], 0, after.item, entry["net_g"])


def dropped(db: sqlite3.Connection, entry: Entry, day: int | None) -> None:
    """A drop, weighed or counted; ``day`` None where the clock did not know it."""
    amount = stock.amount_of(entry)
    assert amount is not None, "asked for drops alone"
    month = None if day is None else month_of(day)
    now = stock.dropped(_read(db, entry["item"]), amount, entry["visit"], day, month)
    _write(db, entry["item"], now)


def noted(db: sqlite3.Connection, entry: Entry) -> None:
    """What a caretaker wrote down, or an ended ledger's word."""
    match entry["kind"]:
        case "pickup":
            _pick_up(db, entry)
        case "sale":
            _move(db, entry, beyond=0, who=entry["buyer"])
            now = stock.sold(_read(db, entry["item"]), entry["net_g"], entry["yen"])
            _write(db, entry["item"], now)
        case "stock_void":
            _void(db, entry)
        case _:
            now = stock.carried(_read(db, entry["item"]), entry)
            _write(db, entry["item"], now)
            for number, net_g in enumerate(entry["bags"]):
                _store(db, entry["seq"], number, entry["item"], net_g)


NOTED_KINDS = frozenset({"pickup", "sale", "stock_void", "stock_carried"})
CARETAKERS_KINDS = NOTED_KINDS - {"stock_carried"}
"""What may be written while the station itself does not run."""


def read(db: sqlite3.Connection) -> dict[str, ItemStock]:
    """Every item's, by code."""
    return {
        item: _DECODER.decode(data)
        for item, data in db.execute("SELECT item, data FROM stock ORDER BY item")
    }


def moves(db: sqlite3.Connection, last: int) -> list[Move]:
    """The last pickups and sales, oldest first."""
    found = db.execute(
        "SELECT seq, kind, item, bags, beyond, net_g, yen, who, date, utc_ms, known, voided"
        " FROM stock_move ORDER BY seq DESC LIMIT ?",
        (min(last, MAX_LISTED),),
    ).fetchall()
    return [msgspec.convert(row, Move, strict=False) for row in reversed(found)]


def move_at(db: sqlite3.Connection, seq: int) -> Move | None:
    """The pickup or sale with this seq."""
    row = db.execute(
        "SELECT seq, kind, item, bags, beyond, net_g, yen, who, date, utc_ms, known, voided"
        " FROM stock_move WHERE seq = ?",
        (seq,),
    ).fetchone()
    return None if row is None else msgspec.convert(row, Move, strict=False)


def said_again(db: sqlite3.Connection) -> Iterator[Item]:
    """What a ledger that ended knew, for the one that continues it; its file may be of an older program,
    or damaged: then it knows less."""
    try:
        known = read(db)
        stored = db.execute(
            "SELECT item, net_g FROM yard_bag WHERE picked IS NULL ORDER BY seq, number"
        ).fetchall()
    except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError):
        return
    for item, one in known.items():
        bags = [net_g for code, net_g in stored if code == item]
        yield Item(
            StockCarried(
                item=item,
                bags=tuple(bags[:MAX_CARRIED]),
                in_g=one.taken_in.g,
                weighings=one.taken_in.weighings,
                pieces=one.taken_in.pieces,
                ml=one.taken_in.ml,
                picked_bags=one.picked.bags,
                picked_unweighed=one.picked.unweighed,
                picked_g=one.picked.g,
                told_g=one.told_g,
                sales=one.sales,
                sold_g=one.sold_g,
                yen=one.yen,
            )
        )
        for first in range(MAX_CARRIED, len(bags), MAX_CARRIED):
            yield Item(StockCarried(item=item, bags=tuple(bags[first : first + MAX_CARRIED])))


def _pick_up(db: sqlite3.Connection, entry: Entry) -> None:
    item, asked = entry["item"], entry["bags"]
    found = db.execute(
        "SELECT seq, number, net_g FROM yard_bag WHERE item = ? AND picked IS NULL"
        " ORDER BY seq, number LIMIT ?",
        (item, asked),
    ).fetchall()
    gone = Bags()
    for seq, number, net_g in found:
        gone = gone.plus(stock.bag(net_g))
        db.execute(
            "UPDATE yard_bag SET picked = ? WHERE seq = ? AND number = ?",
            (entry["seq"], seq, number),
        )
    _move(db, entry, beyond=asked - gone.bags, who=entry["to"])
    _write(db, item, stock.picked_up(_read(db, item), gone, asked, entry["net_g"] or 0))


def _void(db: sqlite3.Connection, entry: Entry) -> None:
    """Takes one back; a second time, or what is neither pickup nor sale, changes nothing."""
    of = move_at(db, entry["of"])
    if of is None or of.voided is not None:
        return
    db.execute("UPDATE stock_move SET voided = ? WHERE seq = ?", (entry["seq"], of.seq))
    now = _read(db, of.item)
    if of.kind == "sale":
        assert of.net_g is not None and of.yen is not None, "every sale has both"
        _write(db, of.item, stock.sold(now, of.net_g, of.yen, -1))
        return
    assert of.bags is not None, "every pickup has bags"
    back = Bags()
    for (net_g,) in db.execute("SELECT net_g FROM yard_bag WHERE picked = ?", (of.seq,)):
        back = back.plus(stock.bag(net_g))
    db.execute("UPDATE yard_bag SET picked = NULL WHERE picked = ?", (of.seq,))
    _write(db, of.item, stock.picked_up(now, back, of.bags, of.net_g or 0, -1))


def _move(db: sqlite3.Connection, entry: Entry, *, beyond: int, who: str | None) -> None:
    at = entry["at"]
    db.execute(
        "INSERT INTO stock_move VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            entry["seq"], entry["kind"], entry["item"], entry.get("bags"), beyond,
            entry["net_g"], entry.get("yen"), who, entry.get("date"),
            at["utc_ms"], at["clock"] == "synced",
        ),
    )  # fmt: skip


def _store(db: sqlite3.Connection, seq: int, number: int, item: str, net_g: int | None) -> None:
    db.execute("INSERT INTO yard_bag VALUES (?, ?, ?, ?, NULL)", (seq, number, item, net_g))


def _read(db: sqlite3.Connection, item: str) -> ItemStock:
    row = db.execute("SELECT data FROM stock WHERE item = ?", (item,)).fetchone()
    return ItemStock() if row is None else _DECODER.decode(row[0])


def _write(db: sqlite3.Connection, item: str, one: ItemStock) -> None:
    db.execute("INSERT OR REPLACE INTO stock VALUES (?, ?)", (item, _ENCODER.encode(one).decode()))

"""What the ledger adds up to, kept in step with it: books, open visits, seals held, totals, orders.

Invariant: the tables equal what ``rebuild`` makes of the ledger. An append moves them in its own
transaction; a start rebuilds them when their ``PROJECTION`` is another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from kiosk.core.adjusted import Adjusted
from kiosk.core.canonical import canonical, parse_canonical
from kiosk.core.memory import BinBook, Memory
from kiosk.ledger import heard, ordered, stocked
from kiosk.ledger.books import GRAM_KINDS, Entry, moved, opening_books
from kiosk.ledger.remembered import read_earned, read_tied

PROJECTION = 4
"""Raised whenever the tables below come to mean something else."""

COUNTED = 2_000
"""Entries between two signs of progress: a fifth of a second on a desk's machine, some on a Pi."""
Counting = Callable[[int, int], None]
"""So many entries of how many are read."""
DayOf = Callable[[int], int]
"""UTC milliseconds to the station's local day, counted from 1970-01-01."""

_TABLES = (
    *("book", "open_visit", "held_seal", "day_item", "counter", "standing", "projected"),
    *stocked.TABLES,
    *heard.TABLES,
)
CARD_KINDS = frozenset({"card_begun", "card_closed", "card_account", "card_joined"})


def apply(db: sqlite3.Connection, entry: Entry, day_of: DayOf) -> None:
    """Moves the projections by one entry, whose row and seal are already in the database."""
    kind = entry["kind"]
    db.execute(
        "INSERT INTO counter VALUES (?, 1) ON CONFLICT DO UPDATE SET entries = entries + 1", (kind,)
    )
    if kind == "genesis":
        for book in opening_books(entry).values():
            _write_book(db, book)
    if kind in GRAM_KINDS:
        before = read_book(db, entry["bin"])
        after = moved(before, entry)
        _write_book(db, after)
        stocked.moved(db, before, after, entry)
    if kind in ordered.KINDS:
        ordered.apply(db, entry)
    _move_visit(db, entry)
    day = day_of(entry["at"]["utc_ms"])
    # A card's own entries say whose it is for as long as it is held: their seals do not age.
    if entry.get("seal") is not None and kind not in CARD_KINDS:
        # Nothing where the seal's row was forgotten since: that is how a rebuild meets it.
        db.execute(
            "INSERT INTO held_seal SELECT seq, ?, ? FROM seal WHERE seq = ?",
            (day, _is_linked(db, entry), entry["seq"]),
        )
    if kind == "weighing":
        _add(db, day, entry["item"], net_g=entry["net_g"], weighings=1)
    elif kind == "item_count":
        _add(db, day, entry["item"], pieces=entry.get("count") or 0, ml=entry.get("ml") or 0)
    if kind in ("weighing", "item_count"):
        # A guessed day would show one day's drops as another's.
        stocked.dropped(db, entry, day if entry["at"]["clock"] == "synced" else None)
    elif kind in stocked.NOTED_KINDS:
        stocked.noted(db, entry)
    elif kind in heard.KINDS:
        heard.apply(db, entry, day if entry["at"]["clock"] == "synced" else None)


def rebuild(db: sqlite3.Connection, day_of: DayOf, counting: Counting | None = None) -> None:
    """Makes the projections anew from the whole ledger; call it inside a transaction. ``counting`` hears
    how far it is, every ``COUNTED`` entries."""
    for table in _TABLES:
        db.execute(f"DELETE FROM {table}")
    (whole,) = db.execute("SELECT count(*) FROM ledger").fetchone()
    for done, (body,) in enumerate(db.execute("SELECT body FROM ledger ORDER BY seq")):
        if counting is not None and done and done % COUNTED == 0:
            counting(done, whole)
        apply(db, parse_canonical(body.encode()), day_of)
    db.execute("INSERT INTO projected VALUES (?)", (PROJECTION,))


def is_current(db: sqlite3.Connection) -> bool:
    """Whether the tables were written by this version."""
    return bool(db.execute("SELECT version FROM projected").fetchall() == [(PROJECTION,)])


def read_book(db: sqlite3.Connection, bin_id: str) -> BinBook | None:
    """One bin's book; None for a bin that the ledger does not know."""
    row = db.execute("SELECT * FROM book WHERE bin = ?", (bin_id,)).fetchone()
    return None if row is None else _book(row)


def read_books(db: sqlite3.Connection) -> dict[str, BinBook]:
    """Every bin's book."""
    return {row[0]: _book(row) for row in db.execute("SELECT * FROM book")}


def read_memory(
    db: sqlite3.Connection, items: Mapping[str, str], *, prefix: str, same_boot: bool
) -> Memory:
    """What the rules need to go on, for the bins of the settings in their order."""
    books = read_books(db)
    visits = db.execute("SELECT visit FROM open_visit ORDER BY seq")
    return Memory(
        prefix=prefix,
        books=tuple(
            _for_rules(books, bin_id, item, new_bag=f"{prefix}-new-{n}")
            for n, (bin_id, item) in enumerate(items.items(), start=1)
        ),
        same_boot=same_boot,
        open_visits=tuple(visit for (visit,) in visits),
        earned=read_earned(db),
        tied=read_tied(db),
        orders=ordered.read(db),
    )


def _for_rules(books: Mapping[str, BinBook], bin_id: str, item: str, *, new_bag: str) -> BinBook:
    # A bin that is new in the settings has no weight in the books: its first entry gives it one,
    # and its bag's name.
    book = books.get(bin_id) or BinBook(bin=bin_id, item=item, bag=new_bag, gross_g=None)
    return replace(book, item=item)


def _book(row: Sequence[Any]) -> BinBook:
    bin_id, item, bag, gross_g, empty_g, number, scale = row
    adjusted = None if scale is None else msgspec.json.decode(scale, type=Adjusted)
    return BinBook(bin_id, item, bag, gross_g, empty_g, number, adjusted)


def _write_book(db: sqlite3.Connection, book: BinBook) -> None:
    names = (book.bin, book.item, book.bag, book.gross_g, book.empty_g, book.adjustment)
    scale = None
    if book.adjusted is not None:
        scale = canonical(msgspec.to_builtins(book.adjusted)).decode()
    db.execute("INSERT OR REPLACE INTO book VALUES (?, ?, ?, ?, ?, ?, ?)", (*names, scale))


def _is_linked(db: sqlite3.Connection, entry: Entry) -> bool:
    """Whether the seal stands for more than a greeting; an alias goes with what it is of."""
    if entry["kind"] != "alias":
        return entry.get("visit") is not None
    (body,) = db.execute(
        "SELECT CAST(body AS BLOB) FROM ledger WHERE seq = ?", (entry["of"],)
    ).fetchone()
    return parse_canonical(body)["visit"] is not None


def _move_visit(db: sqlite3.Connection, entry: Entry) -> None:
    visit = entry.get("visit")
    if visit is None:
        return
    if entry["kind"] == "visit_close":
        db.execute("DELETE FROM open_visit WHERE visit = ?", (visit,))
    else:
        db.execute("INSERT OR IGNORE INTO open_visit VALUES (?, ?)", (visit, entry["seq"]))


def _add(
    db: sqlite3.Connection,
    day: int,
    item: str,
    *,
    net_g: int = 0,
    weighings: int = 0,
    pieces: int = 0,
    ml: int = 0,
) -> None:
    db.execute(
        "INSERT INTO day_item VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " net_g = net_g + excluded.net_g, weighings = weighings + excluded.weighings,"
        " pieces = pieces + excluded.pieces, ml = ml + excluded.ml",
        (day, item, net_g, weighings, pieces, ml),
    )

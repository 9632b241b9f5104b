"""What stands at both ends, row by row, and what should stand nowhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import sqlalchemy as sa

from hw_sim.accounting import Finding

AT_ONCE = 5_000
MAX_TOLD = 5
"""Differences of one kind that are told; the first ones say what it is."""


@dataclass(slots=True)
class Compared:
    """How much was compared, and what was found."""

    entries: int = 0
    seals: int = 0
    promised: int = 0
    findings: list[Finding] = field(default_factory=list)


def compare(ledgers: Sequence[Path], database: str, committed: Path | None) -> Compared:
    """The station's ledgers, the one in use first, against the city's database.

    ``committed`` has seq and hash of what ``append`` had returned, a line each.
    """
    found = Compared()
    engine = sa.create_engine(database)
    try:
        with engine.connect() as city:
            known = set()
            for path in ledgers:
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as station:
                    known.add(_one(station, city, found))
            strays = set(city.scalars(sa.text("SELECT DISTINCT ledger FROM entry"))) - known
            if strays:
                found.findings.append(Finding("stray_ledger", f"Only the city has {strays}."))
            for table in ("parked", "quarantine"):
                left = city.scalar(sa.text(f"SELECT count(*) FROM {table}"))
                if left:
                    found.findings.append(Finding(table, f"{left} rows are left there."))
    finally:
        engine.dispose()
    if committed is not None:
        _promises(ledgers[0], committed, found)
    return found


def _one(station: sqlite3.Connection, city: sa.Connection, found: Compared) -> str:
    name: str = station.execute(
        "SELECT json_extract(body, '$.ledger') FROM ledger WHERE seq = 1"
    ).fetchone()[0]
    own = station.execute("SELECT seq, body, digest, hash FROM ledger ORDER BY seq")
    theirs = _stored(city, "entry", "seq, body, digest, hash", name)
    found.entries += _differences("entry", name, own, theirs, found)
    own = station.execute("SELECT seq, salt, pseudonym FROM seal ORDER BY seq")
    found.seals += _differences(
        "seal", name, own, _stored(city, "seal", "seq, salt, pseudonym", name), found
    )
    return name


def _stored(
    city: sa.Connection, table: str, columns: str, name: str
) -> Iterator[tuple[object, ...]]:
    query = sa.text(f"SELECT {columns} FROM {table} WHERE ledger = :name ORDER BY seq")
    streaming = city.execution_options(yield_per=AT_ONCE)
    for row in streaming.execute(query, {"name": name}):
        yield tuple(bytes(each) if isinstance(each, memoryview) else each for each in row)


def _differences(
    what: str,
    name: str,
    own: Iterable[tuple[object, ...]],
    theirs: Iterable[tuple[object, ...]],
    found: Compared,
) -> int:
    """Told where the two part; the number of rows at the station."""
    rows = told = 0
    for ours, city in zip_longest(own, theirs):
        rows += ours is not None
        if ours != city:
            told += 1
            if told > MAX_TOLD:
                break
            place = (ours or city or (0,))[0]
            words = f"{name[:12]} {place}: the station has {ours!r:.90}, the city {city!r:.90}."
            found.findings.append(Finding(f"{what}_differs", words))
    return rows


def _promises(ledger: Path, committed: Path, found: Compared) -> None:
    """Everything that ``append`` returned before a kill is there, with its hash."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as station:
        hashes = dict(station.execute("SELECT seq, lower(hex(hash)) FROM ledger"))
    lines = committed.read_text(encoding="ascii").split("\n")[:-1]  # the last may be cut off
    for line in lines:
        seq, _, entry_hash = line.partition(" ")
        found.promised += 1
        if hashes.get(int(seq)) != entry_hash:
            found.findings.append(
                Finding("committed_lost", f"{seq} was committed and is not there.")
            )
            return

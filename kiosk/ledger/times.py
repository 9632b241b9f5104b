"""When the entries of a ledger were, resolved from its clock entries (``kiosk.core.timeline``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.timeline import Anchor, Interval, resolve, settle
from kiosk.ledger.reading import reading


def resolved(path: Path, entries: Iterable[dict[str, Any]]) -> list[Interval | None]:
    """The interval of each entry, None for one that says no time. All clock entries are read, so a ledger
    of millions takes seconds. Raises OperatorError, StorageError."""
    with reading(path) as db:
        settled = settle(_anchors(db))
    found: list[Interval | None] = []
    for entry in entries:
        inner = entry.get("entry") if entry.get("kind") == "recovered" else None
        at = (inner or entry).get("at")
        if at is None:
            found.append(None)
            continue
        found.append(
            resolve(entry["seq"], at["boot"], at["boot_ms"], settled, recovered=inner is not None)
        )
    return found


def _anchors(db: sqlite3.Connection) -> list[Anchor]:
    rows = db.execute(
        'SELECT CAST(body AS BLOB) FROM ledger WHERE body LIKE \'%"kind":"clock"%\' ORDER BY seq'
    )
    anchors = []
    for (body,) in rows:
        try:
            entry = parse_canonical(body)
            recovered = entry["kind"] == "recovered"
            inner = entry["entry"] if recovered else entry
            if inner["kind"] == "clock":
                at = inner["at"]
                anchors.append(
                    Anchor(
                        entry["seq"],
                        at["boot"],
                        at["boot_ms"],
                        inner["utc_ms"],
                        inner["uncertainty_ms"],
                        recovered,
                    )
                )
        except (NotCanonical, KeyError, TypeError):
            continue  # damaged: ledger verify says so
    return anchors

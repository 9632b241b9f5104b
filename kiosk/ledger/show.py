"""The last entries of a ledger, to look at."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.ledger.reading import reading

MAX_SHOWN = 10_000
"""Entries shown at once; ``export`` gives them all."""


def show(
    path: Path, *, kinds: Collection[str] = (), bin_id: str | None = None, last: int = 20
) -> list[dict[str, Any]]:
    """The last entries of these kinds and this bin (all, where not said), oldest first.

    A thinned one is ``{"seq":n,"thinned":true}``, one that is damaged ``{"seq":n,"damaged":true}``;
    both are left out where something is asked for. Raises OperatorError, StorageError.
    """
    marks = ",".join("?" * len(kinds))
    asked = ["1"]
    if kinds:
        asked.append(f"json_extract(body, '$.kind') IN ({marks})")
    if bin_id is not None:
        asked.append("json_extract(body, '$.bin') = ?")
    # json_extract raises on what is no JSON, so CASE asks that first.
    valid = "json_valid(body)" if len(asked) > 1 else "1"
    values: list[object] = [*kinds, *([] if bin_id is None else [bin_id]), min(last, MAX_SHOWN)]
    with reading(path) as db:
        found = db.execute(
            "SELECT seq, CAST(body AS BLOB) FROM ledger"
            f" WHERE CASE WHEN {valid} THEN {' AND '.join(asked)} END ORDER BY seq DESC LIMIT ?",
            values,
        ).fetchall()
    return [_entry(seq, body) for seq, body in reversed(found)]


def _entry(seq: int, body: bytes | None) -> dict[str, Any]:
    if body is None:
        return {"seq": seq, "thinned": True}
    try:
        entry: dict[str, Any] = parse_canonical(body)
    except NotCanonical:
        return {"seq": seq, "damaged": True}
    return entry

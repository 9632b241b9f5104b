"""Do the entries, one after another, tell a history that can be? Shape, grams, visits.

Signatures do not answer this: whoever has the station's key can sign any history. What an entry says
counts only where its text is the one of its digest; anything else is a hole in the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.chain import digest
from kiosk.core.conserving import GRAM_KINDS, Conservation, Entry
from kiosk.core.entries import AnyDraft, At
from kiosk.ledger.finding import Finding
from kiosk.ledger.rows import Row

_KINDS = {kind.__struct_config__.tag: kind for kind in get_args(AnyDraft)}
_NEEDED = {
    kind: frozenset(one.encode_name for one in msgspec.structs.fields(draft) if one.required)
    for kind, draft in _KINDS.items()
}
"""By kind, the fields that its entries have always; other kinds may come and are taken as they are."""


class History:
    """One reading of a ledger, from its beginning."""

    def __init__(self) -> None:
        self.grams = Conservation()
        self._begun: set[str] = set()
        self._closed: set[str] = set()

    def read(self, row: Row) -> tuple[Entry | None, list[Finding]]:
        """The next row's entry, None where its text cannot be believed, and what is wrong with it."""
        assert row.body is not None, "what was thinned away is a hole"
        if digest(row.body) != row.digest:
            self.grams.hole(row.seq)
            return None, [Finding("body_changed", row.seq)]
        entry = _parsed(row.body)
        if entry is None:
            self.grams.hole(row.seq)
            return None, [Finding("not_canonical", row.seq)]
        return entry, list(self._look(row.seq, entry))

    def _look(self, seq: int, entry: Entry) -> Iterator[Finding]:
        kind = entry["kind"]
        if entry["seq"] != seq:
            yield Finding("seq_differs", seq, values={"said": entry["seq"]})
        lacking = sorted(_NEEDED.get(kind, frozenset()) - entry.keys())
        if not _is_time(entry.get("at")):
            lacking.append("at")
        if lacking:
            yield Finding("incomplete", seq, values={"fields": ", ".join(lacking)})
        if kind == "genesis" and seq != 1:
            yield Finding("second_genesis", seq)
            return
        try:
            if kind == "genesis":
                self.grams.open(entry)
            elif kind in GRAM_KINDS:
                yield from self._weigh(seq, entry)
            yield from self._visit(seq, entry)
        except (KeyError, TypeError, AttributeError):
            self.grams.hole(seq)
            if not lacking:
                yield Finding("incomplete", seq, values={"fields": "?"})

    def _weigh(self, seq: int, entry: Entry) -> Iterator[Finding]:
        found = self.grams.see(seq, entry)
        if found is not None:
            values = {
                "bin": entry["bin"],
                "before_g": found.before_g,
                "after_g": found.after_g,
                "net_g": found.net_g,
                "book_g": found.book_g,
            }
            yield Finding("books_broken", seq, case=found.case, values=values)

    def _visit(self, seq: int, entry: Entry) -> Iterator[Finding]:
        visit = entry.get("visit")
        if visit is None:
            return
        begins = entry["kind"] == "checkin"
        if visit in (self._begun if begins else self._closed):
            yield Finding(
                "visit_twice" if begins else "after_close", seq, values={"visit": str(visit)}
            )
        self._begun.add(visit)
        if entry["kind"] == "visit_close":
            self._closed.add(visit)


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        entry = parse_canonical(body)
    except NotCanonical:
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        return None
    return entry if type(entry.get("seq")) is int else None


def _is_time(at: object) -> bool:
    try:
        msgspec.convert(at, At)
    except msgspec.ValidationError:
        return False
    return True

"""Bodies that were thinned away: only behind a snapshot, and never those that always stay.

A snapshot counts while its data lies in the table ``snapshot`` and is the one of the digest in its entry;
an older one's data may have gone with a newer one's coming.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

from kiosk.core.conserving import Entry
from kiosk.ledger.finding import Finding

KEPT_KINDS = ("adjustment", "forget")
"""Never thinned, beside the genesis, which is found missing at its place."""


class Thinning:
    """What is gone, and what stands for it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._gone: list[list[int]] = []
        """Ranges, first and last."""
        self._covered = 0
        """Up to here a snapshot stands for whatever is gone."""
        self._seen = dict.fromkeys(KEPT_KINDS, 0)
        self.count = 0

    def gone(self, seq: int) -> None:
        """A row without a body."""
        self.count += 1
        if self._gone and self._gone[-1][1] == seq - 1:
            self._gone[-1][1] = seq
        else:
            self._gone.append([seq, seq])

    def read(self, seq: int, entry: Entry) -> Iterator[Finding]:
        """A row with one."""
        kind = entry["kind"]
        if kind in self._seen:
            self._seen[kind] += 1
        if kind != "snapshot":
            return
        of, said = entry.get("of"), entry.get("digest")
        if not isinstance(of, int):
            return
        data = self._data(seq, of)
        if any(isinstance(one, bytes) and _hex(one) == said for one in data):
            self._covered = max(self._covered, min(of, seq - 1))
        elif data:
            yield Finding("snapshot_differs", seq)

    def judge(self) -> Iterator[Finding]:
        """When all was read: what went without anything to stand for it."""
        for first, last in self._gone:
            first = max(first, self._covered + 1)
            if first <= last:
                yield Finding(
                    "thinned", first, case="many" if last > first else "", values={"until": last}
                )
        if self.count:
            for kind, seen in self._seen.items():
                if self._written(kind) > seen:
                    yield Finding("thinned_kept_kind", values={"kind": kind})

    def _data(self, seq: int, of: int) -> list[object]:
        found = self._db.execute("SELECT data FROM snapshot WHERE seq IN (?, ?)", (seq, of))
        return [data for (data,) in found]

    def _written(self, kind: str) -> int:
        """How many of a kind were ever written, by the station's own count."""
        found = self._db.execute("SELECT entries FROM counter WHERE kind = ?", (kind,)).fetchone()
        return found[0] if found else 0


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

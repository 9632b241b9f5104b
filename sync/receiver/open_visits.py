"""The visits of one ledger that are not closed yet: whose each is, and its points so far.

A round reads them once (``beside``) and writes what became of them at its end. They are few: a visit ends
within minutes, and a station closes what was open when it starts again. Where a round's ledgers keep
``WHOLE`` open and more, they are asked for one by one.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from sync.receiver.point_tables import point_visit

WHOLE = 500
"""As many are read at once."""

Standing = tuple[bytes | None, int]
"""The name of its card, None while it is nobody's, and its points."""

NEW: Standing = (None, 0)


class OpenVisits:
    """Of one ledger, in one round, whose transaction holds it."""

    def __init__(
        self, connection: sa.Connection, ledger: str, stored: Mapping[str, Standing] | None
    ) -> None:
        """``stored``: all that there are; None: they are asked for one by one."""
        self._connection = connection
        self._ledger = ledger
        self._whole = stored is not None
        self._stored: dict[str, Standing | None] = dict(stored or {})
        self._now: dict[str, Standing] = dict(stored or {})

    def __getitem__(self, visit: str) -> Standing:
        self._look(visit)
        return self._now.get(visit, NEW)

    def __setitem__(self, visit: str, standing: Standing) -> None:
        self._look(visit)
        self._now[visit] = standing

    def pop(self, visit: str) -> Standing:
        """It is closed."""
        self._look(visit)
        return self._now.pop(visit, NEW)

    def keep(self) -> None:
        """Writes what changed."""
        stored = {name: standing for name, standing in self._stored.items() if standing}
        gone = [name for name, standing in stored.items() if self._now.get(name) != standing]
        new = [name for name, standing in self._now.items() if stored.get(name) != standing]
        here = point_visit.c
        for at in range(0, len(gone), WHOLE):
            some = gone[at : at + WHOLE]
            self._connection.execute(
                sa.delete(point_visit).where(here.ledger == self._ledger, here.visit.in_(some))
            )
        rows = [
            {"ledger": self._ledger, "visit": visit, "name": name, "points": points}
            for visit, (name, points) in ((one, self._now[one]) for one in new)
        ]
        if rows:
            self._connection.execute(point_visit.insert(), rows)

    def _look(self, visit: str) -> None:
        if self._whole or visit in self._stored or visit in self._now:
            return
        here = point_visit.c
        row = self._connection.execute(
            sa.select(point_visit).where(here.ledger == self._ledger, here.visit == visit)
        ).first()
        self._stored[visit] = standing = None if row is None else _standing(row)
        if standing is not None:
            self._now[visit] = standing


def _standing(row: sa.Row[tuple[object, ...]]) -> Standing:
    return (None if row.name is None else bytes(row.name), row.points)

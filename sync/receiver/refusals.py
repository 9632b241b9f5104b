"""What was refused: counted for the city, said in the log, and neither without bound.

A station whose batches are refused is not silent and not well: somebody at the city has to see it
without looking for it. So each refusal of a registered station counts in ``station_state``, and the
log has the first of its kind at once and then one line an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from sync.receiver.tables import refusal, station_key

REPEAT_S = 3600.0
"""The log says the same of the same station no more often."""
MAX_REMEMBERED = 10_000
"""Stations and codes that the log knows to be said; beyond, it forgets the oldest."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message that did not count; ``ledger`` None where it named none that can be read."""

    city: str
    station: str
    code: str
    ledger: str | None
    seq: int


def count(connection: sa.Connection, refusals: Iterable[Refusal], now_ms: int) -> None:
    """Count them, for stations that were ever registered: others may bear any name.

    In the order of their names, as another receiver may count for the same ones.
    """
    sums: dict[tuple[str, str, str], list[Refusal]] = {}
    for each in refusals:
        sums.setdefault((each.city, each.station, each.code), []).append(each)
    for (city, station, code), same in sorted(sums.items()):
        known = sa.select(station_key.c.city).where(
            station_key.c.city == city, station_key.c.station == station
        )
        if connection.execute(known.limit(1)).first() is None:
            continue
        latest = {"ledger": same[-1].ledger, "seq": same[-1].seq, "last_ms": now_ms}
        mine = (refusal.c.city == city, refusal.c.station == station, refusal.c.code == code)
        again = sa.update(refusal).where(*mine)
        if not connection.execute(
            again.values(times=refusal.c.times + len(same), **latest)
        ).rowcount:
            connection.execute(
                refusal.insert().values(
                    city=city,
                    station=station,
                    code=code,
                    times=len(same),
                    since_ms=now_ms,
                    **latest,
                )
            )


class Spoken:
    """What the log has said already, and how often it kept quiet since."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, str], tuple[float, int]] = {}

    def due(self, city: str, station: str, code: str, now_s: float) -> int | None:
        """None: said within the hour. Else how many came since it was last said."""
        key = (city, station, code)
        said_s, quiet = self._said.get(key, (now_s - REPEAT_S, 0))
        if now_s - said_s < REPEAT_S:
            self._said[key] = (said_s, quiet + 1)
            return None
        self._said.pop(key, None)
        if len(self._said) >= MAX_REMEMBERED:
            self._said.pop(next(iter(self._said)))
        self._said[key] = (now_s, 0)
        return quiet

"""What was filled in behind a cursor (``filled``): in numbers that rise with each commit of one ledger.

An entry's text may come after the cursor has passed the entry. The ledger's row is locked by whoever fills
in, so its numbers have no holes that close later, and a cursor over them misses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from kiosk.core.entries import Adjustment
from sync.receiver.sinks.books import EMPTY_MOVES
from sync.receiver.tables import bin_change, entry, filled


@dataclass(frozen=True, slots=True)
class Late:
    """The next of it. ``seqs`` at or before the cursor; what lies beyond comes in its own turn."""

    seqs: list[int]
    number: int
    clocks: bool
    adjusted: dict[str, int]
    """The last adjustment of each bin, up to the cursor."""
    empties: dict[str, int]
    """What empty weighs at the cursor, of bins whose last adjustment is among ``seqs``."""


def late(connection: sa.Connection, ledger: str, upto: int, after: int, room: int) -> Late:
    """What was filled in under numbers beyond ``after``, of entries up to the cursor ``upto``."""
    query = (
        sa.select(filled.c.number, filled.c.seq, entry.c.kind)
        .join(entry, sa.and_(entry.c.ledger == filled.c.ledger, entry.c.seq == filled.c.seq))
        .where(filled.c.ledger == ledger, filled.c.number > after)
        .order_by(filled.c.number)
        .limit(max(1, room))
    )
    rows = connection.execute(query).all()
    here = [row for row in rows if row.seq <= upto]
    seqs = sorted(row.seq for row in here)
    sets = adjustments(connection, ledger, seqs[0] - 1, upto) if seqs else []
    adjusted = {bin_: seq for seq, bin_, _ in sets}
    empties = {
        bin_: empty_g + _moved_g(connection, ledger, bin_, seq, upto)
        for seq, bin_, empty_g in sets
        if seq in seqs and adjusted[bin_] == seq
    }
    clocks = any(row.kind in ("clock", "recovered") for row in here)
    return Late(seqs, rows[-1].number if rows else after, clocks, adjusted, empties)


def adjustments(
    connection: sa.Connection, ledger: str, after: int, last: int
) -> list[tuple[int, str, int]]:
    """Seq, bin and what empty weighs, of the adjustments among these entries."""
    query = sa.select(entry.c.seq, entry.c.body).where(
        entry.c.ledger == ledger, entry.c.seq > after, entry.c.seq <= last,
        entry.c.kind == "adjustment", entry.c.body.is_not(None),
    )  # fmt: skip
    found = []
    for row in connection.execute(query.order_by(entry.c.seq)):
        fields = msgspec.json.decode(row.body)
        try:
            draft = msgspec.convert(
                {key: value for key, value in fields.items() if key not in ("seq", "at")},
                Adjustment,
            )
        except msgspec.ValidationError:
            continue  # of a newer shape: as in projections, kept and not understood
        found.append((row.seq, draft.bin, draft.empty_g))
    return found


def _moved_g(connection: sa.Connection, ledger: str, bin_: str, after: int, last: int) -> int:
    """By how much what empty weighs has moved since."""
    moved = sa.select(sa.func.coalesce(sa.func.sum(bin_change.c.net_g), 0)).where(
        bin_change.c.ledger == ledger,
        bin_change.c.seq > after,
        bin_change.c.seq <= last,
        bin_change.c.bin == bin_,
        bin_change.c.of_ledger.is_(None),
        bin_change.c.cause.in_(sorted(EMPTY_MOVES)),
    )
    return int(connection.scalars(moved).one())

"""What becomes of a batch in the database, made without it.

Invariant: ``make`` looks at nothing but the batch, so it may run on any thread and ahead of its turn; what
it gives is used as often as the transaction has to be tried, and never changed.

Theory. A receiver that waits for its database could make the next rows meanwhile: of all that a batch
costs here, only its place in the ledger (does it join on?), what stands for visits that began before it,
and which seals were forgotten ahead of it are the database's to say. Nearly always a batch begins where
the one before it ended. Where it does not, a part of it is stored already, and its rows are made again for
the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from sync.messages import Batch
from sync.receiver import lacking
from sync.receiver.earnings import Reckoned, reckon
from sync.receiver.projections import Rows
from sync.receiver.tables import anchor, batch_sig, bin_change, entry, opening, seal
from sync.receiver.writing import Load, Loader


@dataclass(frozen=True, slots=True)
class Made:
    """What entries of a batch beyond seq ``after`` become."""

    after: int
    loads: dict[sa.Table, Load]
    seals: Load
    """Only of new entries: a repeated batch must not bring back what was forgotten."""
    sealed: list[int]
    shut: list[int]
    """The sealed entries that nothing in the batch opens."""
    hollow: bool
    """Whether the batch has an entry without its text."""
    covered: int
    """Up to where a snapshot among them stands for what is thinned; 0 where there is none."""
    forgets: int
    """Seals that they say are forgotten."""
    timed: bool
    """Whether there are clock entries among them."""
    reckoned: Reckoned


def make(loader: Loader, city: str, station: str, batch: Batch, after: int) -> Made:
    """``after`` is at least the batch's first seq less one."""
    skip = after + 1 - batch.first
    rows = Rows()
    rows.add_all(batch.ledger, after + 1, batch.values[skip:])
    seals = [
        (batch.ledger, each.seq, bytes.fromhex(each.salt), bytes.fromhex(each.pseudonym))
        for each in batch.seals
        if each.seq > after
    ]
    sealed = lacking.sealed_in(batch, skip)
    opened = {row[1] for row in seals}
    return Made(
        after=after,
        loads={
            entry: loader.entries(station, batch, skip),
            bin_change: loader.rows(bin_change, rows.bin_change),
            anchor: loader.rows(anchor, rows.anchor),
            opening: loader.rows(opening, rows.opening),
            batch_sig: loader.rows(batch_sig, [(batch.ledger, batch.last, batch.signature)]),
        },
        seals=loader.rows(seal, seals),
        sealed=sealed,
        shut=[seq for seq in sealed if seq not in opened],
        hollow=None in batch.bodies,
        covered=lacking.snapshot_in(batch, skip),
        forgets=lacking.forgets_in(batch, skip),
        timed=bool(rows.anchor),
        reckoned=reckon(city, station, batch, after),
    )

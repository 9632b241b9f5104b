"""Where a sink is: its lease, its cursors, and the transaction that moves them.

One process delivers for a sink: it holds the *lease*, a row with a time by the database's own clock, and
every move of the cursor is conditional on holding it. A process that was asleep past its lease has
perhaps sent twice, but cannot move a cursor that another has taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sync.receiver.database import reading, utc_ms
from sync.receiver.sinks.books import Book
from sync.receiver.sinks.protocol import Aside, Away
from sync.receiver.sinks.tables import (
    sink_aside,
    sink_bin,
    sink_cursor,
    sink_day,
    sink_open,
    sink_state,
)

LEASE_S = 60
"""Without a word from the process that holds it for so long, another may take over."""
MAX_ASIDE = 1_000
"""Set aside for one sink; beyond it is not single entries that are wrong, and delivery stops."""
MAX_PAYLOAD_BYTES = 16_384
"""Of what is kept of one that was set aside."""


class LeaseLost(Exception):
    """Another process delivers for this sink now."""


class BegunAnew(Exception):
    """Somebody asked for this ledger again while a batch of it was under way."""


@dataclass(frozen=True, slots=True)
class Open:
    """A change whose time is not the last word, or a deposit without a day; columns of ``sink_open``."""

    settled: bool
    deposit: bool
    day: int | None

    @property
    def undated(self) -> bool:
        return self.deposit and self.day is None


@dataclass(slots=True)
class Moves:
    """What a delivered batch moves in one ledger."""

    ledger: str
    city: str
    station: str
    before: int  # where the cursor was
    seq: int
    hash: bytes
    anchor_seq: int | None
    filled: int  # handed over of what was filled in afterwards
    fresh: bool  # there is no row of this sink for this ledger yet
    books: dict[str, Book] = field(default_factory=dict)
    told: dict[str, Book] = field(
        default_factory=dict
    )  # these, and those whose time is better known
    days: dict[int, tuple[int, int]] = field(default_factory=dict)
    open: dict[int, Open] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)


def take_lease(engine: sa.Engine, name: str, holder: str) -> bool:
    """Whether ``holder`` delivers for the sink now, for LEASE_S more."""
    state = sink_state.c
    with reading(engine) as connection:  # who only stands by writes nothing
        row = connection.execute(sa.select(sink_state).where(state.sink == name)).first()
        now_ms = database_ms(connection)
    if row is not None and row.holder not in (None, holder) and row.until_ms >= now_ms:
        return False
    with engine.begin() as connection:
        now_ms = database_ms(connection)
        until = {"holder": holder, "until_ms": now_ms + LEASE_S * 1000}
        if row is None:
            try:
                connection.execute(sink_state.insert().values(sink=name, **until))
            except IntegrityError:  # another was quicker
                connection.rollback()
                return False
            return True
        free = sa.or_(state.holder.is_(None), state.holder == holder, state.until_ms < now_ms)
        taken = connection.execute(
            sa.update(sink_state).where(state.sink == name, free).values(**until)
        )
        return bool(taken.rowcount)


def let_go(engine: sa.Engine, name: str, holder: str) -> None:
    """Another may deliver at once."""
    with engine.begin() as connection:
        mine = sink_state.c.sink == name, sink_state.c.holder == holder
        connection.execute(sa.update(sink_state).where(*mine).values(holder=None, until_ms=0))


def tell(engine: sa.Engine, name: str, trouble: Away) -> None:
    """Why nothing is delivered, for whoever asks; ``trouble_ms`` stays while the code does."""
    with engine.begin() as connection:
        now_ms = database_ms(connection)
        same = sink_state.c.trouble_code == trouble.code
        since = sa.case((same, sink_state.c.trouble_ms), else_=now_ms)
        connection.execute(
            sa.update(sink_state)
            .where(sink_state.c.sink == name)
            .values(trouble_code=trouble.code, trouble=str(trouble), trouble_ms=since)
        )


def moved(
    engine: sa.Engine, name: str, holder: str, moves: Sequence[Moves], aside: Sequence[Aside]
) -> None:
    """Commit that a batch was delivered. LeaseLost when another process delivers meanwhile, BegunAnew
    when a cursor is not where it was: then nothing moves."""
    with engine.begin() as connection:
        now_ms = database_ms(connection)
        held = connection.execute(
            sa.update(sink_state)
            .where(sink_state.c.sink == name, sink_state.c.holder == holder)
            .values(
                delivered_ms=now_ms, until_ms=now_ms + LEASE_S * 1000,
                trouble_code=None, trouble=None, trouble_ms=None,
            )
        )  # fmt: skip
        if not held.rowcount:
            raise LeaseLost(name)
        for each in moves:
            _move(connection, name, each)
        for one in aside:
            _keep_aside(connection, name, one, now_ms)


def require_room_aside(connection: sa.Connection, name: str) -> None:
    """Away when so much was set aside that the fault cannot be in single entries."""
    count = sa.select(sa.func.count()).where(sink_aside.c.sink == name)
    if connection.scalars(count).one() >= MAX_ASIDE:
        raise Away(
            "too_much_aside",
            f"{MAX_ASIDE} entries were refused one by one; nothing more is offered.",
            f"See kiosk-receiver sink list, mend the cause, then: kiosk-receiver sink again {name}",
        )


def begin_anew(connection: sa.Connection, name: str, ledger: str) -> None:
    """Deliver this ledger from its first entry again."""
    for table in (sink_cursor, sink_bin, sink_day, sink_open, sink_aside):
        connection.execute(sa.delete(table).where(table.c.sink == name, table.c.ledger == ledger))


def database_ms(connection: sa.Connection) -> int:
    """UTC by one clock for all who share the database: the server's, where there is one."""
    if connection.dialect.name == "postgresql":
        now = sa.text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
        return int(connection.scalars(now).one())
    return utc_ms()


def _move(connection: sa.Connection, name: str, moves: Moves) -> None:
    place = {"sink": name, "ledger": moves.ledger}
    cursor = {"seq": moves.seq, "hash": moves.hash, "anchor_seq": moves.anchor_seq}
    cursor["filled"] = moves.filled
    if moves.fresh:
        connection.execute(sink_cursor.insert().values(**place, **cursor))
    else:
        there = [sink_cursor.c[column] == value for column, value in place.items()]
        there.append(sink_cursor.c.seq == moves.before)
        if not connection.execute(sa.update(sink_cursor).where(*there).values(**cursor)).rowcount:
            raise BegunAnew(moves.ledger)
    for bin_, book in moves.books.items():
        values = {
            "item": book.item, "gross_g": book.gross_g, "empty_g": book.empty_g,
            "uncertainty_g": book.uncertainty_g, "changed_seq": book.changed_seq,
            "emptied_seq": book.emptied_seq,
        }  # fmt: skip
        _put(connection, sink_bin, place | {"bin": bin_}, values)
    for day, (first, last) in moves.days.items():
        _put(connection, sink_day, place | {"day": day}, {"first_seq": first, "last_seq": last})
    for seq, one in moves.open.items():
        values = {"settled": int(one.settled), "deposit": int(one.deposit), "day": one.day}
        _put(connection, sink_open, place | {"seq": seq}, values)
    if moves.closed:
        connection.execute(
            sa.delete(sink_open).where(
                sink_open.c.sink == name,
                sink_open.c.ledger == moves.ledger,
                sink_open.c.seq.in_(sorted(moves.closed)),
            )
        )


def _keep_aside(connection: sa.Connection, name: str, one: Aside, now_ms: int) -> None:
    of = sink_aside.c.sink == name, sink_aside.c.subject == one.subject
    kept = {
        "ledger": one.ledger, "code": one.code, "words": one.words,
        "payload": one.payload[:MAX_PAYLOAD_BYTES],
    }  # fmt: skip
    again = connection.execute(
        sa.update(sink_aside).where(*of).values(times=sink_aside.c.times + 1, **kept)
    )
    if not again.rowcount:
        connection.execute(
            sink_aside.insert().values(
                sink=name, subject=one.subject, since_ms=now_ms, times=1, **kept
            )
        )


def _put(
    connection: sa.Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
) -> None:
    """Update or insert, in words that both databases know; only the lease's holder comes here."""
    of = [table.c[column] == value for column, value in key.items()]
    if not connection.execute(sa.update(table).where(*of).values(**values)).rowcount:
        connection.execute(table.insert().values(**key, **values))

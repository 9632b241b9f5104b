"""The city's commands and what became of them: one row each, kept for people to look up.

Invariant: ``due_ms`` is null exactly where nothing more is to be sent: the station has answered for good,
or the command's end is past. Any number of receivers share the rows: each sending is claimed by one
(``claim``), and an answer is stored once however often it comes.

A station that is not there hears nothing (the broker keeps nothing for it), so a command is sent again
when the station's uplink says that it is there (``state``), and every ``AGAIN_MS`` until its end. The
station does it once and answers alike.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Text

from kiosk.core.errors import OperatorError
from kiosk.core.orders import AnyOrder
from sync.messages import Reply
from sync.messages.commands import MAX_AHEAD_MS, encode_command
from sync.receiver.tables import ledger, metadata, station_key
from sync.signing import Signer

AGAIN_MS = 60_000
MAX_WAITING = 32
"""Commands of one station that are not answered yet."""
KEPT = 1_000
"""Commands of one station that are kept; older ones go when a new one comes."""
AT_ONCE = 100
"""Sent by one look."""
ASK_AGAIN = frozenset({"clock_unsure"})
"""Answers that are not the last word: the station will know better soon."""

station_command = sa.Table(
    "station_command",
    metadata,
    Column("city", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("op", Text, nullable=False),
    Column("args", Text, nullable=False),  # JSON
    Column("payload", LargeBinary, nullable=False),  # as it is sent, signed
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger),  # when to send it next
    Column("sent", Integer, nullable=False),  # times
    Column("answered_ms", BigInteger),
    Column("nonce", Text),  # the station knows no time: sign it once more with this
    Column("code", Text),  # null where it was done, or is not answered
    PrimaryKeyConstraint("city", "station", "id"),
)
Index("station_command_due", station_command.c.due_ms)

State = Literal["waiting", "sent", "done", "refused", "expired"]


@dataclass(frozen=True, slots=True)
class Told:
    """One command as it stands. ``code`` why it was refused; of one that is to be asked again, its last
    answer."""

    city: str
    station: str
    id: str
    op: str
    args: str
    state: State
    code: str | None
    made_ms: int
    expires_ms: int
    sent: int
    answered_ms: int | None


@dataclass(frozen=True, slots=True)
class ToSend:
    """One command that is due, claimed by whoever got it; see ``signed``."""

    city: str
    station: str
    id: str
    payload: bytes
    op: str
    args: str
    expires_ms: int
    nonce: str | None


def add(
    connection: sa.Connection,
    signer: Signer,
    city: str,
    station: str,
    order: AnyOrder,
    *,
    now_ms: int,
    for_ms: int,
) -> str:
    """Sign a command and keep it to be sent; its id. OperatorError where the station is not known or
    has too many waiting."""
    if not 1_000 <= for_ms <= MAX_AHEAD_MS:
        raise OperatorError(
            "command_end",
            "A command counts for 1 second to 7 days.",
            "Write for example --for 10m.",
        )
    known = sa.select(station_key.c.public_key).where(
        station_key.c.city == city,
        station_key.c.station == station,
        station_key.c.revoked_ms.is_(None),
    )
    if connection.execute(known).first() is None:
        raise OperatorError(
            "no_such_station",
            f"No station {station} of {city} has a valid key here.",
            "Look with: kiosk-receiver station list",
        )
    waiting = sa.select(sa.func.count()).where(
        station_command.c.city == city,
        station_command.c.station == station,
        station_command.c.due_ms.is_not(None),
        station_command.c.expires_ms > now_ms,
    )
    if (connection.scalar(waiting) or 0) >= MAX_WAITING:
        raise OperatorError(
            "too_many_commands",
            f"{MAX_WAITING} commands wait for {station} already.",
            "Wait for them to be answered or to end: kiosk-receiver command list",
        )
    _forget_old(connection, city, station)
    command_id, expires_ms = secrets.token_hex(8), now_ms + for_ms
    args = msgspec.to_builtins(order)
    op = args.pop("op")
    payload = encode_command(
        signer, city, station, command_id=command_id, order=order, expires_ms=expires_ms
    )
    connection.execute(
        station_command.insert().values(
            city=city,
            station=station,
            id=command_id,
            op=op,
            args=msgspec.json.encode(args).decode(),
            payload=payload,
            made_ms=now_ms,
            expires_ms=expires_ms,
            due_ms=now_ms,
            sent=0,
        )
    )
    return command_id


def _forget_old(connection: sa.Connection, city: str, station: str) -> None:
    """What became of a command is looked up for a while; who ordered what is in the ledger for good."""
    mine = (station_command.c.city == city, station_command.c.station == station)
    last = (
        sa.select(station_command.c.made_ms)
        .where(*mine)
        .order_by(station_command.c.made_ms.desc())
        .offset(KEPT - 1)
        .limit(1)
    )
    oldest_ms = connection.scalar(last)
    if oldest_ms is not None:
        connection.execute(
            sa.delete(station_command).where(*mine, station_command.c.made_ms < oldest_ms)
        )


def claim(connection: sa.Connection, now_ms: int) -> list[ToSend]:
    """Those that are due, which from now on are this receiver's to send. Ends what is over."""
    table = station_command
    connection.execute(
        sa.update(table)
        .where(table.c.due_ms.is_not(None), table.c.expires_ms <= now_ms)
        .values(due_ms=None)
    )
    names = [field.name for field in fields(ToSend)]
    due = (
        sa.select(*(table.c[name] for name in names))
        .where(table.c.due_ms <= now_ms)
        .order_by(table.c.due_ms)
        .limit(AT_ONCE)
    )
    claimed = []
    for row in connection.execute(due).all():
        mine = sa.update(table).where(*_one(row.city, row.station, row.id))
        # Another receiver may have claimed it since it was read.
        mine = mine.where(table.c.due_ms <= now_ms)
        if connection.execute(
            mine.values(due_ms=now_ms + AGAIN_MS, sent=table.c.sent + 1)
        ).rowcount:
            claimed.append(ToSend(*row))
    return claimed


def signed(each: ToSend, signer: Signer, now_ms: int) -> bytes:
    """What is sent: as it was signed when it was given, or anew with the time, for a station that asked."""
    if each.nonce is None:
        return bytes(each.payload)
    args = {"op": each.op, **msgspec.json.decode(each.args)}
    return encode_command(
        signer,
        each.city,
        each.station,
        command_id=each.id,
        order=msgspec.convert(args, AnyOrder),
        expires_ms=each.expires_ms,
        nonce=each.nonce,
        signed_ms=now_ms,
    )


def any_due(connection: sa.Connection, now_ms: int) -> bool:
    """Whether ``claim`` has anything to do; it only looks."""
    due = sa.select(station_command.c.id).where(station_command.c.due_ms <= now_ms).limit(1)
    return connection.execute(due).first() is not None


def station_is_there(connection: sa.Connection, city: str, station: str, now_ms: int) -> None:
    """What waits for it is due."""
    connection.execute(
        sa.update(station_command)
        .where(
            station_command.c.city == city,
            station_command.c.station == station,
            station_command.c.due_ms > now_ms,
        )
        .values(due_ms=now_ms)
    )


def answered(connection: sa.Connection, city: str, station: str, reply: Reply, now_ms: int) -> bool:
    """Store what the station said, once; whether it is the answer to a command that waited for one."""
    values: dict[str, Any] = {"answered_ms": now_ms, "code": reply.code}
    if reply.code not in ASK_AGAIN:
        values["due_ms"] = None
    elif reply.nonce is not None:
        # At once the first time; then with the others, or two clocks that disagree would never rest.
        first = station_command.c.nonce.is_(None)
        values["due_ms"] = sa.case((first, now_ms), else_=station_command.c.due_ms)
        values["nonce"] = reply.nonce
    open_ = sa.or_(
        station_command.c.answered_ms.is_(None), station_command.c.code.in_(sorted(ASK_AGAIN))
    )
    stored = connection.execute(
        sa.update(station_command).where(*_one(city, station, reply.id), open_).values(**values)
    )
    return bool(stored.rowcount)


def listed(
    connection: sa.Connection,
    now_ms: int,
    *,
    city: str | None = None,
    command_id: str | None = None,
    limit: int = 100,
) -> list[Told]:
    """The last commands, the newest first."""
    query = sa.select(station_command).order_by(
        station_command.c.made_ms.desc(), station_command.c.id
    )
    if city is not None:
        query = query.where(station_command.c.city == city)
    if command_id is not None:
        query = query.where(station_command.c.id == command_id)
    return [_told(row, now_ms) for row in connection.execute(query.limit(limit))]


def newest_ledger(connection: sa.Connection, city: str, station: str) -> str | None:
    """The ledger that the station writes now: the one that no other continues."""
    mine = (ledger.c.city == city, ledger.c.station == station)
    continued = sa.select(ledger.c.continues_ledger).where(
        *mine, ledger.c.continues_ledger.is_not(None)
    )
    query = sa.select(ledger.c.ledger).where(*mine, ledger.c.ledger.not_in(continued))
    return connection.scalar(query.order_by(ledger.c.progress_ms.desc()).limit(1))


def _told(row: sa.Row[tuple[object, ...]], now_ms: int) -> Told:
    state: State
    if row.answered_ms is not None and row.code not in ASK_AGAIN:
        state = "done" if row.code is None else "refused"
    elif row.expires_ms <= now_ms:
        state = "expired"
    else:
        state = "sent" if row.sent else "waiting"
    return Told(
        city=row.city,
        station=row.station,
        id=row.id,
        op=row.op,
        args=row.args,
        state=state,
        code=row.code,
        made_ms=row.made_ms,
        expires_ms=row.expires_ms,
        sent=row.sent,
        answered_ms=row.answered_ms,
    )


def _one(city: str, station: str, command_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    table = station_command
    return table.c.city == city, table.c.station == station, table.c.id == command_id

"""``kiosk-receiver command``: has a station do something, and says what became of it."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from kiosk.core.orders import AnyOrder
from sync.messages.commands import OPS
from sync.receiver import city_keys, command_table
from sync.receiver.command_table import Told
from sync.receiver.database import opened, reading, require_database, utc_ms
from sync.receiver.options import (
    city_key,
    database_option,
    identifier,
    json_option,
    key_option,
    print_json,
)

LOOK_S = 0.2
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_TAKES = {"lock_bin": "BIN", "unlock_bin": "BIN", "message": "TEXT", "resend": "SEQ"}
"""The one argument of an op that takes one."""


class Duration(click.ParamType[int]):
    """``30s``, ``10m``, ``2h``, ``1d``: milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _DURATION.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no time like 30s, 10m, 2h or 1d", param, ctx)
        return int(found[1]) * _UNITS_MS[found[2]]


@click.command()
@click.argument("words", metavar="list | STATION OP [ARGUMENT]", nargs=-1, required=True)
@click.option("--city", help="The city's identifier.")
@click.option("--for", "for_ms", type=Duration(), default="10m", help="How long it counts.")
@click.option("--wait", "wait_ms", type=Duration(), help="Wait so long for the station's answer.")
@click.option("--seconds", type=int, help="identify: how long.")
@click.option("--show", "show_ms", type=Duration(), help="message: how long it stands.")
@click.option("--reason", help="close and open: why, for people to read.")
@click.option("--easy", help="The text or reason in easy Japanese.")
@click.option("--en", help="The same in English.")
@click.option("--clear", is_flag=True, help="message: take it away.")
@click.option("--ledger", help="resend: of this ledger; else of the one written now.")
@database_option
@key_option
@json_option
def command(
    words: tuple[str, ...],
    city: str | None,
    for_ms: int,
    wait_ms: int | None,
    database: str,
    key_file: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Have STATION do OP: identify, message, resend, lock_bin, unlock_bin, close, open, refresh.

    The city signs it; a running receiver sends it, again when the station comes online, until its end.
    "list" shows what became of the last ones.
    """
    require_database(database)
    if words == ("list",):
        with opened(database) as engine, reading(engine) as connection:
            told = command_table.listed(
                connection, utc_ms(), city=None if city is None else identifier(city)
            )
        _show(told, as_json)
        return
    if city is None:
        raise _wrong("The city of the station is missing.", "Name it with --city CITY.")
    identifier(city)
    station, op, argument = _taken(words)
    signer = city_key(database, key_file)
    with opened(database) as engine:
        with engine.begin() as connection:
            city_keys.hold(connection, signer.public_key)
            order = _order(connection, city, station, op, argument, given)
            command_id = command_table.add(
                connection, signer, city, station, order, now_ms=utc_ms(), for_ms=for_ms
            )
        found = _awaited(engine, command_id, wait_ms or 0)
    if as_json:
        print_json(_value(found))
    else:
        click.echo(_line(found))
    if wait_ms is not None and found.state != "done":
        sys.exit(1)


def _taken(words: tuple[str, ...]) -> tuple[str, str, str | None]:
    if len(words) < 2:
        raise _wrong("What the station is to do is missing.", f"Ops: {', '.join(OPS)}.")
    station, op, *rest = words
    if op not in OPS:
        raise _wrong(f"{op!r} is nothing that a station does.", f"Ops: {', '.join(OPS)}.")
    wanted = _TAKES.get(op)
    if len(rest) > (wanted is not None):
        raise _wrong(f"{op} does not take {rest[-1]!r}.", f"Write: STATION {op} {wanted or ''}")
    return identifier(station), op, rest[0] if rest else None


def _order(
    connection: sa.Connection,
    city: str,
    station: str,
    op: str,
    argument: str | None,
    given: dict[str, Any],
) -> AnyOrder:
    """What is asked for, checked as the station checks it."""
    if op in _TAKES and argument is None and not given["clear"]:
        raise _wrong(f"{op} needs its {_TAKES[op]}.", f"Write: STATION {op} {_TAKES[op]}")
    args: dict[str, Any] = {}
    match op:
        case "identify" if given["seconds"] is not None:
            args = {"seconds": given["seconds"]}
        case "lock_bin" | "unlock_bin":
            args = {"bin": argument}
        case "message":
            show_ms = _UNITS_MS["d"] if given["show_ms"] is None else given["show_ms"]
            text = None if given["clear"] else _text(argument, given)
            args = {"text": text, "until_ms": 0 if given["clear"] else utc_ms() + show_ms}
        case "close" | "open":
            args = {"reason": _text(given["reason"], given)}
        case "resend":
            named = given["ledger"] or command_table.newest_ledger(connection, city, station)
            if named is None:
                raise _wrong(f"{station} has no ledger here.", "Name one with --ledger ID.")
            args = {"ledger": named, "from_seq": _whole(argument)}
        case _:
            pass
    try:
        order: AnyOrder = msgspec.convert({"op": op, **args}, AnyOrder)
    except msgspec.ValidationError as error:
        raise _wrong(f"{op} cannot be asked so: {error}.", "Correct the call.") from None
    return order


def _text(japanese: str | None, given: dict[str, Any]) -> dict[str, str] | None:
    words = {"ja": japanese, "easy": given["easy"], "en": given["en"]}
    said = {language: text for language, text in words.items() if text is not None}
    return said or None


def _whole(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 16:
        raise _wrong(f"{text!r} is no place in a ledger.", "Write the first seq to be sent again.")
    return int(text)


def _awaited(engine: sa.Engine, command_id: str, wait_ms: int) -> Told:
    """The command once it is answered or over, or as it stands when the wait is."""
    until_s = time.monotonic() + wait_ms / 1000
    while True:
        with reading(engine) as connection:
            (found,) = command_table.listed(connection, utc_ms(), command_id=command_id)
        if found.state in ("done", "refused", "expired") or time.monotonic() >= until_s:
            return found
        time.sleep(LOOK_S)


def _show(told: list[Told], as_json: bool) -> None:
    if as_json:
        print_json([_value(each) for each in told])
        return
    for each in told:
        click.echo(_line(each))
    if not told:
        click.echo("No command was ever given.")


def _value(told: Told) -> dict[str, Any]:
    return {**asdict(told), "args": msgspec.json.decode(told.args)}


def _line(told: Told) -> str:
    end = datetime.fromtimestamp(told.expires_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    why = "" if told.code is None else f" ({told.code})"
    args = "" if told.args == "{}" else f" {told.args}"
    return (
        f"{told.city}/{told.station}  {told.id}  {told.op}{args}  {told.state}{why}"
        f"  sent {told.sent}, until {end}"
    )


def _wrong(what: str, todo: str) -> OperatorError:
    return OperatorError("wrong_call", what, todo)

"""``kiosk-receiver points``: balances, and the journal of corrections."""

from __future__ import annotations

from dataclasses import asdict

import click
import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync.receiver import corrections
from sync.receiver.cards_cli import pseudonym
from sync.receiver.corrections import Account
from sync.receiver.database import looking, opened, utc_ms
from sync.receiver.options import (
    city_option,
    database_option,
    identifier,
    json_option,
    print_json,
    say,
)
from sync.receiver.point_tables import point_name, point_nobody

_reason = click.option("--reason", required=True, help="Why, on one line; it stays in the journal.")


@click.group()
def points() -> None:
    """What cards have earned at all stations, and corrections with a reason."""


@points.command("show")
@click.argument("name", metavar="[PSEUDONYM]", required=False)
@city_option
@database_option
@json_option
def show(name: str | None, city: str, database: str, as_json: bool) -> None:
    """One account with its journal; without PSEUDONYM the city's sums."""
    with looking(database) as connection:
        city = identifier(city)
        if name is None:
            _sums(connection, city, as_json)
            return
        found = corrections.account(connection, city, pseudonym(name))
    if found is None:
        raise OperatorError(
            "no_account",
            "Nothing was ever booked to this card.",
            "Check the pseudonym; what stations have not sent yet is not here.",
        )
    _account(found, as_json)


@points.command("correct", context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="PSEUDONYM")
@click.argument("number", metavar="POINTS", type=int)
@_reason
@city_option
@database_option
@json_option
def correct(name: str, number: int, reason: str, city: str, database: str, as_json: bool) -> None:
    """Add POINTS to a card's account, or take them (-5)."""
    with opened(database) as engine, engine.begin() as connection:
        row = corrections.correct(
            connection, identifier(city), pseudonym(name), number, reason, utc_ms()
        )
    say(as_json, {"id": row, "points": number}, f"correction {row}: {number:+} points")


@points.command("void")
@click.argument("number", metavar="ID", type=int)
@_reason
@city_option
@database_option
@json_option
def void(number: int, reason: str, city: str, database: str, as_json: bool) -> None:
    """Take correction ID back; both stay in the journal."""
    with opened(database) as engine, engine.begin() as connection:
        row = corrections.void(connection, identifier(city), number, reason, utc_ms())
    say(as_json, {"id": row, "voids": number}, f"correction {row} takes {number} back")


def _account(found: Account, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(found), "points": found.points})
        return
    click.echo(f"{found.points} points: {found.earned} earned, {found.corrected:+} corrected")
    for one in found.journal:
        back = "" if one.voids is None else f" (takes {one.voids} back)"
        click.echo(f"    {one.id}: {one.points:+} {one.reason}{back}")


def _sums(connection: sa.Connection, city: str, as_json: bool) -> None:
    accounts, earned = connection.execute(
        sa.select(
            sa.func.count(sa.distinct(point_name.c.account)),
            sa.func.coalesce(sa.func.sum(point_name.c.earned), 0),
        ).where(point_name.c.city == city)
    ).one()
    nobody = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(point_nobody.c.points), 0)).where(
            point_nobody.c.city == city
        )
    )
    said = {"accounts": int(accounts), "earned": int(earned), "nobody": int(nobody or 0)}
    words = f"{said['accounts']} accounts with {said['earned']} points, {said['nobody']} nobody's"
    say(as_json, said, words)

"""``kiosk-receiver doctor`` and ``station days``: how the stations are, and when they are open."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from sync.receiver import opening_days
from sync.receiver.care import StationCare, look
from sync.receiver.database import looking, opened, reading, require_database, utc_ms
from sync.receiver.options import (
    city_option,
    database_option,
    identifier,
    json_option,
    print_json,
)

UNITS = (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000))


@click.command("doctor")
@database_option
@json_option
def doctor(database: str, as_json: bool) -> None:
    """What somebody has to look at; 1 where there is anything."""
    with looking(database) as connection:
        cares = look(connection, utc_ms())
    if as_json:
        print_json([told(care) for care in cares])
    else:
        for care in cares:
            for finding in care.findings:
                click.echo(f"{care.city}/{care.station}  {finding.code}: {finding.what}")
                click.echo(f"    {finding.todo}")
        if not any(care.findings for care in cares):
            click.echo(f"{len(cares)} stations, nothing to look at.")
    sys.exit(1 if any(care.findings for care in cares) else 0)


@click.command("days")
@click.argument("name")
@city_option
@click.option("--open", "days", metavar="DAYS", help="mon,tue,…: the weekdays on which it is open.")
@click.option("--closed", multiple=True, metavar="DAY[..DAY]", help="Days on which it is not.")
@database_option
@json_option
def station_days(
    name: str, city: str, days: str | None, closed: tuple[str, ...], database: str, as_json: bool
) -> None:
    """When station NAME is open: silence on other days is no alarm. Without options, what is set."""
    require_database(database)
    city, name = identifier(city), identifier(name)
    holidays = [opening_days.holiday(one) for one in closed]
    changes = days is not None or bool(holidays)
    with opened(database) as engine, engine.begin() if changes else reading(engine) as connection:
        if days is not None:
            opening_days.set_weekdays(connection, city, name, opening_days.weekdays(days))
        for holiday in holidays:
            today = opening_days.day_of(utc_ms())
            opening_days.add_holiday(connection, city, name, holiday, today)
        opening = opening_days.opening_of(connection, city, name)
    names = [opening_days.WEEKDAYS[day] for day in sorted(opening.weekdays)]
    shut = [opening_days.written(*one) for one in opening.holidays]
    if as_json:
        print_json({"city": city, "station": name, "open": names, "closed": shut})
        return
    click.echo(f"{city}/{name}  open {','.join(names)}")
    for one in shut:
        click.echo(f"    closed {one}")


def told(care: StationCare) -> dict[str, object]:
    """As JSON."""
    return asdict(care) | {"findings": [asdict(one) for one in care.findings]}


def line(care: StationCare, now_ms: int) -> str:
    """How it is, in a line."""
    since = "" if care.since_ms is None else f" for {age(now_ms - care.since_ms)}"
    life = "never heard" if care.life_ms is None else f"last heard {age(now_ms - care.life_ms)} ago"
    queue = "" if care.queue is None else f", {care.queue} entries waiting"
    software = "" if care.software is None else f", {care.software}"
    return f"{care.state}{since}, {life}{queue}{software}"


def age(ms: int) -> str:
    """A length of time in one unit."""
    for unit, unit_ms in UNITS:
        if ms >= 2 * unit_ms:
            return f"{ms // unit_ms} {unit}"
    return f"{max(0, ms) // 1000} seconds"

"""On which days a station is open, as the city's people say it: weekdays, and holidays.

A station tells nobody its hours, and need not: what is asked here is only whether a day of silence means
anything. Without a word every day counts as open.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.core.days import date_of, day_number
from kiosk.core.errors import OperatorError
from sync.receiver.care_tables import station_holiday, station_open
from sync.receiver.views import DAY_MS, UTC_OFFSET_MS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_CLOSED = 100
"""Holidays kept of one station."""
MAX_COUNTED = 400
"""Days of silence that are counted; more are as bad."""


@dataclass(frozen=True, slots=True)
class Opening:
    """``weekdays`` 0 (Monday) to 6; ``holidays`` first and last day of each."""

    weekdays: frozenset[int] = frozenset(range(7))
    holidays: tuple[tuple[int, int], ...] = ()

    def is_open(self, day: int) -> bool:
        """``day`` counts from 1970-01-01, a Thursday."""
        if (day + 3) % 7 not in self.weekdays:
            return False
        return not any(first <= day <= last for first, last in self.holidays)

    def between(self, after: int, before: int) -> int:
        """Open days between two days, both left out; at most MAX_COUNTED are looked at."""
        return sum(map(self.is_open, range(max(after + 1, before - MAX_COUNTED), before)))


def day_of(utc_ms: int) -> int:
    """The city's calendar day."""
    return (utc_ms + UTC_OFFSET_MS) // DAY_MS


def weekdays(text: str) -> frozenset[int]:
    """``mon,tue,sat``; OperatorError otherwise."""
    names = text.split(",")
    if not set(names) <= set(WEEKDAYS):
        raise OperatorError(
            "weekdays",
            f"{text!r} are no weekdays.",
            f"Write some of {','.join(WEEKDAYS)} with commas between.",
        )
    return frozenset(map(WEEKDAYS.index, names))


def holiday(text: str) -> tuple[int, int]:
    """``2026-12-29..2027-01-03``, or one day; OperatorError otherwise."""
    first, _, last = text.partition("..")
    try:
        days = [day_number(datetime.date.fromisoformat(one)) for one in (first, last or first)]
    except ValueError:
        days = [1, 0]
    if days[0] > days[1]:
        raise OperatorError(
            "holiday",
            f"{text!r} is no day and no days from one to another.",
            "Write 2026-12-29 or 2026-12-29..2027-01-03.",
        )
    return days[0], days[1]


def written(first_day: int, last_day: int) -> str:
    """As ``holiday`` reads it."""
    return "..".join(
        date_of(day).isoformat()
        for day in ((first_day, last_day) if last_day > first_day else (first_day,))
    )


def opening_of(connection: sa.Connection, city: str, station: str) -> Opening:
    """What was said of a station."""
    days = connection.scalar(
        sa.select(station_open.c.weekdays).where(*_one(station_open, city, station))
    )
    closed = connection.execute(
        sa.select(station_holiday.c.first_day, station_holiday.c.last_day)
        .where(*_one(station_holiday, city, station))
        .order_by(station_holiday.c.first_day)
    )
    holidays = tuple((row.first_day, row.last_day) for row in closed)
    return Opening(Opening().weekdays if days is None else weekdays(days), holidays)


def set_weekdays(connection: sa.Connection, city: str, station: str, days: frozenset[int]) -> None:
    text = ",".join(WEEKDAYS[day] for day in sorted(days))
    mine = _one(station_open, city, station)
    if not connection.execute(sa.update(station_open).where(*mine).values(weekdays=text)).rowcount:
        connection.execute(station_open.insert().values(city=city, station=station, weekdays=text))


def add_holiday(
    connection: sa.Connection, city: str, station: str, days: tuple[int, int], today: int
) -> None:
    """The days from one to another; those that are long past are forgotten."""
    mine = _one(station_holiday, city, station)
    table = station_holiday
    connection.execute(
        sa.delete(table).where(
            *mine, sa.or_(table.c.last_day < today - MAX_COUNTED, table.c.first_day == days[0])
        )
    )
    count = connection.scalar(sa.select(sa.func.count()).select_from(table).where(*mine))
    if count is not None and count >= MAX_CLOSED:
        raise OperatorError(
            "too_many_holidays",
            f"{MAX_CLOSED} holidays of this station are kept already.",
            "Name several days in a row as one: FIRST..LAST.",
        )
    connection.execute(
        table.insert().values(city=city, station=station, first_day=days[0], last_day=days[1])
    )


def _one(table: sa.Table, city: str, station: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.city == city, table.c.station == station

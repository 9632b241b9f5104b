"""The city's journal of points: corrections with a reason, which are taken back and never changed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync.receiver.earnings import PLAUSIBLE, known
from sync.receiver.point_tables import point_correction, point_name

MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Correction:
    """One row of the journal; ``voids`` the one that it takes back."""

    id: int
    points: int
    reason: str
    at_ms: int
    voids: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """What one account has: earned at all stations under all of its names, and corrected."""

    names: int
    earned: int
    corrected: int
    journal: tuple[Correction, ...]

    @property
    def points(self) -> int:
        return self.earned + self.corrected


def correct(
    connection: sa.Connection, city: str, name: bytes, points: int, reason: str, now_ms: int
) -> int:
    """Adds points (takes them, where negative); the correction's number."""
    if not points or abs(points) > PLAUSIBLE:
        raise OperatorError(
            "points_number",
            f"A correction is of 1 to {PLAUSIBLE} points, added or taken.",
            "Write the number, with a minus to take points.",
        )
    return _write(connection, city, name, points, reason, now_ms, None)


def void(connection: sa.Connection, city: str, number: int, reason: str, now_ms: int) -> int:
    """Takes a correction back; once, and a void is no correction to take back."""
    here = point_correction.c
    row = connection.execute(
        sa.select(point_correction).where(here.city == city, here.id == number)
    ).first()
    if row is None or row.voids is not None:
        raise OperatorError(
            "no_correction",
            f"There is no correction {number} to take back.",
            "Look with: kiosk-receiver points show",
        )
    if connection.execute(sa.select(here.id).where(here.voids == number)).first() is not None:
        raise OperatorError(
            "voided_already",
            f"The correction {number} was taken back already.",
            "Nothing is to do.",
        )
    return _write(connection, city, bytes(row.name), -row.points, reason, now_ms, number)


def account(connection: sa.Connection, city: str, name: bytes) -> Account | None:
    """The account of a name; None where nothing was ever booked to it."""
    mine = sa.select(point_name.c.account).where(
        point_name.c.city == city, point_name.c.name == name
    )
    found = connection.execute(mine).first()
    if found is None:
        return None
    of_account = (point_name.c.city == city, point_name.c.account == found.account)
    rows = connection.execute(sa.select(point_name.c.name, point_name.c.earned).where(*of_account))
    earned = {bytes(row.name): row.earned for row in rows}
    here = point_correction.c
    names = sa.select(point_name.c.name).where(*of_account)
    query = sa.select(here.id, here.points, here.reason, here.at_ms, here.voids)
    query = query.where(here.city == city, here.name.in_(names)).order_by(here.id)
    journal = tuple(Correction(*row) for row in connection.execute(query))
    corrected = sum(one.points for one in journal)
    return Account(len(earned), sum(earned.values()), corrected, journal)


def _write(
    connection: sa.Connection,
    city: str,
    name: bytes,
    points: int,
    reason: str,
    now_ms: int,
    voids: int | None,
) -> int:
    if not reason.strip() or len(reason) > MAX_REASON or not reason.isprintable():
        raise OperatorError(
            "points_reason",
            f"A correction needs a reason of one line, of at most {MAX_REASON} characters.",
            "Write --reason; no name and no number of a card in it.",
        )
    known(connection, city, name)
    said = {"city": city, "name": name, "points": points, "reason": reason}
    row = point_correction.insert().values(**said, at_ms=now_ms, voids=voids)
    number: int = connection.execute(row.returning(point_correction.c.id)).scalar_one()
    return number

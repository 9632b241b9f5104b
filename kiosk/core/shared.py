"""Amounts that may be shown to everybody: nobody's own drop can be read off them.

Invariant: between two amounts of one item that are shown lie drops of ``GROUP`` visits at least. So what
is shown once, and the difference of what is shown twice, is always a group's and never one's.

Theory: small groups are suppressed (field.md, the law for what leaves the city, here for the hall's wall
too). A threshold alone does not do it: of six visits and then of seven the seventh's kilograms are the
difference. So drops are *held* until as many visits as make a group have dropped since the last showing,
and then shown together. Visits are counted and not people, since nobody knows who they were; a drop
without a visit (several were open) is held like any other and counts for no visit.

What is of a day or a month and still held when that ends is never shown for it.
"""

from __future__ import annotations

import msgspec

from kiosk.core.days import date_of

GROUP = 5
"""Visits."""


class Amount(msgspec.Struct, frozen=True):
    """So much of one item. ``weighings`` and ``counts`` how many entries said so: 0 grams of no weighing
    is nothing known."""

    g: int = 0
    weighings: int = 0
    pieces: int = 0
    ml: int = 0
    counts: int = 0

    def plus(self, more: Amount) -> Amount:
        """Both together."""
        return Amount(
            self.g + more.g,
            self.weighings + more.weighings,
            self.pieces + more.pieces,
            self.ml + more.ml,
            self.counts + more.counts,
        )


class Shared(msgspec.Struct, frozen=True):
    """One item in one ``period`` (a day, a month, or 0 for all). ``visits`` that dropped into ``held``."""

    period: int = 0
    shown: Amount = Amount()
    held: Amount = Amount()
    visits: tuple[str, ...] = ()

    def dropped(self, period: int, amount: Amount, visit: str | None) -> Shared:
        """After one drop. One of an earlier period comes too late for this one."""
        if period < self.period:
            return self
        now = self if period == self.period else Shared(period)
        held = now.held.plus(amount)
        visits = now.visits
        if visit is not None and visit not in visits:
            visits = (*visits, visit)
        if len(visits) < GROUP:
            return Shared(period, now.shown, held, visits)
        return Shared(period, now.shown.plus(held))

    def of(self, period: int) -> Amount:
        """What may be shown of ``period``."""
        return self.shown if period == self.period else Amount()


def month_of(day: int) -> int:
    """The calendar month of a local day (since 1970-01-01) as a period, counted from year 0."""
    found = date_of(day)
    return found.year * 12 + found.month - 1

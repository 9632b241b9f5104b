"""Calendar days as whole numbers: days since 1970-01-01, as entries' projections and cards count them."""

from __future__ import annotations

from datetime import date

DAY_ZERO = date(1970, 1, 1).toordinal()


def day_number(of: date) -> int:
    """
    >>> day_number(date(1970, 1, 2))
    1
    """
    return of.toordinal() - DAY_ZERO


def date_of(day: int) -> date:
    """
    >>> date_of(20_000).isoformat()
    '2024-10-04'
    """
    return date.fromordinal(DAY_ZERO + day)

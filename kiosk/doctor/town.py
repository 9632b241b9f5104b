"""The city's catalogue and tariff: what is in force, what comes, what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kiosk.doctor.finding import Finding, Values
from kiosk.facts import TownFacts

CAUSES = {
    "bad_signature": "town_forged",
    "city": "town_forged",
    "shape": "town_garbled",
    "content": "town_garbled",
    "too_large": "town_garbled",
    "old": "town_old",
    "conflict": "town_conflict",
    "misfit": "town_misfit",
    "storage": "list_storage",
    "damaged": "town_damaged",
}
"""A refusal's reason in words."""


def town(found: tuple[TownFacts, ...]) -> Iterator[Finding]:
    """What the city last said was refused: told until it says something that counts."""
    for one in found:
        values: Values = {
            "version": one.version,
            "since": local_time(one.since_ms),
            "next": one.next_version or 0,
            "from": local_time(one.next_ms),
            "detail": one.refused_detail,
            "age_ms": one.refused_age_ms or 0,
        }
        case = "city" if one.source == "city" else "file"
        yield Finding(code="town", level="OK", case=case, subject=one.kind, values=values)
        if one.next_version is not None:
            yield Finding(code="town", level="OK", case="coming", subject=one.kind, values=values)
        if one.refused is not None:
            cause = CAUSES.get(one.refused)
            yield Finding(
                code="town",
                level="WARN",
                case="refused",
                subject=one.kind,
                cause=cause,
                values=values,
            )
    if not found:
        yield Finding(code="town", level="OK", case="none")


def local_time(utc_ms: int | None) -> str:
    """To the minute, by the machine's clock and zone; empty where there is no moment."""
    if utc_ms is None:
        return ""
    try:
        return datetime.fromtimestamp(utc_ms / 1000).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"{utc_ms} ms"

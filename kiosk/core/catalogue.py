"""The catalogue of items and the tariff as values, and what their parts must say together.

Invariant: a grade D factor has no value (unknown is never 0), and a value says what it counts.

A town writes both in files, and a city may send them (``sync.messages.town``): both ways end in these
types and are held to ``misfits``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.core.config import PointsMode

MAX_ITEMS = 100
SHORT_HALVES = 14
"""Widest line of a short name: seven full-width characters, a half-width one counts half."""

Grade = Literal["A", "B", "C", "D"]
PLAIN = r"\A[^\x00-\x1f\x7f-\x9f]*\Z"
Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=PLAIN)]
Note = Annotated[str, Meta(min_length=1, max_length=300, pattern=PLAIN)]
Code = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Points = Annotated[int, Meta(ge=0, le=1_000_000)]
Hazard = Literal[
    "sharp",
    "fire",
    "liion",
    "liion-hidden",
    "fire-stop",
    "short-circuit",
    "mercury",
    "spill",
    "smell",
    "hygiene",
    "needle",
    "spray-can",
]
MAX_ALSO = 3
Unit = Literal[
    "weight", "weight-light", "weight-wet", "count", "count-weight", "volume", "staff-only"
]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class Words(Part, frozen=True):
    """One thing in the three languages."""

    ja: Name
    easy: Name
    en: Name


class Sourced(Part, frozen=True, kw_only=True):
    """What is known of a CO2 factor beside its value.

    Grade A ministry, B industry, C proxy or partial, D none. ``year`` of the data, None where the
    source does not say; ``boundary`` what is counted; ``cite`` the source as residents read it, None
    where the screen has to show ``source`` itself.
    """

    grade: Grade
    source: Note
    unit: Literal["kg-co2/kg"] = "kg-co2/kg"
    year: Annotated[int, Meta(ge=1990, le=2100)] | None = None
    boundary: Note | None = None
    cite: Words | None = None


class Factor(Sourced, frozen=True, kw_only=True):
    """CO2 saved: ``value`` in ``unit``; None with grade D, where nothing may be claimed."""

    value: Annotated[float, Meta(gt=0, le=100)] | None = None


class Legal(Part, frozen=True):
    """May points be given for it? ``ask`` the police first, ``no`` never; and why."""

    points: Literal["ask", "no"]
    ja: Note
    en: Note


class Described(Part, frozen=True, kw_only=True):
    """An item but for its factor. ``short_*``: two lines for a small sign; ``overflow``: where, when it
    is full. ``hazard`` what to heed with it, ``also`` what else people bring in it by mistake."""

    ja: Name
    easy: Name
    en: Name
    short_ja: tuple[str, str]
    short_easy: tuple[str, str]
    short_en: tuple[str, str]
    overflow: Words
    bag_limit_g: Annotated[int, Meta(ge=100, le=100_000)]
    unit_hint: Unit
    hazard: Hazard | None = None
    also: Annotated[tuple[Hazard, ...], Meta(max_length=MAX_ALSO)] = ()
    legal: Legal | None = None

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        """All of them, the first one first."""
        first = () if self.hazard is None else (self.hazard,)
        return (*first, *(one for one in self.also if one != self.hazard))


class Item(Described, frozen=True, kw_only=True):
    """One kind."""

    factor: Factor


class Catalogue(Part, frozen=True, rename={"items": "item"}):
    """All items by code. ``version`` rises with every change; weighings carry it."""

    version: Version
    items: Annotated[dict[Code, Item], Meta(min_length=1, max_length=MAX_ITEMS)]


Rates = Annotated[dict[Code, Points], Meta(max_length=MAX_ITEMS)]


class TariffTable(Part, frozen=True, kw_only=True):
    """Points rules of a city. ``version`` rises with every change; entries carry it. ``per_visit`` counts
    with mode ``visit``, ``per_kg`` with ``kg``, ``per_item`` with ``item``."""

    version: Version
    mode: PointsMode
    per_visit: Points = 1
    per_kg: Rates = msgspec.field(default_factory=dict)
    per_item: Rates = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit together: stable code, place in the file, what is wrong and what to do."""

    code: str
    place: str
    what: str
    todo: str
    values: dict[str, object] = field(default_factory=dict)


def misfits(catalogue: Catalogue) -> Iterator[Misfit]:
    """Everything, in the catalogue's order."""
    for code, item in catalogue.items.items():
        yield from _factor_misfits(item.factor, f"item.{code}.factor")
        for name in ("short_ja", "short_easy", "short_en"):
            for number, line in enumerate(getattr(item, name)):
                yield from short_misfits(line, f"item.{code}.{name}[{number}]")


def tariff_misfits(tariff: TariffTable, catalogue: Catalogue | None) -> Iterator[Misfit]:
    """Everything; ``catalogue`` None where none is known to compare with."""
    for table, mode in (("per_kg", "kg"), ("per_item", "item")):
        rates: dict[str, int] = getattr(tariff, table)
        if tariff.mode == mode and not rates:
            yield Misfit(
                "points_table_missing",
                table,
                f'mode = "{mode}" needs points for one item at least.',
                f"Add a table [{table}], for example pet-bottle = 10.",
            )
        if catalogue is None:
            continue
        for code, points in rates.items():
            item = catalogue.items.get(code)
            if item is None:
                yield Misfit(
                    "item_unknown",
                    f"{table}.{code}",
                    f"the catalogue has no item {code}.",
                    "Write an item of the catalogue, or add it there.",
                )
            elif points and item.legal and item.legal.points == "no":
                yield Misfit(
                    "points_forbidden",
                    f"{table}.{code}",
                    f"no points may be given for {code}: {item.legal.en}",
                    "Remove it.",
                )


def _factor_misfits(factor: Factor, place: str) -> Iterator[Misfit]:
    """Grade D exactly where there is no value; a value says what it counts."""
    if (factor.grade == "D") != (factor.value is None):
        yield Misfit(
            "factor_grade",
            f"{place}.grade",
            "grade D means no value, and the grades A, B and C need one.",
            "Correct the grade, or remove or add the value; unknown is never 0.",
        )
    elif factor.value is not None and factor.boundary is None:
        yield Misfit(
            "factor_boundary",
            f"{place}.boundary",
            "a value without its boundary cannot be compared.",
            "Write what the value counts.",
        )


def short_misfits(line: str, place: str) -> Iterator[Misfit]:
    """One line of a short name."""
    if not line or line != line.strip() or not line.isprintable() or halves(line) > SHORT_HALVES:
        yield Misfit(
            "short_name",
            place,
            f"this line is empty or wider than {SHORT_HALVES // 2} full-width characters.",
            "Shorten it; a half-width character counts half.",
            {"halves": SHORT_HALVES},
        )


def halves(line: str) -> int:
    """Width in half-width columns: wide, full-width and ambiguous characters count two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in line)

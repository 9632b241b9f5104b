"""The catalogue of items: what residents bring, in their words, and what is known about it.

``config/catalogue.toml`` is the usual one; a town may write its own (``paths.catalogue``). A CO2
factor of grade D has no value: it is shown as "—", never as 0.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.tomlfile import FileProblem, convert, read_toml

MAX_ITEMS = 100
SHORT_HALVES = 14
"""Widest line of a short name: seven full-width characters, a half-width one counts half."""

Language = Literal["ja", "easy", "en"]
Grade = Literal["A", "B", "C", "D"]
PLAIN = r"\A[^\x00-\x1f\x7f-\x9f]*\Z"
Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=PLAIN)]
Note = Annotated[str, Meta(min_length=1, max_length=300, pattern=PLAIN)]
Code = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]
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
]
Unit = Literal[
    "weight", "weight-light", "weight-wet", "count", "count-weight", "volume", "staff-only"
]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class Factor(Part, frozen=True):
    """CO2 saved: ``value`` in ``unit``; None with grade D, where nothing may be claimed.

    Grade A ministry, B industry, C proxy or partial, D none. ``year`` of the data, None where the
    source does not say; ``boundary`` what is counted.
    """

    grade: Grade
    source: Note
    value: Annotated[float, Meta(gt=0, le=100)] | None = None
    unit: Literal["kg-co2/kg"] = "kg-co2/kg"
    year: Annotated[int, Meta(ge=1990, le=2100)] | None = None
    boundary: Note | None = None


class Legal(Part, frozen=True):
    """May points be given for it? ``ask`` the police first, ``no`` never; and why."""

    points: Literal["ask", "no"]
    ja: Note
    en: Note


class Words(Part, frozen=True):
    """One thing in the three languages."""

    ja: Name
    easy: Name
    en: Name


class Item(Part, frozen=True):
    """One kind. ``short_*``: two lines for a small sign; ``overflow``: where, when it is full."""

    ja: Name
    easy: Name
    en: Name
    short_ja: tuple[str, str]
    short_easy: tuple[str, str]
    short_en: tuple[str, str]
    factor: Factor
    overflow: Words
    bag_limit_g: Annotated[int, Meta(ge=100, le=100_000)]
    unit_hint: Unit
    hazard: Hazard | None = None
    legal: Legal | None = None


class Catalogue(Part, frozen=True, rename={"items": "item"}):
    """All items by code. ``version`` rises with every change; weighings carry it."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    items: Annotated[dict[Code, Item], Meta(min_length=1, max_length=MAX_ITEMS)]


def load(file: Path) -> Catalogue:
    """The catalogue; ``FileProblem`` naming the place of what is wrong."""
    catalogue = convert(read_toml(file), Catalogue, file)
    for code, item in catalogue.items.items():
        check_factor(item.factor, f"item.{code}.factor", file)
        for name in ("short_ja", "short_easy", "short_en"):
            for number, line in enumerate(getattr(item, name)):
                check_short(line, f"item.{code}.{name}[{number}]", file)
    return catalogue


def check_factor(factor: Factor, place: str, file: Path) -> None:
    """Grade D exactly where there is no value; a value says what it counts."""
    if (factor.grade == "D") == (factor.value is None):
        if factor.value is None or factor.boundary is not None:
            return
        raise FileProblem(
            "factor_boundary",
            file,
            f"{place}.boundary",
            "a value without its boundary cannot be compared.",
            "Write what the value counts.",
        )
    raise FileProblem(
        "factor_grade",
        file,
        f"{place}.grade",
        "grade D means no value, and the grades A, B and C need one.",
        "Correct the grade, or remove or add the value; unknown is never 0.",
    )


def check_short(line: str, place: str, file: Path) -> None:
    """One line of a short name."""
    if line and line == line.strip() and line.isprintable() and halves(line) <= SHORT_HALVES:
        return
    raise FileProblem(
        "short_name",
        file,
        place,
        f"this line is empty or wider than {SHORT_HALVES // 2} full-width characters.",
        "Shorten it; a half-width character counts half.",
        halves=SHORT_HALVES,
    )


def halves(line: str) -> int:
    """Width in half-width columns: wide, full-width and ambiguous characters count two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in line)

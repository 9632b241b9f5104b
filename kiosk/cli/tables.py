"""Rows and columns on a terminal, and what stands in their cells."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import click

from kiosk import catalogue
from kiosk.cli.call import Call
from kiosk.cli.sentences import UNKNOWN


def table(rows: Sequence[Sequence[str]]) -> None:
    """Columns by width on a terminal, where a Japanese character takes two places."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def columns(text: str) -> int:
    """Places on a terminal."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def weight(grams: int | None) -> str:
    """Kilograms for people; what is not known is no 0."""
    return UNKNOWN if grams is None else f"{grams / 1000:.2f} kg"


def item_names(call: Call) -> dict[str, str]:
    """The items' names in the language in use."""
    items = catalogue.load(call.settings.paths.catalogue).items
    return {code: getattr(item, call.words.language) for code, item in items.items()}


def as_rows(tables: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Nested settings as place and value, in the file's order; what is not set is left out."""
    if isinstance(tables, Mapping):
        for name, value in tables.items():
            yield from as_rows(value, f"{place}.{name}" if place else str(name))
    elif isinstance(tables, list | tuple):
        for number, value in enumerate(tables):
            yield from as_rows(value, f"{place}[{number}]")
    elif tables is not None:
        yield place, tables

"""Cards that a town has already: a CSV of their numbers becomes a list of pseudonyms, and nothing else.

Invariant: no number leaves. Errors name lines, never what stands there; the pseudonyms come out sorted, so
that their order says nothing of the order in the file.

The list is for the city (``kiosk-receiver cards allow --file``), which signs it and sends it to its
stations.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from kiosk.core.cards import CardError, is_random_uid
from kiosk.core.cards.foreign import Pattern
from kiosk.core.cards.names import UID_BYTES, foreign_id
from kiosk.core.cards.token import NotACard
from kiosk.core.errors import OperatorError

MAX_ROWS = 500_000
MAX_LINE_BYTES = 4_096
MAX_ERRORS = 10
"""So many lines are told; whoever has more has named the wrong column."""
_SEPARATORS = re.compile(r"[\s:.-]")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")

Why = Literal["empty", "column", "uid", "random", "card", "expired_key", "forged", "pattern"]
Name = Callable[[str], bytes]
"""The pseudonym of a value; raises ``BadValue``."""


class BadValue(ValueError):
    """A value that no card of this kind has."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Imported:
    """``names`` the cards' pseudonyms; ``rows`` lines with a value, of which some may repeat others."""

    rows: int = 0
    names: set[bytes] = field(default_factory=set)
    errors: list[OperatorError] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        return "".join(f"{name.hex()}\n" for name in sorted(self.names)).encode("ascii")


def read(path: Path, column: str | None, name_of: Name) -> Imported:
    """All of a CSV file (UTF-8), line by line. ``column`` a heading of its first line, or a number from 1
    where it has no headings (None: 1). Raises OperatorError for a file that is none."""
    found = Imported()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(_lines(file), strict=True)
            place = _place(rows, column)
            for row in rows:
                if row:
                    _take(found, row, place, rows.line_num, name_of)
                if len(found.errors) >= MAX_ERRORS:
                    break
    except (UnicodeDecodeError, csv.Error):
        raise _no_csv(path) from None  # their words may repeat the line
    except OSError as error:
        raise OperatorError(
            "cards_unreadable",
            f"{path} cannot be read ({error.strerror}).",
            "Name another file.",
            file=path,
            reason=error.strerror,
        ) from error
    if not found.rows and not found.errors:
        raise OperatorError(
            "cards_none", f"{path} holds no card's number.", "Look at what is in it.", file=path
        )
    return found


def uid(text: str, name: Callable[[bytes], bytes]) -> bytes:
    """A chip's number in hexadecimal, with or without separators."""
    digits = _SEPARATORS.sub("", text)
    raw = bytes.fromhex(digits) if _HEX.fullmatch(digits) else b""
    if len(raw) not in UID_BYTES:
        raise BadValue("uid")
    if is_random_uid(raw):
        raise BadValue("random")
    return name(raw)


def card(text: str, identify: Callable[[bytes], bytes]) -> bytes:
    """A town's card as its QR code has it."""
    try:
        return identify(text.encode("ascii"))
    except (UnicodeEncodeError, NotACard):
        raise BadValue("card") from None
    except CardError as error:
        raise BadValue("forged" if error.reason == "forged" else "expired_key") from None


def foreign(name: str, pattern: Pattern, name_of: Callable[[bytes], bytes], text: str) -> bytes:
    """Somebody else's code, as the settings describe it."""
    code = text.encode("utf-8")
    if not pattern.matches(code):
        raise BadValue("pattern")
    return name_of(foreign_id(name, code))


def _lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(MAX_LINE_BYTES):
        if len(line) >= MAX_LINE_BYTES:
            raise csv.Error
        if "\0" in line:
            raise csv.Error
        yield line


def _place(rows: Iterator[list[str]], column: str | None) -> int:
    """Which field of a row it is."""
    if column is None:
        return 0
    if column.isascii() and column.isdigit() and 1 <= int(column[:4]) <= 999:
        return int(column[:4]) - 1
    headings = [heading.strip() for heading in next(rows, [])]
    if column not in headings:
        raise OperatorError(
            "no_such_column",
            "The first line has no such heading.",
            "Write a heading as it stands there, or the column's number where there are none.",
        )
    return headings.index(column)


def _take(found: Imported, row: list[str], place: int, line: int, name_of: Name) -> None:
    found.rows += 1
    if found.rows > MAX_ROWS:
        raise OperatorError(
            "too_many_rows",
            f"The file has more than {MAX_ROWS} cards.",
            "Make two files of it.",
            most=MAX_ROWS,
        )
    try:
        if place >= len(row):
            raise BadValue("column")
        value = row[place].strip()
        if not value:
            raise BadValue("empty")
        found.names.add(name_of(value))
    except BadValue as bad:
        found.errors.append(
            OperatorError(
                "import_line",
                f"Line {line} holds no such card ({bad.why}).",
                "Mend or remove the line; nothing was written.",
                line=line,
                case=bad.why,
            )
        )


def _no_csv(path: Path) -> OperatorError:
    return OperatorError(
        "no_csv",
        f"{path} is no CSV file in UTF-8.",
        "Save it as CSV (UTF-8) from the spreadsheet.",
        file=path,
    )

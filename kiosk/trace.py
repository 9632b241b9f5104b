"""A recorded trace: CSV with a header, a sample a line.

The columns ``t_ms`` (integer, rising) and ``counts`` (raw ADC value) are read, others ignored, lines that
begin with ``#`` are comments. A quote ends in the line in which it began: one that does not would take
the samples after it with it. Every line is bounded, the whole is not: a trace is read as it comes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from kiosk.core.errors import OperatorError

MAX_LINE_CHARS = 10_000
MAX_DIGITS = 15


def lines(file: Path) -> Iterator[str]:
    """The lines of a file, for as long as it has some. Raises OperatorError."""
    try:
        with file.open(encoding="utf-8", errors="replace", newline="") as opened:
            number = 1
            while line := opened.readline(MAX_LINE_CHARS + 1):
                if len(line) > MAX_LINE_CHARS:
                    raise problem(
                        "long", number, f"the line has more than {MAX_LINE_CHARS} characters"
                    )
                yield line
                number += 1
    except OSError as error:
        raise OperatorError(
            "capture",
            f"{file} cannot be read ({error.strerror}).",
            "Check its name and the rights.",
            file=file,
            reason=error.strerror,
        ) from error


def samples(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    """``t_ms`` and ``counts`` of each row. Raises OperatorError naming the line that is none."""
    numbered = [0, 0]

    def kept() -> Iterator[str]:
        for number, line in enumerate(lines, 1):
            numbered[0] = number
            if line.strip() and not line.lstrip().startswith("#"):
                numbered[1] += 1
                yield line

    rows = csv.reader(kept(), strict=True)
    try:
        header = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
        if "t_ms" not in header or "counts" not in header:
            line = max(1, numbered[0])
            raise problem("header", line, "the header must name the columns t_ms and counts")
        t_at, counts_at = header.index("t_ms"), header.index("counts")
        last_ms: int | None = None
        for count, row in enumerate(rows, 2):
            if numbered[1] != count:
                raise problem("quote", numbered[0] - 1, "a quote is not closed in its line")
            if len(row) <= max(t_at, counts_at):
                raise problem("short", numbered[0], "the row is too short")
            t_ms = _whole(row[t_at], "t_ms", numbered[0])
            if last_ms is not None and t_ms <= last_ms:
                raise problem(
                    "rising",
                    numbered[0],
                    f"t_ms {t_ms} does not rise above {last_ms}",
                    t_ms=t_ms,
                    last_ms=last_ms,
                )
            last_ms = t_ms
            yield t_ms, _whole(row[counts_at], "counts", numbered[0])
    except csv.Error as error:
        raise problem("csv", numbered[0], f"this is no CSV ({error})", reason=error) from error


def _whole(text: str, column: str, line: int) -> int:
    plain = text.strip()
    digits = plain[1:] if plain[:1] in ("-", "+") else plain
    shown = ascii(text[:40])
    if not (digits.isascii() and digits.isdigit()):
        what = f"{column} must be a whole number, not {shown}"
        raise problem("number", line, what, column=column, value=shown)
    if len(digits) > MAX_DIGITS:
        what = f"{column} {shown} has more than {MAX_DIGITS} digits"
        raise problem("digits", line, what, column=column, value=shown, limit=MAX_DIGITS)
    return int(plain)


def problem(case: str, line: int, what: str, **values: object) -> OperatorError:
    """What is wrong with a line; ``case`` names the translation."""
    return OperatorError(
        "trace",
        f"Line {line} of the trace: {what}.",
        "See docs/contracts.md, 'Trace replay', for the columns.",
        case=case,
        line=line,
        **values,
    )

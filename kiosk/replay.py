"""``kiosk scale replay``: a recorded trace through the very code that weighs on the station.

A trace is CSV with a header; the columns ``t_ms`` (integer, rising) and ``counts`` (raw ADC value) are
read, others ignored, lines that begin with ``#`` are comments. As on the station, what moves
slowly between two changes is drift and belongs to none of them, and what stays below the least
increment is carried to the next.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from typing import Any

from kiosk.core.config import ScaleRules
from kiosk.core.errors import OperatorError
from kiosk.core.settle import CountsSettler, Plateau
from kiosk.core.settle.least import least_counted_g

SAME_D = 0.25
"""A level that comes back this near, in divisions, is the same plateau (a knock, a spike)."""
MAX_DIGITS = 15


def replay(lines: Iterable[str], rules: ScaleRules) -> Iterator[dict[str, Any]]:
    """The JSON objects of the contract ('Trace replay'), in time order, each as soon as known.

    Raises OperatorError naming the line where the trace is not one.
    """
    settler = CountsSettler(rules)
    told_g: float | None = None
    carried_g = told_uncertainty_g = 0.0
    samples = plateaus = 0
    for t_ms, counts in _samples(lines):
        samples += 1
        for sign in settler.feed(t_ms, counts):
            if not isinstance(sign, Plateau):
                continue
            if (
                told_g is None
                or abs(sign.gross_g - _left(sign, told_g)) > SAME_D * rules.division_g
            ):
                plateaus += 1
                yield {
                    "t_ms": t_ms,
                    "kind": "stable",
                    "gross_g": round(sign.gross_g, 3),
                    "uncertainty_g": round(sign.uncertainty_g, 3),
                }
            if told_g is not None:
                # What the plateau before became known better by is its change's, not drift.
                carried_g += sign.gross_g - _left(sign, told_g) + sign.late_g
                uncertainty_g = math.hypot(told_uncertainty_g, sign.uncertainty_g)
                if abs(carried_g) >= least_counted_g(rules.min_increment_g, uncertainty_g):
                    yield {
                        "t_ms": t_ms,
                        "kind": "weighing",
                        "net_g": round(carried_g, 3),
                        "gross_before_g": round(sign.gross_g - carried_g, 3),
                        "gross_after_g": round(sign.gross_g, 3),
                    }
                    carried_g = 0.0
            told_g, told_uncertainty_g = sign.gross_g, sign.uncertainty_g
    rejected = {reason: n for reason, n in sorted(settler.rejected.items()) if n}
    yield {"kind": "summary", "samples": samples, "rejected": rejected, "plateaus": plateaus}


def _left(sign: Plateau, told_g: float) -> float:
    return told_g if sign.left_g is None else sign.left_g


def _samples(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    """``t_ms`` and ``counts`` of each row."""
    numbered = [0]

    def kept() -> Iterator[str]:
        for number, line in enumerate(lines, 1):
            numbered[0] = number
            if line.strip() and not line.lstrip().startswith("#"):
                yield line

    rows = csv.reader(kept())
    try:
        header = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
        if "t_ms" not in header or "counts" not in header:
            raise _problem(max(1, numbered[0]), "the header must name the columns t_ms and counts")
        t_at, counts_at = header.index("t_ms"), header.index("counts")
        last_ms: int | None = None
        for row in rows:
            if len(row) <= max(t_at, counts_at):
                raise _problem(numbered[0], "the row is too short")
            t_ms = _whole(row[t_at], "t_ms", numbered[0])
            if last_ms is not None and t_ms <= last_ms:
                raise _problem(numbered[0], f"t_ms {t_ms} does not rise above {last_ms}")
            last_ms = t_ms
            yield t_ms, _whole(row[counts_at], "counts", numbered[0])
    except csv.Error as error:
        raise _problem(numbered[0], f"this is no CSV ({error})") from error


def _whole(text: str, column: str, line: int) -> int:
    plain = text.strip()
    digits = plain[1:] if plain[:1] in ("-", "+") else plain
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
        raise _problem(line, f"{column} must be a whole number, not {text[:40]!r}")
    return int(plain)


def _problem(line: int, what: str) -> OperatorError:
    return OperatorError(
        "trace",
        f"Line {line} of the trace: {what}.",
        "See docs/contracts.md, 'Trace replay', for the columns.",
    )

"""File to tables. Bounded in size and depth before anything is believed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from kiosk.tomlfile.problem import FileProblem, short

MAX_FILE_BYTES = 262_144
MAX_DEPTH = 16
"""Deepest nesting; the true files need four."""


def read_toml(file: Path) -> dict[str, Any]:
    """The file's tables; ``FileProblem`` where it cannot be read as TOML."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise FileProblem(
            "file_unreadable",
            file,
            "",
            f"the file cannot be read ({error.strerror}).",
            "Check the name and the rights, or give another with --config FILE.",
            reason=error.strerror,
        ) from error
    if len(raw) > MAX_FILE_BYTES:
        raise FileProblem(
            "file_too_big",
            file,
            "",
            f"the file is longer than {MAX_FILE_BYTES} bytes.",
            "Check that it is the right file.",
            limit=MAX_FILE_BYTES,
        )
    try:
        # Windows' editors begin a file with a byte order mark.
        tables = tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        # ValueError: not UTF-8, not TOML, or a number of thousands of digits.
        raise FileProblem(
            "file_not_toml",
            file,
            "",
            f"not valid TOML ({short(error)}).",
            "Correct that line; texts stand in quotes, tables in [brackets].",
            reason=short(error),
        ) from error
    if depth(tables) > MAX_DEPTH:
        raise FileProblem(
            "file_too_deep",
            file,
            "",
            f"tables are nested deeper than {MAX_DEPTH}.",
            "Check that it is the right file.",
            limit=MAX_DEPTH,
        )
    return tables


def depth(value: object) -> int:
    """How deep lists and tables are nested; stops counting just above ``MAX_DEPTH``."""
    level, layer = 0, [value]
    while layer and level <= MAX_DEPTH:
        level += 1
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return level

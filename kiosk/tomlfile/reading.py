"""File to tables. Bounded in size and depth before anything is believed."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from kiosk.tomlfile.problem import FileProblem, short

MAX_FILE_BYTES = 262_144
MAX_DEPTH = 16
"""Deepest nesting; the true files need four."""


def read_toml(file: Path) -> dict[str, Any]:
    """The file's tables; ``FileProblem`` where it cannot be read as TOML."""
    return tables_of(read_text(file), file)


def read_text(file: Path, *, most_bytes: int = MAX_FILE_BYTES) -> str:
    """What stands in the file, read once; ``FileProblem`` where that is no text of this size.

    Only a file can be read: a pipe that bears the name would keep the reader waiting for ever.
    """
    try:
        with open(file, "rb", opener=_at_once) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise _unreadable(file, "Not a file")
            raw = opened.read(most_bytes + 1)
    except OSError as error:
        raise _unreadable(file, error.strerror) from error
    if len(raw) > most_bytes:
        raise FileProblem(
            "file_too_big",
            file,
            "",
            f"the file is longer than {most_bytes} bytes.",
            "Take out what nobody reads any more, or check that it is the right file.",
            limit=most_bytes,
        )
    try:
        return raw.decode("utf-8-sig")  # Windows' editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise _no_toml(file, error) from error


def tables_of(text: str, file: Path) -> dict[str, Any]:
    """The text's tables; ``FileProblem`` where it is no TOML."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # ValueError: not TOML, or a number of thousands of digits.
        raise _no_toml(file, error) from error
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


def _at_once(name: str, flags: int) -> int:
    """Opens without waiting for whoever writes into a pipe."""
    return os.open(name, flags | os.O_NONBLOCK)


def _unreadable(file: Path, reason: str | None) -> FileProblem:
    return FileProblem(
        "file_unreadable",
        file,
        "",
        f"the file cannot be read ({reason}).",
        "Check the name and the rights, or give another with --config FILE.",
        reason=reason,
    )


def _no_toml(file: Path, error: Exception) -> FileProblem:
    return FileProblem(
        "file_not_toml",
        file,
        "",
        f"not valid TOML ({short(error)}).",
        "Correct that line; texts stand in quotes, tables in [brackets].",
        reason=short(error),
    )


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

"""What can be wrong with a file that people write, said with its place."""

from __future__ import annotations

from pathlib import Path

from kiosk.core.errors import OperatorError


class FileProblem(OperatorError):
    """One thing that is wrong in a file that people write.

    ``file`` the file, ``place`` the path within it (``bin[2].scale.division_g``; empty for the
    whole file), ``values`` what a translation of the two sentences needs beside those.
    """

    def __init__(
        self, code: str, file: Path, place: str, what: str, todo: str, **values: object
    ) -> None:
        where = f"{file}: {place}" if place else f"{file}"
        super().__init__(code, f"{where}: {what}", todo)
        self.file = file
        self.place = place
        self.values = {"file": file, "place": place or "-", **values}


def short(value: object) -> str:
    """A value for a sentence: one line, at most 60 characters."""
    text = value if isinstance(value, str) else f"{value}"
    line = "".join(one if one.isprintable() else "?" for one in text)
    return line if len(line) <= 60 else line[:57] + "..."

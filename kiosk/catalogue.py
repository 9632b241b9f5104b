"""The catalogue in a file: ``config/catalogue.toml`` is the usual one; a town may write its own
(``paths.catalogue``), and a city may send one (``kiosk.town``)."""

from __future__ import annotations

from pathlib import Path

from kiosk.core.catalogue import Catalogue, misfits
from kiosk.tomlfile import FileProblem, convert, read_toml


def load(file: Path) -> Catalogue:
    """The catalogue; ``FileProblem`` naming the place of what is wrong."""
    catalogue = convert(read_toml(file), Catalogue, file)
    for one in misfits(catalogue):
        raise FileProblem(one.code, file, one.place, one.what, one.todo, **one.values)
    return catalogue

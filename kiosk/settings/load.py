"""Settings file to checked settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kiosk import catalogue
from kiosk.settings.checks import check, misfits
from kiosk.settings.parts import Part
from kiosk.settings.shape import Settings
from kiosk.tomlfile import FileProblem, convert, read_toml
from kiosk.tomlfile import problems as shape_problems

Table = TypeVar("Table", bound=Part)


def load(path: Path) -> Settings:
    """The settings in this file, checked against its catalogue; raises ``FileProblem``."""
    settings = read(path)
    check(settings, catalogue.load(settings.paths.catalogue), path)
    return settings


def problems(path: Path) -> list[FileProblem]:
    """Everything that is wrong in this file; of values that do not fit together the first thing each.

    What the file's text or the catalogue has is found first and alone.
    """
    try:
        tables = without_none(read_toml(path))
        if found := shape_problems(tables, Settings, path):
            return found
        settings = read(path)
        items = catalogue.load(settings.paths.catalogue)
    except FileProblem as error:
        return [error]
    found = list(misfits(settings, items, path))
    if settings.paths.texts is not None:
        from kiosk.screen.texts.town import spoken  # brings the web server's packages with it

        found += spoken(settings.paths.texts, items).problems
    return found


def read(path: Path) -> Settings:
    """The settings' shape alone, paths resolved against the file's folder."""
    settings = convert(without_none(read_toml(path)), Settings, path)
    folder = path.absolute().parent
    return msgspec.structs.replace(
        settings,
        paths=resolved(settings.paths, folder),
        mqtt=settings.mqtt and resolved(settings.mqtt, folder),
        heat=resolved(settings.heat, folder),
        thermometer=settings.thermometer and resolved(settings.thermometer, folder),
    )


def resolved(table: Table, folder: Path) -> Table:
    """The table with its paths made absolute."""
    paths = {
        name: folder / value
        for name, value in msgspec.structs.asdict(table).items()
        if isinstance(value, Path)
    }
    return msgspec.structs.replace(table, **paths)


def without_none(tables: dict[str, Any]) -> dict[str, Any]:
    """``scale = "none"`` in words is the same as no ``[bin.scale]`` table."""
    bins = tables.get("bin")
    if not isinstance(bins, list):
        return tables
    plain = [
        {name: value for name, value in one.items() if (name, value) != ("scale", "none")}
        if isinstance(one, dict)
        else one
        for one in bins
    ]
    return {**tables, "bin": plain}

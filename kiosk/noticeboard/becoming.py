"""What each item of the usual catalogue becomes, as the package knows it; a town writes its own."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from kiosk.noticeboard.parts import Pictured
from kiosk.shaped import shaped


@cache
def usual() -> dict[str, Pictured]:
    """By item's code."""
    text = resources.files(__package__).joinpath("becomes.toml").read_text("utf-8")
    return shaped(tomllib.loads(text), dict[str, Pictured])

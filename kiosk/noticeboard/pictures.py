"""The names of the pictograms that the page has, for whoever writes one into ``town.toml``."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

FILES = ("pictograms.svg", "town.svg", "play.svg")
SYMBOL = re.compile(r'<symbol id="([a-z0-9-]+)"')


@cache
def known_pictures() -> frozenset[str]:
    """Every symbol's id."""
    folder = resources.files("kiosk.screen.assets")
    texts = ((folder / name).read_text("utf-8") for name in FILES)
    return frozenset(name for text in texts for name in SYMBOL.findall(text))

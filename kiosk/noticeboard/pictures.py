"""The pictograms that the page has: the files that hold them, and the names in those.

An item's has the item's code, a hazard's ``hazard-`` and the hazard's.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

ITEMS = "pictograms.svg"
"""The items', and all that every visit needs."""
FILES = (ITEMS, "town.svg", "play.svg")
SYMBOL = re.compile(r'<symbol id="([a-z0-9-]+)"')


@cache
def known_pictures() -> frozenset[str]:
    """Every symbol's id."""
    # Not by its own package's name: to import that brings the web server along, for a look at a file.
    folder = resources.files("kiosk") / "screen" / "assets"
    texts = ((folder / name).read_text("utf-8") for name in FILES)
    return frozenset(name for text in texts for name in SYMBOL.findall(text))

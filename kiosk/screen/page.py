"""The page and its parts, put together once and served from memory. No build step, no templates.

``index.html`` has three places to fill: the pictograms (so that they take the text's colour), the
setup as a JSON block (data, which the content security policy lets be), and the touch token.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import msgspec

from kiosk.noticeboard.pictures import FILES, ITEMS, SYMBOL
from kiosk.screen.setup import Setup
from kiosk.screen.texts import Language

ASSETS = "kiosk.screen.assets"
SCRIPTS = (
    "screen.js",
    "scenes.js",
    "moment.js",
    "drawing.js",
    "sound.js",
    "words.js",
    "town.js",
    "play.js",
    "classroom.js",
    "corner.js",
    "corner_pages.js",
)
STYLES = ("screen.css", "town.css", "play.css", "corner.css", "enlarged.css")


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing to serve."""

    body: bytes
    media_type: str


def assets(
    setup: Setup, languages: Sequence[Language], *, run: str, token: str
) -> dict[str, Asset]:
    """Everything the browser asks for, by path."""
    return {
        "/": Asset(_page(setup, languages, run=run, token=token), "text/html"),
        **{f"/{name}": Asset(_text(name).encode(), "text/javascript") for name in SCRIPTS},
        **{f"/{name}": Asset(_text(name).encode(), "text/css") for name in STYLES},
        "/favicon.ico": Asset(_text("favicon.svg").encode(), "image/svg+xml"),
    }


def _page(setup: Setup, languages: Sequence[Language], *, run: str, token: str) -> bytes:
    data = {
        "run": run,
        "setup": setup,
        "languages": languages,
        "pictures": SYMBOL.findall(_text(ITEMS)),
    }
    filled = {
        "<!--pictograms-->": "".join(_text(name) for name in FILES),
        "<!--title-->": html.escape(setup.station),
        '"<!--setup-->"': script_safe(msgspec.json.encode(data).decode()),
        "<!--token-->": token,
    }
    page = _text("index.html")
    for place, text in filled.items():
        assert page.count(place) == 1, place
        page = page.replace(place, text)
    return page.encode()


def script_safe(json_text: str) -> str:
    """JSON that cannot end its own script element.

    >>> script_safe('{"name":"</script>"}')
    '{"name":"\\\\u003c/script>"}'
    """
    return json_text.replace("<", "\\u003c")


def _text(name: str) -> str:
    return (resources.files(ASSETS) / name).read_text("utf-8")

"""Draws every state of the residents' screen with headless Chromium, for somebody to look at.

    python tests/screen/shots.py OUT            every scene, language and orientation
    python tests/screen/shots.py --keep         one sheet a state, as they are kept in docs/screens

The pages come from a real ScreenServer; needs the Python package playwright and Debian's chromium.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")

import msgspec
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright
from screen_scenes import SCENES, STATIONS, languages, setup, spoken

from kiosk.core.view import View
from kiosk.screen import ScreenServer

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PANELS: dict[str, ViewportSize] = {
    "wide": {"width": 1280, "height": 800},
    "tall": {"width": 800, "height": 1280},
}
LANGUAGES = ("ja", "easy", "en")
LONG_MS = 15_000
COLOURS = 128
COLOUR_MS = 450
"""The background has changed its colour by then."""
NAMES = {
    "ja": "日本語",
    "easy": "やさしい日本語",
    "en": "English",
    "de": "Deutsch",
    "pt": "Português",
}
SPEAK = """name => {
  const buttons = [...document.querySelectorAll(".language")];
  buttons.find((one) => one.textContent === name).click();
  document.activeElement.blur();
}"""
LISTEN = """window.EventSource = class extends EventSource {
  constructor(url) {
    super(url);
    this.addEventListener("message", (said) => (window.drawnSince = JSON.parse(said.data).since_ms));
  }
};"""
"""Notes which view the page draws in the same breath."""
DRAWN = itertools.count(1)


@contextmanager
def browser_page(panel: ViewportSize) -> Iterator[Page]:
    """An empty browser before a panel; what it finds wrong on the page is an exception here."""
    problems: list[str] = []
    with sync_playwright() as play, tempfile.TemporaryDirectory() as profile:
        context = play.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(FLAGS), viewport=panel
        )
        page = context.pages[0]
        page.add_init_script(LISTEN)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda said: problems.append(said.text) if "Security Policy" in said.text else None,
        )
        yield page
        context.close()
    if problems:
        raise RuntimeError("; ".join(problems))


def publish(page: Page, server: ScreenServer, view: View) -> None:
    """Publishes and waits until the page has drawn it."""
    since_ms = next(DRAWN)
    server.publish(msgspec.structs.replace(view, since_ms=since_ms))
    page.wait_for_function("since => window.drawnSince === since", arg=since_ms)


def show(
    page: Page, server: ScreenServer, view: View, language: str, *, settle_ms: int = 0
) -> None:
    """Publishes and waits until the page has drawn it in ``language``."""
    publish(page, server, view)
    page.evaluate(SPEAK, NAMES[language])
    if settle_ms:
        page.wait_for_timeout(settle_ms)


def save(png: bytes, path: Path) -> None:
    """A page of flat colours needs no more than ``COLOURS``; a third of the bytes."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "docs" / "screens")
    parser.add_argument("--keep", action="store_true", help="the sheets that are kept in the tree")
    parser.add_argument("--scene", action="append", help="only this scene")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.keep:
        import sheets

        wanted = frozenset(given.scene or sheets.SHEETS)
        sys.stdout.write("\n".join(sheets.keep(given.out, wanted)) + "\n")
        return
    for orientation, panel in PANELS.items():
        for bins in STATIONS:
            server = ScreenServer(
                "127.0.0.1",
                0,
                setup=setup(bins),
                act=lambda _action, _bin: None,
                languages=spoken(bins).languages,
            )
            server.start()
            with browser_page(panel) as page:
                page.set_default_timeout(LONG_MS)
                page.goto(f"http://127.0.0.1:{server.port}/")
                for scene, (count, view) in SCENES.items():
                    if count != bins or (given.scene and scene not in given.scene):
                        continue
                    for language in languages(bins):
                        name = f"{scene}-{language}-{orientation}"
                        show(page, server, view, language, settle_ms=COLOUR_MS)
                        save(page.screenshot(), given.out / f"{name}.png")
                        sys.stdout.write(f"{name}\n")
            server.stop()


if __name__ == "__main__":
    main()

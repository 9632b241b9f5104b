"""One sheet a state: three languages side by side, on the wide panel above, on the turned one below.

The pictures are two fifths as large as the panel, with few colours, so that the tree can hold every state.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from corner_scenes import SCENES as CORNER
from PIL import Image
from play_scenes import lesson
from play_scenes import value as played
from playwright.sync_api import Page
from screen_opened import OPENED
from screen_people import Station
from screen_scenes import SCENES, STATIONS, setup, spoken, view
from sheet_words import told as in_words
from shots import LANGUAGES, LONG_MS, NAMES, PANELS, SPEAK, browser_page, publish, show
from test_corner_drawn import before
from test_screen_play import Hall, choice, first_page
from test_screen_play import press as press_play
from test_screen_town import SOME, press, told
from town_scenes import cards, value

COLOURS = 16
GAP_PX = 8
GROUND = (96, 96, 96)
TOWN = tuple(f"town-{name}{large}" for name in SOME for large in ("", "-large"))
MENU, DONE = "#play .menu li:nth-child({}) button", "#play .touches .action"
PLAY: dict[str, tuple[str, str]] = {
    "play-menu": (".together", "#play .menu"),
    "play-question": (choice(1), "#play .asking"),
    "play-answered": (choice(2), "#play .kept .bars"),
    "play-thanks": (MENU.format(2), "#play .thanking"),
    "play-sent": (choice(1), "#play .kept"),
    "play-quiz": (MENU.format(3), "#play .quiz"),
    "play-quiz-answered": (choice(1), "#play .choice.right"),
}
"""In their order: what is touched, and what is there then."""
AFRESH = ("play-thanks", "play-quiz")
"""To them the way leads from the first page again."""
SHEETS = (*SCENES, *OPENED, "reconnecting", *TOWN, *PLAY, "play-class", *CORNER)
"""Every state that has a sheet, by the name of its file."""

Take = Callable[[], bytes]
Picture = tuple[str, str, bytes]
"""A sheet's name, the language, the panel as PNG."""


def panels(wanted: frozenset[str], orientation: str) -> list[Picture]:
    """All on one panel."""
    return list(_drawn(orientation, wanted))


def _drawn(orientation: str, wanted: frozenset[str]) -> Iterator[Picture]:
    with browser_page(PANELS[orientation]) as page:
        page.set_default_timeout(LONG_MS)
        take = _smaller(page)
        page.emulate_media(reduced_motion="reduce")  # nothing is still on its way to its colour
        for count in STATIONS:
            yield from _scenes(page, take, count, wanted)
        if wanted & set(TOWN):
            yield from _town(page, take, wanted)
        if wanted & {*PLAY, "play-class"}:
            yield from _play(page, take)
        for count in sorted({scene.count for scene in CORNER.values()}):
            yield from _corner(page, take, count, wanted)


def sheet(drawn: dict[tuple[str, str], bytes]) -> Image.Image:
    """From the panels by orientation and language."""
    rows = [
        [Image.open(io.BytesIO(drawn[orientation, one])) for one in LANGUAGES]
        for orientation in PANELS
    ]
    width = max(sum(one.width for one in row) for row in rows) + GAP_PX * (len(LANGUAGES) + 1)
    height = sum(row[0].height for row in rows) + GAP_PX * (len(rows) + 1)
    made = Image.new("RGB", (width, height), GROUND)
    y = GAP_PX
    for row in rows:
        x = (width - sum(one.width for one in row) - GAP_PX * (len(row) - 1)) // 2
        for one in row:
            made.paste(one, (x, y))
            x += one.width + GAP_PX
        y += row[0].height + GAP_PX
    return made.quantize(palette=_palette(made), dither=Image.Dither.NONE)


def _palette(drawn: Image.Image) -> Image.Image:
    """The colours that would be missed most: much of the sheet, and far from those there are. A quantizer's
    own means give up a small amber for ten shades of grey."""
    found = drawn.getcolors(drawn.width * drawn.height) or []
    counts = np.array([count for count, _ in found], dtype=float)
    colours = np.array([colour for _, colour in found], dtype=float)
    palette: list[int] = []
    missed = np.full(len(found), 1e9)
    for _ in range(min(COLOURS, len(found))):
        chosen = colours[int(np.argmax(np.sqrt(counts) * missed))]
        palette += [int(value) for value in chosen]
        missed = np.minimum(missed, np.linalg.norm(colours - chosen, axis=1))
    made = Image.new("P", (1, 1))
    made.putpalette(palette)
    return made


def keep(folder: Path, wanted: frozenset[str]) -> list[str]:
    """Draws the sheets into the folder; which they are."""
    found: dict[str, dict[tuple[str, str], bytes]] = {}
    with ProcessPoolExecutor(len(PANELS)) as workers:
        for orientation, some in zip(
            PANELS, workers.map(partial(panels, wanted), PANELS), strict=True
        ):
            for name, language, picture in some:
                found.setdefault(name, {})[orientation, language] = picture
    for name, drawn in found.items():
        sheet(drawn).save(folder / f"{name}.png", optimize=True)
    readme = folder / "README.md"
    if readme.exists():
        readme.write_text(in_words(readme.read_text("utf-8")), "utf-8")
    return list(found)


def _smaller(page: Page) -> Callable[[], bytes]:
    """Takes small pictures, text and lines drawn for their size: sharper than what is made smaller."""
    session = page.context.new_cdp_session(page)
    metrics = {**(page.viewport_size or {}), "deviceScaleFactor": 0.4, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", metrics)
    return lambda: base64.b64decode(session.send("Page.captureScreenshot")["data"])


def _scenes(page: Page, take: Take, count: int, wanted: frozenset[str]) -> Iterator[Picture]:
    station = Station(setup(count), languages=spoken(count).languages)
    station.screen.start()
    page.goto(f"{station.origin}/")
    if count == 4 and "reconnecting" in wanted:  # nothing was published yet
        for language in LANGUAGES:
            page.evaluate(SPEAK, NAMES[language])
            yield "reconnecting", language, take()
    for name, (bins, shown) in SCENES.items():
        if bins == count and name in wanted:
            publish(page, station.screen, shown)
            for language in LANGUAGES:
                page.evaluate(SPEAK, NAMES[language])
                yield name, language, take()
    for name, (bins, shown, touches) in OPENED.items():
        if bins == count and name in wanted:
            publish(page, station.screen, shown)
            for touch in touches:
                press(page, touch)
            for language in LANGUAGES:
                page.evaluate(SPEAK, NAMES[language])
                yield name, language, take()
            press(page, "#actions .action:last-child")
    station.screen.stop()


def _town(page: Page, take: Take, wanted: frozenset[str]) -> Iterator[Picture]:
    station = Station(setup(4))
    station.screen.start()
    page.goto(f"{station.origin}/")
    publish(page, station.screen, view())
    for name, card in cards(value()).items():
        if f"town-{name}" in wanted:
            told(page, station, card)
            for language in LANGUAGES:
                page.evaluate(SPEAK, NAMES[language])
                yield f"town-{name}", language, take()
                press(page, ".strip")
                yield f"town-{name}-large", language, take()
                press(page, "#town .action")
    station.screen.stop()


def _corner(page: Page, take: Take, count: int, wanted: frozenset[str]) -> Iterator[Picture]:
    for corner in before(page, count):
        for name, scene in CORNER.items():
            if scene.count == count and name in wanted:
                corner.come_to(scene)
                for language in LANGUAGES:
                    corner.speak(language)
                    yield name, language, take()


def _play(page: Page, take: Take) -> Iterator[Picture]:
    hall = Hall(4)
    page.goto(f"http://127.0.0.1:{hall.screen.port}/")
    for language in LANGUAGES:
        first_page(page, hall, language, played())
        for name, (touched, there) in PLAY.items():
            if name in AFRESH:
                press_play(page, DONE)
                press_play(page, ".together")
            press_play(page, touched)
            page.wait_for_selector(there)
            yield name, language, take()
        press_play(page, DONE)
        show(page, hall.screen, view(classroom=lesson(4)), language)
        page.wait_for_selector("#play .class")
        yield "play-class", language, take()
    hall.screen.stop()

"""How a drawn state of the page is looked at: measured, asked by axe-core, enlarged to twice its size.

Measured (measure.js) it is in every language. axe-core (its rules for WCAG and its best practices, put into
the page by the browser's debugger, which the content security policy does not bind) and the enlarged page
come by turns of language and orientation, axe at every ``AXE_EVERY``-th state, and its slow rule on
contrast, which measure.js reckons for every text anyway, at every ``CONTRAST_EVERY``-th; with
``KIOSK_SEARCH_SIZE`` of 2 or more everything everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize
from shots import NAMES, PANELS, SPEAK

WHOLE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1")) > 1
AXE_EVERY, CONTRAST_EVERY = 2, 16
ZOOM = 2
MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
"""Finds what is too small, too pale, too near, covered or cut off, and says it in words."""
AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
ASK = """async (contrast) => {
  const rules = { "color-contrast": { enabled: contrast } };
  const { violations } = await axe.run(document, { rules, resultTypes: ["violations"], iframes: false });
  const told = ({ id, help, nodes }) => [id, help, ...nodes.map((one) => one.html).slice(0, 3)].join(" | ");
  return violations.map(told);
}"""


def measured(page: Page, zoom: int = 1) -> dict[str, Any]:
    """``wrong`` in words, the ``texts`` that can be read, the ``least`` of each thing measured."""
    found: dict[str, Any] = page.evaluate(MEASURE, {"zoom": zoom})
    return found


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it is drawn."""
    wrong: list[str] = measured(page)["wrong"]
    return wrong


def violations(page: Page, *, contrast: bool) -> list[str]:
    """axe-core's."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(ASK, contrast)
    return found


class Eyes:
    """Look at one state after the other, on one panel."""

    def __init__(self, page: Page, orientation: str) -> None:
        self.page = page
        self.panel = PANELS[orientation]
        self.turned = orientation == "tall"
        self.states = 0
        self.looks = {"measured": 0, "axe": 0, "enlarged": 0}
        self.wrong: list[tuple[str, str, str]] = []
        self.least: dict[str, float] = {}
        self.backs: dict[int, set[tuple[int, int]]] = {}

    def look(self, state: str, languages: Sequence[str]) -> None:
        """At the state that stands before the eyes, in each language. It stays in the last."""
        self.page.set_viewport_size(self.panel)
        looked, axe, enlarged = self._turn(languages)
        for language in looked:
            self.page.evaluate(SPEAK, NAMES[language])
            found = measured(self.page)
            self._note("measured", state, language, found["wrong"])
            for what, value in found["least"].items():
                self.least[what] = min(value, self.least.get(what, value))
            if found["back"] is not None:
                self.backs.setdefault(len(languages), set()).add(tuple(found["back"]))
            if language in axe:
                contrast = WHOLE or self.states % CONTRAST_EVERY == 0
                self._note("axe", state, language, violations(self.page, contrast=contrast))
            if language in enlarged:
                self._enlarge(state, language, found["texts"])
        self.states += 1

    def _turn(self, languages: Sequence[str]) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """In which the state is measured, axe is asked and the page is enlarged: on one panel in each, by
        turns in one, not at all; on the other in one, not at all, in that one."""
        if WHOLE:
            return languages, languages, languages
        mine = (languages[self.states // 2 % len(languages)],)
        if self.states % 2 != self.turned:
            return mine, (), mine
        return languages, mine if self.states // 2 % AXE_EVERY == 0 else (), ()

    def _enlarge(self, state: str, language: str, texts: list[str]) -> None:
        """As the browser's zoom does it: half as many of the page's pixels on the same panel."""
        width, height = self.panel["width"] // ZOOM, self.panel["height"] // ZOOM
        self.page.set_viewport_size(ViewportSize(width=width, height=height))
        found = measured(self.page, ZOOM)
        lost = sorted(set(texts) - set(found["texts"]))
        self._note(
            "enlarged", state, language, [*found["wrong"], *(f'"{one}" is lost' for one in lost)]
        )
        self.page.set_viewport_size(self.panel)

    def _note(self, how: str, state: str, language: str, wrong: list[str]) -> None:
        self.looks[how] += 1
        self.wrong += [(state, f"{language}, {how}", one) for one in wrong]

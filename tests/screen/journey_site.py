"""A whole station over simulated wires, its real page in Chromium, and people before it.

What a resident can read is noted whenever it changes, so that a story can ask for it in its order,
however busy the machine is.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, Literal
from urllib.request import urlopen

from hw_sim.pn532_peer import Tag
from hw_sim.scanner_peer import ScannerPeer
from playwright.sync_api import Error, Page
from pytest import MonkeyPatch
from shots import NAMES, PANELS, browser_page

from kiosk.core.config import Crowd
from kiosk.screen import texts

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from field_station import LONG_S, FieldStation

READER = """
[[reader]]
id = "qr"
kind = "camera"
source = "http://127.0.0.1:{port}/cam.mjpg"
"""
MORE = """
[[reader]]
id = "scanner"
kind = "scanner"
port = "{folder}/scanner"
suffix = "crlf"

[cards]
self_issue = true

[points]
mode = "{points}"
"""
PER_KG = """
[points.per_kg]
pet-bottle = 10
can-steel = 10
carton = 10
"""
NUMBER = "314159"
TOWN = """
[[thanks]]
id = "bag"
ja = "袋を替えてくれて ありがとう"

[quiz]
"""
NOTE = """
window.seen = [];
document.addEventListener("DOMContentLoaded", () => {
  let last = "";
  const note = () => {
    const { scene, language } = document.body.dataset;
    const one = [scene, language, document.body.innerText];
    if (JSON.stringify(one) === last) return;
    last = JSON.stringify(one);
    window.seen.push(one);
  };
  new MutationObserver(note).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ["hidden", "data-scene", "data-language"],
  });
});
"""
LOOK_MS = 100
Table = Literal["words", "play", "corner"]
SAID = {one.code: one for one in texts.load()}


class Hall(FieldStation):
    """b1 on an HX711, b2 on an indicator, b3 without a scale; cards before a scanner and an NFC reader.

    ``camera`` keeps the camera beside them. The city is in the settings, and cannot be reached.
    """

    def __init__(self, folder: Path, crowd: Crowd, *, camera: bool = False) -> None:
        super().__init__(folder)
        self.change_settings('city = "demo"', f'city = "demo"\ncrowd = "{crowd}"\nvisit_idle_s = 5')
        if not camera:
            self.change_settings(READER.format(port=self._camera_port), "")
        points = "kg" if crowd == "one_by_one" else "visit"
        with self.settings.open("a", encoding="utf-8") as file:
            file.write(MORE.format(folder=folder, points=points))
            file.write(PER_KG if points == "kg" else "")
        self.add_broker("")
        (folder / "town.toml").write_text(TOWN, encoding="utf-8")
        self.scanner: ScannerPeer | None = ScannerPeer(folder / "scanner")
        self.plug_indicator()
        self.plug_nfc()
        self._held_g = 0.0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def drop(self, bin_id: str, grams: float) -> None:
        """Let something fall (or take it out) and let go, when the scale is there: on a busy machine the
        bench's samples may stay away for a while, and the station waits for it."""
        self.until(
            lambda: self.bin(bin_id)["state"] not in ("starting", "trouble"), "no scale any more"
        )
        if bin_id == "b1":
            self._held_g += grams
            self.load(self._held_g)
        else:
            assert self.indicator is not None
            self.indicator.grams += grams

    def set_number(self) -> None:
        """The caretakers' number, at the command line."""
        with MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", StringIO(f"{NUMBER}\n"))
            found = self.kiosk("caretaker", "pin", "--json")
        assert found == {"number_set": True}

    def unplug_scanner(self) -> None:
        assert self.scanner is not None
        self.scanner.stop()
        self.scanner = None

    def show(self, card: str) -> None:
        """Hold a QR card before the scanner, and take it away."""
        assert self.scanner is not None
        self.scanner.show(card.encode())
        time.sleep(0.4)
        self.scanner.show()

    def tap(self, uid: str) -> None:
        """Hold an NFC card to the reader for a moment, or until something comes of it: a machine with much
        to do may have lost its reader just then."""
        assert self.nfc is not None
        before = self._answered()
        self.nfc.place(Tag(bytes.fromhex(uid)))
        time.sleep(1.0)
        self.until(lambda: self._answered() != before, "the card was never seen")
        self.nfc.remove()

    def _answered(self) -> tuple[Any, ...]:
        view = self.view()
        return view["checkins"], view["refusals"], view["phase"], view["since_ms"]

    def cards(self, *options: str) -> list[str]:
        """The texts of new cards."""
        out = self.folder / f"cards-{len(list(self.folder.glob('cards-*')))}.json"
        assert "error" not in self.kiosk("card", "issue", str(out), *options, "--json")
        return [one["token"] for one in json.loads(out.read_text())["cards"]]

    def entries(self, *kinds: str) -> list[dict[str, Any]]:
        """What stands in the ledger."""
        with closing(sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT body FROM ledger ORDER BY seq").fetchall()
        found = [json.loads(body) for (body,) in rows]
        return [one for one in found if not kinds or one["kind"] in kinds]

    def until_written(self, count: int, *kinds: str) -> list[dict[str, Any]]:
        """The entries of these kinds, once they are so many."""
        self.until(lambda: len(self.entries(*kinds)) >= count, f"never {count} of {kinds}")
        found = self.entries(*kinds)
        assert len(found) == count
        return found

    def left(self) -> None:
        """Nobody's visit is open."""
        self.until(lambda: not self.view()["visits_open"], "somebody never left")

    def rest(self) -> None:
        """Everybody has gone."""
        self.until(
            lambda: self.view()["phase"] == "waiting" and not self.view()["visits_open"],
            "the station never came to rest",
        )

    def view(self) -> Any:
        """The first view that the screen is sent, whatever is told beside it."""
        with urlopen(f"{self.address}events", timeout=LONG_S) as events:
            aside = False
            for line in events:
                if line.startswith(b"data: ") and not aside:
                    return json.loads(line[6:])
                aside = line.startswith(b"event: ") or (aside and line != b"\n")
        raise AssertionError("the screen's stream ended")

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        if self.scanner is not None:
            self.unplug_scanner()


class Panel:
    """The screen as somebody before it sees it."""

    def __init__(self, page: Page, hall: Hall) -> None:
        self.page = page
        self._hall = hall
        self._noted: list[tuple[str, str, str]] = []
        page.goto(hall.address)
        page.wait_for_selector('[data-scene="waiting"]')

    def saw(self, scene: str, *words: str, language: str = "ja") -> str:
        """Waits until the scene was on the page after what was asked for before, with these words (white
        space aside); the whole text of the page then."""
        limit_s = time.monotonic() + LONG_S
        passed: list[tuple[str, str, str]] = []
        while True:
            self._noted += [(drawn, spoken, bare(text)) for drawn, spoken, text in self._newly()]
            while self._noted:
                drawn, spoken, text = self._noted.pop(0)
                passed.append((drawn, spoken, text))
                if (drawn, spoken) == (scene, language) and all(bare(one) in text for one in words):
                    return text
            assert time.monotonic() < limit_s, f"never {scene} with {words}, but {passed[-8:]}"
            self.page.wait_for_timeout(LOOK_MS)

    def _newly(self) -> list[tuple[str, str, str]]:
        try:
            found: list[tuple[str, str, str]] = self.page.evaluate(
                "() => window.seen?.splice(0) ?? []"
            )
        except Error as error:
            if "context was destroyed" not in str(error):
                raise
            return []  # the page loads itself anew, as it does after a restart
        return found

    def shows(self, scene: str, *words: str, language: str = "ja") -> str:
        """The same of what is on the page, noted or not."""
        self.page.wait_for_function(
            """([scene, language, words]) => {
              const { dataset, innerText } = document.body;
              const text = innerText.replaceAll(/\\s/g, "");
              return dataset.scene === scene && dataset.language === language
                && words.every((one) => text.includes(one));
            }""",
            arg=[scene, language, [bare(one) for one in words]],
            polling=LOOK_MS,
        )
        return bare(self.page.inner_text("body"))

    def lacks(self, words: str) -> None:
        """Waits until these words stand nowhere on the page."""
        self.page.wait_for_function(
            "words => !document.body.innerText.replaceAll(/\\s/g, '').includes(words)",
            arg=bare(words),
            polling=LOOK_MS,
        )

    def touch(self, name: str) -> None:
        """With a finger, the button that says so."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def touch_bin(self, number: int) -> None:
        self.page.locator(".tile").nth(number - 1).click()

    def speak(self, language: str) -> None:
        self.touch(NAMES[language])


def bare(text: str) -> str:
    """Without white space."""
    return re.sub(r"\s", "", text)


def said(key: str, language: str = "ja", *, table: Table = "words", **values: str) -> str:
    """The longest piece of a sentence that no placeholder touches, or the whole with these values."""
    words: Mapping[str, str] = getattr(SAID[language], table)
    sentence = words[key]
    if values:
        return sentence.format(**values)
    return max(re.split(r"\{\w+\}", sentence), key=len)


@contextmanager
def panel(hall: Hall, orientation: str = "wide") -> Iterator[Panel]:
    with browser_page(PANELS[orientation]) as page:
        page.set_default_timeout(LONG_S * 1000)
        page.add_init_script(NOTE)
        yield Panel(page, hall)

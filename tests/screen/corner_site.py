"""A hall with a caretaker, and the caretaker's hands on the page."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Any

from journey_site import NUMBER, Hall, Panel, said

SLEPT = Path(__file__).parent / "slept_site.py"
ZERO_COUNTS, TRUE_COUNTS_PER_GRAM = 84_000.0, 44.29
"""The settings say 43: this cell is 3 % off."""
WRONG = "271828"
ASK = """async (touch) => {
  const token = document.querySelector("meta[name=kiosk-token]").content;
  const headers = { "content-type": "application/json", "x-kiosk-token": token };
  const answer = await fetch("/act", { method: "POST", headers, body: JSON.stringify(touch) });
  return [answer.status, (await answer.json()).code];
}"""


class CareHall(Hall):
    """The hall of the journeys where residents need no turns."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "together")
        self.program = [sys.executable, SLEPT]

    def load(self, grams: float) -> None:
        self.bench.load(0, ZERO_COUNTS + TRUE_COUNTS_PER_GRAM * grams)

    def lay(self, grams: float) -> None:
        """What lies in b2."""
        assert self.indicator is not None
        self.indicator.grams = grams

    def sleep(self) -> None:
        """The machine has slept for longer than an open corner waits for a touch."""
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)

    def appoint(self, screen: Panel, card: str) -> None:
        """The next card shown becomes a caretaker's."""
        told: list[Any] = []
        asked = threading.Thread(
            target=lambda: told.extend(self.kiosk_lines("caretaker", "add")), name="appoint"
        )
        asked.start()
        screen.shows("waiting", said("appoint_show"))
        self.show(card)
        asked.join()
        assert told[-1] == {"done": True, "number": 1}


class Caretaker:
    """Before the page. A page's name is what stands on it (``corner`` in the catalogues)."""

    def __init__(self, screen: Panel) -> None:
        self.screen = screen

    def sees(self, *keys: str, **values: str) -> str:
        """Waits for a page of the corner that says this."""
        return self.screen.shows("corner", *(care(key, **values) for key in keys))

    def reads(self, *words: str) -> str:
        """The same of words that are in no catalogue."""
        return self.screen.shows("corner", *words)

    def touch(self, *keys: str, **values: str) -> None:
        for key in keys:
            self.screen.touch(care(key, **values))

    def choose(self, number: int) -> None:
        """One of the bins that a page shows."""
        self.screen.page.locator("#corner .tiles button").nth(number - 1).click()

    def row(self, text: str) -> None:
        """One of the answers that a page shows."""
        self.screen.page.locator("#corner .rows button", has_text=text).click()

    def asks_station(self, action: str, **fields: object) -> Any:
        """What the station answers to a touch that no page offers now: its status and refusal."""
        return self.screen.page.evaluate(ASK, {"action": action, **fields})

    def type(self, digits: str) -> None:
        for digit in digits:
            self.screen.touch(digit)

    def come(self, scene: str = "waiting") -> None:
        """In by the number."""
        self.screen.shows(scene)
        self.touch("open", "by_number")
        self.enter(NUMBER)
        self.sees("home_title")

    def enter(self, digits: str) -> None:
        self.sees("pad_title")
        self.type(digits)
        self.touch("enter")

    def home(self) -> None:
        """Back to the first page, however many pages there are to it. Some go with the station's answer."""
        while care("end") not in self.sees():
            before = self.screen.page.inner_text("#corner")
            self.touch("back")
            self.screen.page.wait_for_function(
                "was => document.querySelector('#corner').innerText !== was", arg=before
            )

    def leave(self) -> None:
        self.home()
        self.touch("end")
        self.screen.page.wait_for_selector("#corner", state="hidden")


def care(key: str, **values: str) -> str:
    """The caretaker's words in Japanese, as ``said``."""
    return said(key, table="corner", **values)


def plays(key: str, **values: str) -> str:
    return said(key, table="play", **values)

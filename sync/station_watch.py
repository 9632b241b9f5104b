"""The uplink's ear in the station: one thread that waits there for news of the ledger."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sync.station_link import Hello, StationGone, StationLink, StationRefused
from sync.uplink_events import LedgerMoved, StationDown

REQUEST_S = 5.0
"""A station that takes longer over a request counts as stalled."""
WAIT_MS = 10_000
"""One long poll; the connection's own patience is REQUEST_S longer."""
RETRY_S = 0.5
"""Between tries to reach a station that is not there."""

log = logging.getLogger("kiosk.uplink")


@dataclass(frozen=True, slots=True)
class Greeted:
    """The station answered hello, on the watcher's connection of that number."""

    hello: Hello
    number: int


class Watcher:
    """Tells ``post`` when the station comes, when its ledger moves, and when it goes."""

    def __init__(
        self, path: Path, post: Callable[[Greeted | StationDown | LedgerMoved], None]
    ) -> None:
        self._path = path
        self._post = post
        self._link: tuple[int, StationLink] | None = None
        self._number = 0
        self._said = ""
        self.beat_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="station-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def greet_again(self, number: int) -> None:
        """A request to the station greeted as ``number`` failed: end the long poll and greet anew.

        Where the watcher knows that already it has greeted, or is about to, under another number:
        what befell a connection to the station that went says nothing of the one that came.
        """
        current = self._link
        if current is not None and current[0] == number:
            current[1].end()

    def _run(self) -> None:
        while True:
            self.beat_s = time.monotonic()
            try:
                self._follow()
            except StationGone as gone:
                self._say(f"no station: {gone}")
                self._post(StationDown(gone.stalled))
            except StationRefused as refused:
                self._say(f"the station refuses: {refused}")
                self._post(StationDown(stalled=True))
            time.sleep(RETRY_S)

    def _say(self, words: str) -> None:
        """Once when it goes, not at every try."""
        if words != self._said:
            self._said = words
            log.info("%s", words)

    def _follow(self) -> None:
        link = StationLink(self._path, timeout_s=WAIT_MS / 1000 + REQUEST_S)
        self._number += 1
        self._link = (self._number, link)
        try:
            hello = link.hello()
            self._say(f"station {hello.city}/{hello.station}, ledger {hello.ledger}")
            self._post(Greeted(hello, self._number))
            head, watermark, epoch = hello.head_seq, hello.watermark, hello.epoch
            while True:
                self.beat_s = time.monotonic()
                moved = link.wait(head, WAIT_MS)
                if (moved.head_seq, moved.watermark, moved.epoch) != (head, watermark, epoch):
                    head, watermark, epoch = moved.head_seq, moved.watermark, moved.epoch
                    self._post(LedgerMoved(head, watermark, epoch))
        finally:
            link.close()

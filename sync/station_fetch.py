"""The thread that waits for batches: the station draws one while the main thread packs the one before."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sync.station_link import StationGone, StationLink, StationRefused
from sync.station_watch import REQUEST_S, Watcher
from sync.uplink_events import BatchFetched, Fetch, NothingFetched, StationDown

log = logging.getLogger("kiosk.uplink")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a fetch from the station greeted as ``number``."""

    number: int
    event: BatchFetched | NothingFetched | StationDown


class Fetcher:
    """Asks one thing at a time: what was asked of a station that went is not asked any more."""

    def __init__(self, path: Path, watcher: Watcher, post: Callable[[Fetched], None]) -> None:
        self._path = path
        self._watcher = watcher
        self._post = post
        self._number = 0
        self._wanted: Fetch | None = None
        self._link: StationLink | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="station-fetch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def greeted(self, number: int) -> None:
        """The watcher met a station: an older connection may lead to a process that is gone."""
        with self._changed:
            self._number, self._wanted = number, None
            if self._link is not None:
                self._link.end()

    def ask(self, fetch: Fetch) -> None:
        """``Fetched`` comes through ``post``, unless another station is greeted before."""
        with self._changed:
            self._wanted = fetch
            self._changed.notify()

    def is_current(self, fetched: Fetched) -> bool:
        """Whether it came from the station that was greeted last."""
        return fetched.number == self._number

    def _run(self) -> None:
        asked = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted is not None)
                fetch, self._wanted = self._wanted, None
                number = self._number
            assert fetch is not None
            if number != asked and self._link is not None:
                self._drop()
            asked = number
            self._post(Fetched(number, self._fetch(fetch, number)))

    def _fetch(self, fetch: Fetch, number: int) -> BatchFetched | NothingFetched | StationDown:
        try:
            batch = self._connected().batch(fetch.after, fetch.max_entries)
        except StationGone as gone:
            self._drop()
            self._watcher.greet_again(number)
            return StationDown(gone.stalled)
        except StationRefused as refused:
            log.warning("the station refuses: %s", refused)
            self._watcher.greet_again(number)
            return StationDown(stalled=True)
        return NothingFetched(fetch.after) if batch is None else BatchFetched(fetch.after, *batch)

    def _connected(self) -> StationLink:
        if self._link is None:
            link = StationLink(self._path, timeout_s=REQUEST_S)
            with self._changed:
                self._link = link
            return link
        return self._link

    def _drop(self) -> None:
        with self._changed:
            link, self._link = self._link, None
        if link is not None:
            link.close()

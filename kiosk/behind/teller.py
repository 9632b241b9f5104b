"""Tells the screen of the town, in a thread of its own: some seconds after something changed.

Bounded: a look every ``LOOK_S``, one read of at most a hundred rows through a read-only connection, one
small file. Where the disk does not let it look now, it looks again later; the page goes on with what it
has. Nothing waits for this thread, and a weighing takes no notice of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Protocol

from kiosk.behind.becoming import usual
from kiosk.behind.file import Watched
from kiosk.behind.told import TownTold, told
from kiosk.core.catalogue import Catalogue
from kiosk.core.errors import StorageError
from kiosk.ledger import stocked

LOOK_S = 5.0
STOP_S = 2.0
DAY_ZERO = date(1970, 1, 1)
EVENT = "town"


class Books(Protocol):
    """What is asked of the ledger."""

    @property
    def head(self) -> tuple[int, bytes]: ...

    @property
    def lend_reader(self) -> Callable[[], AbstractContextManager[Connection]]: ...


class TownTeller:
    """``start`` begins, ``stop`` ends the thread."""

    def __init__(
        self,
        file: Path,
        items: Sequence[str],
        ledger: Books,
        *,
        catalogue: Callable[[], Catalogue],
        today: Callable[[], int | None],
        tell: Callable[[str, object], None],
    ) -> None:
        """``items`` of the bins; ``today`` the local day since 1970-01-01 where the clock is known."""
        self._watched = Watched(file)
        self._items, self._ledger = tuple(items), ledger
        self._catalogue, self._today, self._tell = catalogue, today, tell
        self._known: tuple[int, int | None, Catalogue] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="town-teller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._ending.is_set():
            self.look()
            self._ending.wait(LOOK_S)

    def look(self) -> TownTold | None:
        """Tells what is new; None where nothing changed, or it cannot be read now."""
        known = (self._ledger.head[0], self._today(), self._catalogue())
        if not self._watched.look() and known == self._known:
            return None
        try:
            with self._ledger.lend_reader() as db:
                stock = stocked.read(db)
        except StorageError:
            self._known = None  # looked at again
            return None
        self._known = known
        _, day, catalogue = known
        value = told(
            self._items,
            stock=stock,
            catalogue=catalogue,
            town=self._watched.town,
            usual=usual(),
            today=None if day is None else DAY_ZERO + timedelta(days=day),
        )
        self._tell(EVENT, value)
        return value

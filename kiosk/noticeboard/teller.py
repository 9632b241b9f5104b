"""Tells the screen of the town: some seconds after something changed.

Bounded: a look every ``looking.LOOK_S``, one read of at most a hundred rows through a read-only
connection, one small file. Where the disk does not let it look now, it looks again later; the page
goes on with what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Connection
from typing import Protocol

from kiosk.core.catalogue import Catalogue
from kiosk.core.days import date_of
from kiosk.core.errors import StorageError
from kiosk.ledger import stocked
from kiosk.noticeboard.becoming import usual
from kiosk.noticeboard.file import Watched
from kiosk.noticeboard.told import TownTold, told

EVENT = "town"


class Books(Protocol):
    """What is asked of the ledger."""

    @property
    def head(self) -> tuple[int, bytes]: ...

    @property
    def lend_reader(self) -> Callable[[], AbstractContextManager[Connection]]: ...


class TownTeller:
    """``look`` tells what is new."""

    def __init__(
        self,
        file: Path,
        items: Sequence[str],
        ledger: Books,
        *,
        catalogue: Callable[[], Catalogue],
        today: Callable[[], int | None],
        tell: Callable[[str, object], None],
        languages: Collection[str],
    ) -> None:
        """``items`` of the bins; ``today`` the local day since 1970-01-01 where the clock is known;
        ``languages`` that the screen speaks."""
        self._watched = Watched(file, languages)
        self._items, self._ledger = tuple(items), ledger
        self._catalogue, self._today, self._tell = catalogue, today, tell
        self._known: tuple[int, int | None, Catalogue] | None = None

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
            today=None if day is None else date_of(day),
        )
        self._tell(EVENT, value)
        return value

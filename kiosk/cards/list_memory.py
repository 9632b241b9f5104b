"""What a station remembers of its lists beside them, through restarts: which there were, and the latest
moment that is certainly past (``kiosk.core.cards.staleness``).

Without it a card whose list was taken away would look like one of a town without lists, and a station
without a clock would be as young at every start. One that cannot be read begins anew: the lists'
own dates still count.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from kiosk.core.cards.staleness import Past
from kiosk.core.errors import KioskError
from kiosk.core.events import Moment
from kiosk.ledger.files import read_bounded
from sync.messages.card_lists import ListName
from sync.signing import write_durably

LOG = logging.getLogger("kiosk.lists")
FILE = "lists.json"
MAX_BYTES = 4096


class _Saved(msgspec.Struct, frozen=True):
    utc_ms: int
    known: bool
    missed_ms: int
    held: tuple[ListName, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """``held``: lists that there have been."""

    past: Past
    held: frozenset[ListName]

    def at(self, now: Moment) -> Memory:
        return replace(self, past=self.past.at(now))

    def told(self, name: ListName, day: int, now: Moment) -> Memory:
        """A word of that day is held from now on."""
        return Memory(self.past.told(day, now), self.held | {name})


class MemoryFile:
    """``lists.json`` in one folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.saved_ms = 0

    def load(self, now: Moment) -> Memory:
        """As it was saved; the time since then is not known, and so not counted."""
        self.saved_ms = now.boot_ms
        try:
            data = read_bounded(self._path, MAX_BYTES)
            if data is None:
                return Memory(Past.nothing(now.boot_ms), frozenset())
            saved = msgspec.json.decode(data, type=_Saved)
        except (KioskError, msgspec.DecodeError, UnicodeDecodeError) as error:
            LOG.warning("%s cannot be read: %s", self._path.name, error)
            return Memory(Past.nothing(now.boot_ms), frozenset())
        past = Past(saved.utc_ms, now.boot_ms, saved.known, saved.missed_ms)
        return Memory(past, frozenset(saved.held))

    def save(self, memory: Memory, now: Moment) -> None:
        """Durably. Raises OSError."""
        self.saved_ms = now.boot_ms
        past = memory.past
        saved = _Saved(past.utc_ms, past.known, past.missed_ms, tuple(sorted(memory.held)))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._path, msgspec.json.encode(saved))

"""What a station keeps of the city's catalogues (or tariffs), through restarts and years offline.

``DATA/town/catalogue.json`` holds the signed words as they came, which of them is in force, what the ledger
has been told, and why the last message was refused. Every word is proven again by the city's signature
when the file is read, so that whoever may write there can take a word away and make none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from kiosk.core.errors import KioskError
from kiosk.core.schedule import Schedule
from kiosk.ledger.files import read_bounded
from sync.messages import MAX_PLAIN_BYTES, Malformed
from sync.messages.town import MAX_WORDS, Kind, TownWord, encode, read
from sync.signing import write_durably

MAX_BYTES = 2 * MAX_WORDS * MAX_PLAIN_BYTES
"""The words as texts, with their quotes escaped, and little beside them."""


class Damaged(Exception):
    """The file holds what cannot be read (``unreadable``) or proven (``bad_signature`` …)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the ledger's last entry on it says is in force."""

    source: str
    version: int
    digest: str


class _Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    in_force: int | None
    told: Told | None
    refused: str | None
    words: Annotated[list[str], Meta(max_length=MAX_WORDS)]


@dataclass(frozen=True, slots=True)
class Kept:
    """``words``: those of the schedule, in its order. ``told`` what the ledger was told, None while it
    was told nothing (the station's own file counts); ``refused`` the alarm that is on in it."""

    schedule: Schedule = field(default_factory=Schedule)
    words: tuple[TownWord, ...] = ()
    told: Told | None = None
    refused: str | None = None

    def word(self, version: int | None) -> TownWord | None:
        return next((one for one in self.words if one.term.version == version), None)

    def with_word(self, word: TownWord) -> Kept:
        """With one that the schedule does not refuse."""
        return self._with(self.schedule.take(word.term), (*self.words, word))

    def begun(self, version: int) -> Kept:
        """``version`` is in force from now on."""
        return self._with(self.schedule.begun(version), self.words)

    def _with(self, schedule: Schedule, words: Iterable[TownWord]) -> Kept:
        of = {one.term: one for one in words}
        return replace(self, schedule=schedule, words=tuple(of[term] for term in schedule.terms))


class TownFile:
    """One of the two files."""

    def __init__(self, folder: Path, kind: Kind, city: str, city_key: bytes) -> None:
        self._path = folder / f"{kind}.json"
        self._kind, self._city, self._key = kind, city, city_key

    def load(self) -> Kept:
        """What was kept. Raises Damaged."""
        try:
            data = read_bounded(self._path, MAX_BYTES)
            if data is None:
                return Kept()
            saved = msgspec.json.decode(data, type=_Saved)
            words = [
                word
                for text in saved.words
                for word in read(self._kind, text.encode(), self._city, self._key)
            ]
        except Malformed as error:
            raise Damaged(error.code) from error
        except (msgspec.DecodeError, UnicodeError, KioskError) as error:
            raise Damaged("unreadable") from error
        schedule = Schedule(saved.in_force, tuple(one.term for one in words))
        versions = [one.version for one in schedule.terms]
        if versions != sorted(set(versions)) or saved.in_force not in (None, *versions):
            raise Damaged("unreadable")
        return Kept(schedule, tuple(words), saved.told, saved.refused)

    def save(self, kept: Kept) -> None:
        """Durably. Raises OSError."""
        words = [encode(self._city, [one]).decode() for one in kept.words]
        saved = _Saved(kept.schedule.in_force, kept.told, kept.refused, words)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._path, msgspec.json.encode(saved))

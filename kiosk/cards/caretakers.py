"""Whose cards open the caretaker's corner: a small durable file of pseudonyms.

Invariant: the file holds no token and no name, and who is in it is known after a restart as before it. A
line a card: its number (never given twice), its pseudonym, the day on which it was appointed. The number is
what a caretaker writes on the card's back, and by which it is removed. The file is replaced as a whole, so
that a power cut leaves the old one or the new.

It stands beside ``holders.db`` and not in the ledger: who looks after a station is nobody else's business.
While the pseudonym key is changed a card may be known by its name under the key before; it then gets the
one in force, so that the old key can go.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from kiosk.core.errors import KioskError, OperatorError, StorageError
from kiosk.ledger.errors import refused
from sync.signing import write_durably

LOG = logging.getLogger("kiosk.cards")
FILE = "caretakers"
MAX_CARETAKERS = 32
MAX_FILE_BYTES = 16_384
MODE = 0o600
_LINE = re.compile(r"([0-9]{1,6}) ([0-9a-f]{32}) ([0-9]{4}-[0-9]{2}-[0-9]{2}|-)")
_NEXT = re.compile(r"next ([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Caretaker:
    """One card. ``day`` ISO 8601, ``-`` where the clock was not known."""

    number: int
    name: bytes
    day: str


class CaretakerCards:
    """The cards in ``folder``; any thread may ask and change them."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lock = threading.Lock()
        self._cards: tuple[Caretaker, ...] = ()
        self._next = 1
        self._unread = False  # what is in the file is not here, and must not be written over

    def open(self) -> None:
        """Reads what is kept. Damage is no reason to keep the station down: then nobody's card opens
        the corner, and the log says so."""
        try:
            self._read()
        except StorageError as error:
            self._unread = True
            LOG.warning("no caretaker's card is known: %s", error)

    def all(self) -> tuple[Caretaker, ...]:
        return self._cards

    def knows(self, names: tuple[bytes, ...]) -> bool:
        """See ``kiosk.core.cards.knowledge.Caretakers``."""
        found = next((one for one in self._cards if one.name in names), None)
        if found is not None and found.name != names[0]:
            self._rename(found, names[0])
        return found is not None

    def add(self, name: bytes, day: str) -> Caretaker:
        """Durable when it returns; the same card again keeps its number. Raises OperatorError where
        there are too many, StorageError where nothing can be written, or what is there not read."""
        with self._lock:
            self._read_again()
            for one in self._cards:
                if one.name == name:
                    return one
            if len(self._cards) >= MAX_CARETAKERS:
                raise OperatorError(
                    "too_many_caretakers",
                    f"{MAX_CARETAKERS} caretakers' cards are known already.",
                    "Remove one first: kiosk caretaker remove.",
                    most=MAX_CARETAKERS,
                )
            made = Caretaker(self._next, name, day)
            self._write((*self._cards, made), self._next + 1)
            return made

    def remove(self, number: int) -> None:
        """From now on that card opens nothing. Raises OperatorError where there is none, StorageError as
        ``add`` does."""
        with self._lock:
            self._read_again()
            kept = tuple(one for one in self._cards if one.number != number)
            if len(kept) == len(self._cards):
                raise OperatorError(
                    "no_such_caretaker",
                    f"No caretaker's card has the number {number}.",
                    "kiosk caretaker list shows them.",
                    number=number,
                )
            self._write(kept, self._next)

    # -- the file -------------------------------------------------------------------------------

    def _rename(self, card: Caretaker, name: bytes) -> None:
        try:
            with self._lock:
                others = tuple(
                    replace(one, name=name) if one.number == card.number else one
                    for one in self._cards
                )
                self._write(others, self._next)
        except KioskError as error:  # the next time it is shown
            LOG.warning("a caretaker's card keeps its old name for now: %s", error)

    def _read_again(self) -> None:
        if self._unread:
            self._read()
            self._unread = False

    def _read(self) -> None:
        try:
            with self._file.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            raise refused(error, self._file) from error
        head, *lines = data.decode("ascii", "replace").splitlines() or [""]
        following = _NEXT.fullmatch(head)
        found = [_LINE.fullmatch(line) for line in lines]
        if following is None or len(data) > MAX_FILE_BYTES or len(found) > MAX_CARETAKERS:
            raise self._damaged()
        cards = []
        for one in found:
            if one is None:
                raise self._damaged()
            cards.append(Caretaker(int(one[1]), bytes.fromhex(one[2]), one[3]))
        self._cards, self._next = tuple(cards), int(following[1])

    def _damaged(self) -> StorageError:
        return StorageError(
            "caretakers_damaged",
            f"{self._file} is none of this program's files.",
            "Take it away, and appoint the caretakers anew: kiosk caretaker add.",
            file=self._file,
        )

    def _write(self, cards: tuple[Caretaker, ...], following: int) -> None:
        text = f"next {following}\n" + "".join(
            f"{one.number} {one.name.hex()} {one.day}\n" for one in cards
        )
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_durably(self._file, text.encode("ascii"), mode=MODE)
        except OSError as error:
            raise refused(error, self._file) from error
        self._cards, self._next = cards, following

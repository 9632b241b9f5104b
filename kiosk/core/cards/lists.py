"""The city's lists of cards as a station looks into them: one sorted row of pseudonyms, and a delta.

Invariant: a name is on a list exactly when the whole list or the delta's ``added`` has it, and the
delta's ``removed`` has it not.

A set of 200,000 ``bytes`` takes 23 MB; the same pseudonyms in a row take 3.2 MB, which the kernel
keeps as pages of a file (``records`` may be an ``mmap``) and gives away when it needs the memory. A
look is a bisection: 18 slices of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from kiosk.core.cards.names import PSEUDONYM_BYTES

DAY_MS = 86_400_000

ListUse = Literal["as_sent", "closed", "allowed"]
"""``as_sent``: a closed list counts once the city has sent one. ``closed``: there has to be one.
``allowed``: there has to be an allow list, and a closed list counts once the city has sent one."""


class Records(Protocol):
    """``bytes``, an ``mmap``: whatever gives ``bytes`` for a slice."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: slice, /) -> bytes: ...


def holds(records: Records, name: bytes, *, start: int = 0) -> bool:
    """Whether ``name`` stands in the sorted 16-byte records, which begin at byte ``start``."""
    low, high = 0, (len(records) - start) // PSEUDONYM_BYTES
    while low < high:
        middle = (low + high) // 2
        at = start + middle * PSEUDONYM_BYTES
        found = records[at : at + PSEUDONYM_BYTES]
        if found == name:
            return True
        if found < name:
            low = middle + 1
        else:
            high = middle
    return False


def rows(records: Records, *, start: int = 0) -> Iterator[bytes]:
    """The pseudonyms, one by one."""
    for at in range(start, len(records), PSEUDONYM_BYTES):
        yield records[at : at + PSEUDONYM_BYTES]


@dataclass(frozen=True, slots=True)
class CardList:
    """One list at one moment; never changed, so any number of threads may look.

    ``records`` the whole list from byte ``start`` on; ``added`` and ``removed`` the delta since.
    ``epoch`` and ``version`` of the newest of the two, ``day`` of the city's last word (days since
    1970-01-01, UTC).
    """

    epoch: int
    version: int
    day: int
    records: Records
    start: int = 0
    added: frozenset[bytes] = frozenset()
    removed: frozenset[bytes] = frozenset()

    def __contains__(self, name: bytes) -> bool:
        if name in self.added:
            return True
        return name not in self.removed and holds(self.records, name, start=self.start)

    def __len__(self) -> int:
        whole = (len(self.records) - self.start) // PSEUDONYM_BYTES
        return whole + len(self.added) - len(self.removed)

"""A card as a reader with a library of its own (nfcpy, PC/SC) tells of it, and what may not be believed.

Invariant: an identifier is taken only where its size, and what else the reader says of the card, agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kiosk.core.cards import is_random_uid

UID_BYTES = (4, 7, 10)
"""ISO/IEC 14443-3 6.5.4: single, double and triple size."""
IDM_BYTES = 8
_ATQA_SIZES = {0x00: 4, 0x40: 7, 0x80: 10}
_CASCADE_AT = {4: 0, 7: 3, 10: 6}
CASCADE_TAG = 0x88


@dataclass(frozen=True, slots=True)
class Chip:
    """One card in the field. ``uid`` its UID or IDm, hidden from ``repr``; empty where there is none to
    go by."""

    kind: Literal["a", "b", "felica", "none"]
    uid: bytes = field(repr=False)

    @property
    def key(self) -> bytes:
        """What makes two looks the same card: a telephone has a new number at each of them."""
        return self.kind.encode() + b":" + (b"random" if is_random_uid(self.uid) else self.uid)


TYPE_B = Chip("b", b"")
"""Its number is made up at each look (My Number card, driving licence): never looked at."""
NUMBERLESS = Chip("none", b"")
"""A card that tells no number."""


def type_a(uid: bytes, atqa: int | None = None) -> Chip:
    """A type A card; ``atqa`` where the reader tells it (first byte low). Raises ValueError."""
    if len(uid) not in UID_BYTES:
        raise ValueError("a UID of no lawful size")
    if atqa is not None and _ATQA_SIZES.get(atqa & 0xC0) != len(uid):
        raise ValueError("ATQA and UID differ in size")
    if uid[_CASCADE_AT[len(uid)]] == CASCADE_TAG:
        raise ValueError("a cascade tag within the UID")
    return Chip("a", uid)


def felica(idm: bytes) -> Chip:
    """A FeliCa card. Raises ValueError."""
    if len(idm) != IDM_BYTES:
        raise ValueError("an IDm of no lawful size")
    return Chip("felica", idm)

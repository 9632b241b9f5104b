"""Seven-bit characters that were captured as eight: their top bit is parity.

Theory: on a line of 7 bits with even parity every byte has an even number of ones. Characters without
parity have one in about half of their bytes, so a capture can hardly be mistaken. A byte whose parity
is wrong was damaged on the line, and becomes a byte that no telegram has.
"""

from __future__ import annotations

from typing import Literal

Parity = Literal["E", "O"]

SHARE = 0.9
"""So many bytes of a capture at least obey its parity."""
DAMAGED = 0xFF
_EVEN = bytes(b & 0x7F if b.bit_count() % 2 == 0 else DAMAGED for b in range(256))
_ODD = bytes(b & 0x7F if b.bit_count() % 2 == 1 else DAMAGED for b in range(256))
TABLES: dict[Parity, bytes] = {"E": _EVEN, "O": _ODD}


def parity_of(data: bytes) -> Parity | None:
    """The parity that these bytes carry in their top bit; None where they carry none."""
    if data.isascii():
        return None
    even = sum(byte.bit_count() % 2 == 0 for byte in data)
    if even >= SHARE * len(data):
        return "E"
    return "O" if len(data) - even >= SHARE * len(data) else None


def without_parity(data: bytes) -> bytes:
    """The characters, each at its place; as they are where they carry no parity."""
    parity = parity_of(data)
    return data if parity is None else data.translate(TABLES[parity])

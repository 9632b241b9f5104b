"""Type 4 tags: the NDEF message of a chip that speaks ISO/IEC 14443-4. No port in here.

Source: NFC Forum Type 4 Tag 2.0 (4.3 the application, 5.4 the commands; ISO/IEC 7816-4). The NDEF file
is E104, where NTAG 424 DNA and DESFire EV3 have it from the factory: two commands less at a
reading of which people wait for the end.

A chip that counts its readings counts at the first read after the selection, so both reads here see
one state of the file.
"""

from __future__ import annotations

from collections.abc import Callable

SELECT_APPLICATION = bytes.fromhex("00a4040007d276000085010100")
SELECT_FILE = bytes.fromhex("00a4000c02e104")
OK = b"\x90\x00"
FIRST_BYTES = 128
"""A first read usually holds the whole message; the answer still fits the PN532's normal frame."""
NEXT_BYTES = 128
MAX_FILE_BYTES = 512
"""NTAG 424 DNA's file has 256; whoever says more than this is none of ours."""
_NO_SUCH = (
    b"\x6a\x82",
    b"\x6a\x81",
    b"\x69\x85",
    b"\x6d\x00",
    b"\x6e\x00",
    b"\x6a\x86",
    b"\x67\x00",
)
"""No file or application, not supported, or another language altogether (DESFire's own, a bank's)."""

Exchange = Callable[[bytes], bytes]
"""Sends an APDU, gives the answer with its status word."""


class UnreadableError(ValueError):
    """The chip went away, or answered what cannot be. Its bytes are not repeated."""


def read_message(exchange: Exchange) -> bytes | None:
    """The NDEF message of the chip in the field; None for a chip that keeps none.

    Raises UnreadableError, and whatever ``exchange`` raises.
    """
    for select in (SELECT_APPLICATION, SELECT_FILE):
        answer = exchange(select)
        if answer in _NO_SUCH:
            return None
        # What the application says of itself (a DESFire's FCI) may stand before the status word.
        if answer[-2:] != OK:
            raise UnreadableError("a selection of no lawful answer")
    file = _read(exchange, 0, FIRST_BYTES)
    size = int.from_bytes(file[:2], "big")
    if len(file) < 2 or 2 + size > MAX_FILE_BYTES:
        raise UnreadableError("an NDEF file of no lawful length")
    while len(file) < 2 + size:  # at least one byte a turn: at most MAX_FILE_BYTES turns
        file += _read(exchange, len(file), min(NEXT_BYTES, 2 + size - len(file)))
    return file[2 : 2 + size]


def _read(exchange: Exchange, offset: int, size: int) -> bytes:
    """READ BINARY; a chip may give less than it is asked for at the file's end, and no chip more."""
    answer = exchange(bytes((0x00, 0xB0, *offset.to_bytes(2, "big"), size)))
    data, status = answer[:-2], answer[-2:]
    if status not in (OK, b"\x62\x82") or not 1 <= len(data) <= size:
        raise UnreadableError("a reading of no lawful answer")
    return data

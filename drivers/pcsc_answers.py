"""What a contactless PC/SC reader says of a card: its ATR, and its number. No reader in here.

Sources: PC/SC Workgroup, Part 3 (rev. 2.01.09) 3.1.3.2.3 for the ATR that a reader makes up for a card
without one, 3.2.2.1.3 for Get Data; ACS, ACR122U API 2.04, 4.1 for the same with its examples.

::

    ATR, memory cards    3B 8F 80 01  80 4F 0C  A0 00 00 03 06  SS  NN NN  00 00 00 00  TCK
    ATR, ISO 14443-4     3B 8n 80 01  n historical bytes  TCK
                         type B: 4 application bytes, 3 protocol bytes, 1 of buffer size; so n is 8
    Get Data             FF CA 00 00 00  →  UID or IDm or PUPI,  90 00
"""

from __future__ import annotations

from functools import reduce
from operator import xor

from drivers.nfc_card import IDM_BYTES, NUMBERLESS, TYPE_B, UID_BYTES, Chip, felica, type_a

GET_UID = (0xFF, 0xCA, 0x00, 0x00, 0x00)
DONE = b"\x90\x00"
MEMORY_CARD = bytes.fromhex("3b8f8001804f0ca000000306")
SS_TYPE_B = frozenset((0x05, 0x06, 0x07, 0x08))
"""Part 3 supplemental: ISO 14443 B, parts 1 to 4."""
SS_FELICA = 0x11
MAX_ATR_BYTES = 33
"""ISO/IEC 7816-3: TS and 32 more."""
TYPE_B_HISTORICAL = 8


def chip(atr: bytes, answer: bytes) -> Chip:
    """The card, by its ATR and the whole answer to ``GET_UID``.

    Raises ValueError where the parts gainsay each other or are none.
    """
    standard = _standard(atr)
    if standard in SS_TYPE_B:
        return TYPE_B
    if len(answer) < len(DONE):
        raise ValueError("an answer without status")
    number, status = answer[:-2], answer[-2:]
    if status != DONE:
        return NUMBERLESS  # 6A81: a contact card, or a reader that does not tell
    if standard is None and len(number) == 4 and (atr[1] & 0x0F) == TYPE_B_HISTORICAL:
        # A type B card (My Number) tells its made-up PUPI here. A type A card with a 4-byte number and
        # just as many historical bytes looks the same: it is refused as well, rather than both taken.
        return TYPE_B
    if standard == SS_FELICA or (standard is None and len(number) == IDM_BYTES):
        return felica(number)
    if len(number) not in UID_BYTES:
        raise ValueError("a number of no lawful size")
    return type_a(number)


def _standard(atr: bytes) -> int | None:
    """SS of a memory card's ATR, None for other cards. Raises ValueError for what is no ATR."""
    if not 2 <= len(atr) <= MAX_ATR_BYTES or atr[0] not in (0x3B, 0x3F):
        raise ValueError("no ATR")
    if not atr.startswith(MEMORY_CARD):
        return None
    if len(atr) != 20 or reduce(xor, atr[1:]):
        raise ValueError("a memory card's ATR with another length or sum")
    return atr[12]

"""What stands for a card outside its reader.

First 16 bytes of HMAC-SHA256(pseudonym key, ``kiosk-pseudonym-v1`` NUL scheme NUL id). Scheme ``qr``
with the 10 random bytes of a town's card, ``nfc`` with a UID or IDm, ``foreign`` with the name that the
settings give to somebody else's codes, NUL, and the code's bytes.

While the key is being changed (``docs/cards.md``) a card has two names, and whatever asks about a card
asks under both.

Test vectors (pseudonym key 20..3f, 32 bytes):

>>> key = bytes(range(32, 64))
>>> pseudonym(key, "qr", bytes(range(10))).hex()
'd3688711557af6aa714233e16979c4e6'
>>> pseudonym(key, "nfc", bytes.fromhex("04a1b2c3d4e580")).hex()
'bebcba792423cd07f06ffb67a244aacb'
>>> pseudonym(key, "foreign", foreign_id("library", b"1234567-C")).hex()
'0997cf0e2942dae88cf50d80082a7c2a'
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

PSEUDONYM_BYTES = 16
UID_BYTES = (4, 7, 8, 10)
"""ISO/IEC 14443-3 single, double and triple size UIDs, and the 8 bytes of a FeliCa IDm."""

_DOMAIN = b"kiosk-pseudonym-v1\0"

Scheme = Literal["qr", "nfc", "foreign"]


@dataclass(frozen=True, slots=True)
class Names:
    """One card's pseudonyms: ``now`` under the key in force, ``formerly`` under the one before it, None
    while there is none."""

    now: bytes
    formerly: bytes | None = None

    @property
    def all(self) -> tuple[bytes, ...]:
        return (self.now,) if self.formerly is None else (self.now, self.formerly)


def pseudonym(pseudonym_key: bytes, scheme: Scheme, identifier: bytes) -> bytes:
    """16 bytes."""
    message = _DOMAIN + scheme.encode() + b"\0" + identifier
    return hmac.digest(pseudonym_key, message, hashlib.sha256)[:PSEUDONYM_BYTES]


def foreign_id(name: str, code: bytes) -> bytes:
    """The identifier of a foreign code: the same number at two libraries is two people."""
    return name.encode("ascii") + b"\0" + code


def is_random_uid(uid: bytes) -> bool:
    """Whether the card makes up a new identifier each time, as phones do.

    4 bytes beginning 08 (ISO/IEC 14443-3, "RID"), or an IDm beginning 01FE or 02FE (NFC Forum
    Digital: NFC-DEP, and host card emulation).
    """
    if len(uid) == 4:
        return uid[0] == 0x08
    return len(uid) == 8 and uid[0] in (0x01, 0x02) and uid[1] == 0xFE

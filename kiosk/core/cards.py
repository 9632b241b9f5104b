"""The town's card: what stands in its QR code, what proves it, and its pseudonym.

Invariant: a raw token (QR text, UID) goes in and never comes out: not in a result, an error, a log
line or a ``repr``. What leaves is a pseudonym, or the bare reason of a refusal.

**QR token.** 45 characters of base45 (RFC 9285), all of them in QR's alphanumeric set, so that the
code is version 3 at level M: few and large modules are what a camera can read. They hold 30 bytes:

====== ==== =====================================================================================
offset size field
====== ==== =====================================================================================
0      1    format version, 1
1      1    key id: which of the town's card keys made the tag
2      2    last valid day, big-endian count of days since 2020-01-01 (65535 is the year 2199)
4      10   random id: the cardholder's, as far as this card is concerned
14     16   tag: first 16 bytes of HMAC-SHA256(card key, ``kiosk-card-v1`` + bytes 0 to 13)
====== ==== =====================================================================================

The tag proves that the town issued the card; a photograph of it proves the same. Only the random id
goes into the pseudonym, so a card renewed with the same id stays the same person.

**NFC.** The UID (type A: 4, 7 or 10 bytes) or the FeliCa IDm (8 bytes) is all there is. It
identifies and proves nothing. Random identifiers (phones) are no one's and are refused.

**Pseudonym.** First 16 bytes of HMAC-SHA256(pseudonym key, ``kiosk-pseudonym-v1`` NUL scheme NUL
id), scheme ``qr`` with the 10 random bytes or ``nfc`` with the UID.

Test vectors (card key 00..1f, pseudonym key 20..3f, both 32 bytes):

>>> card_key, pseudonym_key = bytes(range(32)), bytes(range(32, 64))
>>> body = CardBody(key_id=1, last_day=day_of(2030, 3, 31), random_id=bytes(range(10)))
>>> text = issue(body, card_key)
>>> text
b'W507%1100KB0*M0DY0W01$APQ:EI8T6-VPU7+83EX1N1P'
>>> check(text, {1: card_key}) == body
True
>>> pseudonym(pseudonym_key, "qr", body.random_id).hex()
'd3688711557af6aa714233e16979c4e6'
>>> pseudonym(pseudonym_key, "nfc", bytes.fromhex("04a1b2c3d4e580")).hex()
'bebcba792423cd07f06ffb67a244aacb'
>>> base45_encode(b"Hello!!"), base45_decode(b"%69 VD92EX0")
(b'%69 VD92EX0', b'Hello!!')
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from kiosk.core.events import CardRefused, CardSeen, RefusalReason

VERSION = 1
TEXT_CHARS = 45
BODY_BYTES = 14
TAG_BYTES = 16
RANDOM_BYTES = 10
KEY_BYTES = 32
PSEUDONYM_BYTES = 16
UID_BYTES = (4, 7, 8, 10)
"""ISO/IEC 14443-3 single, double and triple size UIDs, and the 8 bytes of a FeliCa IDm."""

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_CARD_DOMAIN = b"kiosk-card-v1"
_PSEUDONYM_DOMAIN = b"kiosk-pseudonym-v1\0"
_FIRST_DAY = date(2020, 1, 1).toordinal() - date(1970, 1, 1).toordinal()

Scheme = Literal["qr", "nfc"]


class CardError(ValueError):
    """These bytes are no good card. ``reason`` says which kind of no; the bytes are not kept."""

    def __init__(self, reason: RefusalReason, what: str) -> None:
        super().__init__(what)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CardBody:
    """What a QR card says. ``last_day`` in days since 1970-01-01, the last on which it is good."""

    key_id: int
    last_day: int
    random_id: bytes = field(repr=False)


def day_of(year: int, month: int, day: int) -> int:
    """A calendar day as a count of days since 1970-01-01, as in ``Moment.day``."""
    return date(year, month, day).toordinal() - date(1970, 1, 1).toordinal()


# -- base45 (RFC 9285) --------------------------------------------------------------------------


def base45_encode(data: bytes) -> bytes:
    """Two bytes become three characters, a last single byte two."""
    out = bytearray()
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, digit = divmod(value, 45)
            out.append(_ALPHABET[digit])
    return bytes(out)


def base45_decode(text: bytes) -> bytes:
    """The bytes that :func:`base45_encode` made ``text`` of; one text only for each. Raises
    ValueError for every other text, without repeating it."""
    if len(text) % 3 == 1:
        raise ValueError("base45 has no such length")
    out = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        value = 0
        for char in reversed(group):
            digit = _VALUES.get(char)
            if digit is None:
                raise ValueError("a character that is not base45")
            value = value * 45 + digit
        size = len(group) - 1
        if value >= 1 << (8 * size):
            raise ValueError("a base45 group is out of range")
        out += value.to_bytes(size, "big")
    return bytes(out)


# -- QR token -----------------------------------------------------------------------------------


def issue(body: CardBody, card_key: bytes) -> bytes:
    """The text of a new card. Raises ValueError for a body or key that does not fit the format."""
    if len(card_key) != KEY_BYTES:
        raise ValueError(f"a card key has {KEY_BYTES} bytes")
    if len(body.random_id) != RANDOM_BYTES:
        raise ValueError(f"a card's random id has {RANDOM_BYTES} bytes")
    days = body.last_day - _FIRST_DAY
    if not (0 <= days <= 0xFFFF and 0 <= body.key_id <= 0xFF):
        raise ValueError("the key id or the last day does not fit the card format")
    packed = bytes((VERSION, body.key_id)) + days.to_bytes(2, "big") + body.random_id
    return base45_encode(packed + _tag(card_key, packed))


def check(text: bytes, card_keys: Mapping[int, bytes]) -> CardBody:
    """The body of a card that the town issued, expired or not.

    Raises CardError: ``unknown`` for what is no card of this format or of none of these keys,
    ``forged`` for one whose tag is not its key's.
    """
    if len(text) != TEXT_CHARS:
        raise CardError("unknown", "not a card's length")
    try:
        raw = base45_decode(text)
    except ValueError:
        raise CardError("unknown", "not a card's text") from None
    packed, tag = raw[:BODY_BYTES], raw[BODY_BYTES:]
    if packed[0] != VERSION:
        raise CardError("unknown", "a card of another format")
    key = card_keys.get(packed[1])
    if key is None:
        raise CardError("unknown", "a card of a key that this station does not have")
    if not hmac.compare_digest(tag, _tag(key, packed)):
        raise CardError("forged", "the tag is not the key's")
    last_day = _FIRST_DAY + int.from_bytes(packed[2:4], "big")
    return CardBody(packed[1], last_day, packed[4:])


def _tag(key: bytes, packed: bytes) -> bytes:
    return hmac.digest(key, _CARD_DOMAIN + packed, hashlib.sha256)[:TAG_BYTES]


# -- NFC and pseudonyms -------------------------------------------------------------------------


def is_random_uid(uid: bytes) -> bool:
    """Whether the card makes up a new identifier each time, as phones do.

    4 bytes beginning 08 (ISO/IEC 14443-3, "RID"), or an IDm beginning 01FE or 02FE (NFC Forum
    Digital: NFC-DEP, and host card emulation).
    """
    if len(uid) == 4:
        return uid[0] == 0x08
    return len(uid) == 8 and uid[0] in (0x01, 0x02) and uid[1] == 0xFE


def pseudonym(pseudonym_key: bytes, scheme: Scheme, identifier: bytes) -> bytes:
    """What stands for a card outside its reader (16 bytes)."""
    message = _PSEUDONYM_DOMAIN + scheme.encode() + b"\0" + identifier
    return hmac.digest(pseudonym_key, message, hashlib.sha256)[:PSEUDONYM_BYTES]


class CardDesk:
    """Turns what a reader read into an event. Immutable; readers' threads may share one.

    ``card_keys`` key id to key: several are valid at once while cards are renewed. ``closed``
    pseudonyms of lost cards; None when the station knows no such list.
    """

    __slots__ = ("_card_keys", "_closed", "_pseudonym_key")

    def __init__(
        self,
        card_keys: Mapping[int, bytes],
        pseudonym_key: bytes,
        closed: Collection[bytes] | None = None,
    ) -> None:
        if any(len(key) != KEY_BYTES for key in (*card_keys.values(), pseudonym_key)):
            raise ValueError(f"card and pseudonym keys have {KEY_BYTES} bytes")
        self._card_keys = dict(card_keys)
        self._pseudonym_key = pseudonym_key
        self._closed = frozenset(closed or ())

    def identify_qr(self, text: bytes, *, t_ms: int, day: int | None) -> CardSeen | CardRefused:
        """``text`` any bytes of a QR code; ``day`` the local day (days since 1970-01-01), None
        while the clock is not known: then nothing counts as expired, for a station without a clock
        still serves."""
        try:
            body = check(text, self._card_keys)
        except CardError as error:
            return CardRefused(t_ms, "qr", error.reason)
        if day is not None and day > body.last_day:
            return CardRefused(t_ms, "qr", "expired")
        return self._admit("qr", body.random_id, t_ms, proves=True)

    def identify_nfc(self, uid: bytes, *, t_ms: int) -> CardSeen | CardRefused:
        """``uid`` a type A UID or a FeliCa IDm."""
        if len(uid) not in UID_BYTES or is_random_uid(uid):
            return CardRefused(t_ms, "nfc", "unknown")
        return self._admit("nfc", uid, t_ms, proves=False)

    def _admit(
        self, scheme: Scheme, identifier: bytes, t_ms: int, *, proves: bool
    ) -> CardSeen | CardRefused:
        name = pseudonym(self._pseudonym_key, scheme, identifier)
        if name in self._closed:
            return CardRefused(t_ms, scheme, "closed")
        return CardSeen(t_ms, name, scheme, proves)

"""The town's card as a QR code: what stands in it, and what proves it.

45 characters of base45, all of them in QR's alphanumeric set, so that the code is version 3 at
level Q: few and large modules are what a camera can read. They hold 30 bytes:

====== ==== =====================================================================================
offset size field
====== ==== =====================================================================================
0      1    low 5 bits: format version, 1; 0x20: a household's card; 0x80: a spare, see below
1      1    key id: which of the town's card keys made the tag
2      2    last valid day, big-endian count of days since 2020-01-01 (65535 is the year 2199)
4      10   random id: the cardholder's, as far as this card is concerned
14     16   tag: first 16 bytes of HMAC-SHA256(card key, ``kiosk-card-v1`` + bytes 0 to 13)
====== ==== =====================================================================================

The tag proves that the town issued the card; a photograph of it proves the same. Only the random id
goes into the pseudonym, so a card renewed with the same id stays the same person.

A *spare* is a pre-printed card: nobody's until a station has begun it (``kiosk.core.holding``). The cards
of a *household* share the first 9 bytes of their random id and count on from 1 in the last; their account
is the one of the id that ends in 0, which no card has. So every station knows whose they are without having
been told, and each of them can be closed alone.

Test vectors (card key 00..1f, 32 bytes):

>>> card_key = bytes(range(32))
>>> body = CardBody(key_id=1, last_day=day_of(2030, 3, 31), random_id=bytes(range(10)))
>>> text = issue(body, card_key)
>>> text
b'W507%1100KB0*M0DY0W01$APQ:EI8T6-VPU7+83EX1N1P'
>>> check(text, {1: card_key}) == body
True
>>> one = CardBody(1, day_of(2030, 3, 31), bytes(range(9)) + b"\x02", spare=True, household=True)
>>> issue(one, card_key)
b'.FK7%1100KB0*M0DY0P01+%HK-GRID7TNNJ248F-FLPYR'
>>> one.account_id.hex()
'00010203040506070800'
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kiosk.core.cards import base45
from kiosk.core.days import day_number
from kiosk.core.events import RefusalReason

VERSION = 1
SPARE, HOUSEHOLD = 0x80, 0x20
TEXT_CHARS = 45
BODY_BYTES = 14
TAG_BYTES = 16
RANDOM_BYTES = 10
KEY_BYTES = 32

_DOMAIN = b"kiosk-card-v1"
_FIRST_DAY = day_number(date(2020, 1, 1))


class CardError(ValueError):
    """These bytes are no good card. ``reason`` says which kind of no; the bytes are not kept."""

    def __init__(self, reason: RefusalReason, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class NotACard(CardError):
    """These bytes are nothing that a town of ours hands out: they may be somebody else's code."""

    def __init__(self, what: str) -> None:
        super().__init__("unknown", what)


@dataclass(frozen=True, slots=True)
class CardBody:
    """What a QR card says. ``last_day`` in days since 1970-01-01, the last on which it is good."""

    key_id: int
    last_day: int
    random_id: bytes = field(repr=False)
    spare: bool = False
    household: bool = False

    @property
    def account_id(self) -> bytes:
        """The random id that names the account: the card's own, or its household's."""
        return account_id(self.random_id, household=self.household)


def day_of(year: int, month: int, day: int) -> int:
    """A calendar day as a count of days since 1970-01-01, as in ``Moment.day``."""
    return day_number(date(year, month, day))


def account_id(random_id: bytes, *, household: bool) -> bytes:
    """What stands for the account of a card with this random id."""
    return random_id[:-1] + b"\0" if household else random_id


def issue(body: CardBody, card_key: bytes) -> bytes:
    """The text of a new card. Raises ValueError for a body or key that does not fit the format."""
    if len(card_key) != KEY_BYTES:
        raise ValueError(f"a card key has {KEY_BYTES} bytes")
    packed = pack(VERSION, body)
    return base45.encode(packed + _tag(card_key, packed))


def check(text: bytes, card_keys: Mapping[int, bytes]) -> CardBody:
    """The body of a card that the town issued, expired or not.

    Raises NotACard for what is no card of this format, CardError ``unknown`` for one of none of these
    keys, ``forged`` for one whose tag is not its key's.
    """
    if len(text) == TEXT_CHARS - 1:
        text = b" " + text  # the first character may be a space (key id 5), and some scanners trim
    if len(text) != TEXT_CHARS:
        raise NotACard("not a card's length")
    try:
        raw = base45.decode(text)
    except ValueError:
        raise NotACard("not a card's text") from None
    packed, tag = raw[:BODY_BYTES], raw[BODY_BYTES:]
    if version_of(packed) != VERSION:
        raise NotACard("a card of another format")
    key = card_keys.get(packed[1])
    if key is None:
        raise CardError("unknown", "a card of a key that this station does not have")
    if not hmac.compare_digest(tag, _tag(key, packed)):
        raise CardError("forged", "the tag is not the key's")
    return unpack(packed)


def pack(version: int, body: CardBody) -> bytes:
    """What every format begins with: 14 bytes. Raises ValueError for what does not fit."""
    if len(body.random_id) != RANDOM_BYTES:
        raise ValueError(f"a card's random id has {RANDOM_BYTES} bytes")
    days = body.last_day - _FIRST_DAY
    if not (0 <= days <= 0xFFFF and 0 <= body.key_id <= 0xFF):
        raise ValueError("the key id or the last day does not fit the card format")
    if body.household and body.random_id[-1] == 0:
        raise ValueError("a household's cards count from 1")
    kind = version | SPARE * body.spare | HOUSEHOLD * body.household
    return bytes((kind, body.key_id)) + days.to_bytes(2, "big") + body.random_id


def version_of(packed: bytes) -> int:
    """The format version, without what else stands in that byte."""
    return packed[0] & ~(SPARE | HOUSEHOLD)


def unpack(packed: bytes) -> CardBody:
    """The body in those 14 bytes."""
    last_day = _FIRST_DAY + int.from_bytes(packed[2:4], "big")
    spare, household = bool(packed[0] & SPARE), bool(packed[0] & HOUSEHOLD)
    return CardBody(packed[1], last_day, packed[4:], spare, household)


def _tag(key: bytes, packed: bytes) -> bytes:
    return hmac.digest(key, _DOMAIN + packed, hashlib.sha256)[:TAG_BYTES]

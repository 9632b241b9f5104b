"""The town's card without a secret on the station: version 2, signed instead of tagged.

117 characters of base45, so a QR code of version 5 at level M: its modules are smaller, and fewer moving
cards are read (``docs/benchmarks.md``). They hold 78 bytes:

====== ==== =====================================================================================
offset size field
====== ==== =====================================================================================
0      1    format version, 2
1      1    key id: which of the town's signing keys signed
2      2    last valid day, big-endian count of days since 2020-01-01
4      10   random id, with the same meaning as on a card of version 1
14     64   Ed25519 signature (RFC 8032) over ``kiosk-card-v2`` + bytes 0 to 13
====== ==== =====================================================================================

The station holds public keys only: whoever takes its memory card can make no cards. Key ids are counted
apart from those of version 1.

Its test vector stands in ``docs/cards.md``: the cipher is the edge's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kiosk.core.cards import base45
from kiosk.core.cards.ciphers import Ciphers
from kiosk.core.cards.token import BODY_BYTES, CardBody, CardError, NotACard, pack, unpack

VERSION = 2
TEXT_CHARS = 117
SIGNATURE_BYTES = 64

_DOMAIN = b"kiosk-card-v2"


def issue(body: CardBody, sign: Callable[[bytes], bytes]) -> bytes:
    """The text of a new card; ``sign`` gives the signature of 64 bytes. Raises ValueError for a body that
    does not fit the format."""
    packed = pack(VERSION, body)
    signature = sign(_DOMAIN + packed)
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes")
    return base45.encode(packed + signature)


def check(text: bytes, public_keys: Mapping[int, bytes], ciphers: Ciphers) -> CardBody:
    """As ``token.check``, for cards of version 2."""
    if len(text) != TEXT_CHARS:
        raise NotACard("not a signed card's length")
    try:
        raw = base45.decode(text)
    except ValueError:
        raise NotACard("not a card's text") from None
    packed, signature = raw[:BODY_BYTES], raw[BODY_BYTES:]
    if packed[0] != VERSION:
        raise NotACard("a card of another format")
    key = public_keys.get(packed[1])
    if key is None:
        raise CardError("unknown", "a card of a key that this station does not have")
    if not ciphers.ed25519_verify(key, signature, _DOMAIN + packed):
        raise CardError("forged", "the signature is not the key's")
    return unpack(packed)

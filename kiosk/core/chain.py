"""The hash chain over a ledger's entries.

Invariant: who knows ``hash(n)`` can prove every body 1..n, in their order, and nothing else.

``digest(n) = SHA-256(body(n))``, ``hash(n) = SHA-256("kiosk-ledger-v1" || hash(n-1) ||
digest(n))``, ``hash(0)`` is 32 zero bytes. The chain runs over digests, not bodies, so that a body
may be thinned away later and the chain still verifies. The fixed lengths (15, 32, 32 bytes) leave
no two ways to read what was hashed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

HASH_BYTES = 32
SALT_BYTES = 16
PSEUDONYM_BYTES = 16
ZERO = bytes(HASH_BYTES)
"""``hash(0)``: what stands before the first entry."""

_DOMAIN = b"kiosk-ledger-v1"


def digest(body: bytes) -> bytes:
    """SHA-256 of one canonical body."""
    return hashlib.sha256(body).digest()


def link(prev: bytes, digest: bytes) -> bytes:
    """The hash that follows ``prev`` when an entry with ``digest`` is added; both 32 bytes."""
    if len(prev) != HASH_BYTES or len(digest) != HASH_BYTES:
        raise ValueError("a link needs two hashes of 32 bytes")
    return hashlib.sha256(_DOMAIN + prev + digest).digest()


def link_all(prev: bytes, digests: Iterable[bytes]) -> list[bytes]:
    """The hashes of consecutive entries after ``prev``, oldest first."""
    hashes = []
    for each in digests:
        prev = link(prev, each)
        hashes.append(prev)
    return hashes


def head_after(prev: bytes, digests: Iterable[bytes]) -> bytes:
    """The last of ``link_all``, ``prev`` where there are none: for long runs, which pay for each step."""
    sha256, domain = hashlib.sha256, _DOMAIN
    for each in digests:
        if len(each) != HASH_BYTES:
            raise ValueError("a link needs two hashes of 32 bytes")
        prev = sha256(domain + prev + each).digest()
    return prev


def seal(salt: bytes, pseudonym: bytes) -> bytes:
    """What stands in an entry for a pseudonym: ``SHA-256(salt || pseudonym)``, 16 bytes each."""
    if len(salt) != SALT_BYTES or len(pseudonym) != PSEUDONYM_BYTES:
        raise ValueError("a seal needs a salt and a pseudonym of 16 bytes")
    return hashlib.sha256(salt + pseudonym).digest()

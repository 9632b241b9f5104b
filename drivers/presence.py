"""When a card counts as shown: held still it is one reading, held again after leaving another."""

from __future__ import annotations

import hashlib
import os

AWAY_MS = 1_500
"""Out of sight for so long, a card has left; a shorter gap is a hand that trembles."""
MAX_CARDS = 16
"""Cards remembered at once; the one longest out of sight goes first."""
_SALT = os.urandom(32)
"""Another one in each life of the process, and nowhere but here."""


def hidden(key: bytes) -> bytes:
    """What may be remembered of a token."""
    return hashlib.blake2b(key, key=_SALT, digest_size=16).digest()


class Presence:
    """Remembers what was in sight when. Keys may be tokens: a salted hash of each is remembered.

    ``away_ms`` 1,500 suits a reader that looks many times a second. One that says a card's text only
    now and then (a scanner module) needs more than the time between two of its words.
    """

    __slots__ = ("_away_ms", "_last_ms")

    def __init__(self, away_ms: int = AWAY_MS) -> None:
        self._away_ms = away_ms
        self._last_ms: dict[bytes, int] = {}

    def is_new(self, key: bytes, t_ms: int) -> bool:
        """Note that ``key`` is in sight; whether a new presentation began with it."""
        key = hidden(key)
        last_ms = self._last_ms.pop(key, None)
        if len(self._last_ms) >= MAX_CARDS:
            del self._last_ms[next(iter(self._last_ms))]
        self._last_ms[key] = t_ms
        return last_ms is None or t_ms - last_ms >= self._away_ms

    def is_here(self, key: bytes, t_ms: int) -> bool:
        """Whether ``key`` would be the same presentation still. Notes nothing."""
        last_ms = self._last_ms.get(hidden(key))
        return last_ms is not None and t_ms - last_ms < self._away_ms

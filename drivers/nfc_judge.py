"""What an NFC reader tells of the card before it: once a presentation, and nothing in doubt.

Invariant: a chip that can prove itself is never taken at its bare number. Where its message is of the
town's form and does not hold, or cannot be read to its end, the card is refused, not "identified".

A chip of a fixed UID is read once a presentation. One with a random UID is read at each look, since
only its message tells two of them apart; its counter is noted once a presentation all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from drivers import ndef
from drivers.pn532 import Target
from drivers.presence import AWAY_MS, Presence, hidden
from kiosk.core.cards import CardDesk, CardError, is_random_uid
from kiosk.core.events import CardRefused, CardSeen, RefusalReason

UNREAD_TRIES = 3
"""A card on its way to the reader, or from it, is out of reach once or twice."""
FORGED_TRIES = 2
"""The line to the chip has a sum of 8 bits: one message that does not hold may be the line's."""


class Unread:
    """The card's message could not be read to its end."""


UNREAD: Final = Unread()


class NfcJudge:
    """``today`` the local day (days since 1970-01-01), None while it is not known. One thread's."""

    def __init__(self, desk: CardDesk, today: Callable[[], int | None]) -> None:
        self._desk = desk
        self._today = today
        self._presence = Presence()
        self._doubted = (b"", 0, 0)

    def wants_message(self, target: Target) -> bool:
        """Whether the card may have a message that proves it."""
        return target.iso_dep and self._desk.takes_sun

    def still_here(self, target: Target, t_ms: int) -> bool:
        """Whether everything has been said of this card; notes that it is there."""
        if self.wants_message(target) and is_random_uid(target.uid):
            return False
        key = key_of(target)
        return self._presence.is_here(key, t_ms) and not self._presence.is_new(key, t_ms)

    def tell(
        self, target: Target, message: bytes | Unread | None, t_ms: int
    ) -> CardSeen | CardRefused | None:
        """``message`` the card's NDEF message, None where it keeps none or was not asked."""
        key = key_of(target)
        if isinstance(message, Unread):
            return self._doubt(key, t_ms, "unread", UNREAD_TRIES)
        try:
            url = None if message is None else ndef.uri(message)
            proved = None if url is None else self._desk.open_sun(url, uid=target.uid)
        except ndef.NdefError:
            return self._doubt(key, t_ms, "unread", UNREAD_TRIES)
        except CardError as error:
            return self._doubt(key, t_ms, error.reason, FORGED_TRIES)
        if proved is not None and is_random_uid(target.uid):
            key = b"sun:" + proved.uid
        if not self._presence.is_new(key, t_ms):
            return None
        if proved is not None:
            return self._desk.identify_sun(proved, t_ms=t_ms, day=self._today())
        if target.modulation == "b":
            return CardRefused(t_ms, "nfc", "random")
        return self._desk.identify_nfc(target.uid, t_ms=t_ms)

    def _doubt(
        self, key: bytes, t_ms: int, reason: RefusalReason, tries: int
    ) -> CardRefused | None:
        """Refused when it has been so often enough in one presentation."""
        last, last_ms, count = self._doubted
        count = count + 1 if last == hidden(key) and t_ms - last_ms < AWAY_MS else 1
        self._doubted = (hidden(key), t_ms, count)
        if count < tries or not self._presence.is_new(key, t_ms):
            return None
        return CardRefused(t_ms, "nfc", reason)


def key_of(target: Target) -> bytes:
    """What makes two answers the same card: a telephone has a new number at each of them."""
    uid = b"random" if is_random_uid(target.uid) else target.uid
    return target.modulation.encode() + b":" + uid

"""The desk: where what a reader read becomes an event.

Invariant: a raw token (QR text, UID) goes in and never comes out: not in a result, an error, a log
line or a ``repr``. What leaves is a pseudonym, or the bare reason of a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.core.cards import token
from kiosk.core.cards.knowledge import NO_HOLDERS, NO_LISTS, Holders, Lists
from kiosk.core.cards.names import UID_BYTES, Scheme, is_random_uid, pseudonym
from kiosk.core.cards.sun import Sun, SunMessage
from kiosk.core.cards.token import KEY_BYTES, CardError
from kiosk.core.events import CardRefused, CardSeen


class CardDesk:
    """Turns what a reader read into an event. Immutable; readers' threads may share one.

    ``card_keys`` key id to key: several are valid at once while cards are renewed. ``uids`` whether a
    chip's bare number counts as a card: it identifies and proves nothing. ``sun`` what chips prove
    themselves by, None where the town has no such chips.
    """

    __slots__ = ("_card_keys", "_holders", "_lists", "_pseudonym_key", "_sun", "_uids")

    def __init__(
        self,
        card_keys: Mapping[int, bytes],
        pseudonym_key: bytes,
        *,
        lists: Lists = NO_LISTS,
        holders: Holders = NO_HOLDERS,
        uids: bool = True,
        sun: Sun | None = None,
    ) -> None:
        if any(len(key) != KEY_BYTES for key in (*card_keys.values(), pseudonym_key)):
            raise ValueError(f"card and pseudonym keys have {KEY_BYTES} bytes")
        self._card_keys = dict(card_keys)
        self._pseudonym_key = pseudonym_key
        self._lists = lists
        self._holders = holders
        self._uids = uids
        self._sun = sun

    def identify_qr(self, text: bytes, *, t_ms: int, day: int | None) -> CardSeen | CardRefused:
        """``text`` any bytes of a QR code; ``day`` the local day (days since 1970-01-01), None
        while the clock is not known: then nothing counts as expired, for a station without a clock
        still serves."""
        try:
            body = token.check(text, self._card_keys)
        except CardError as error:
            return CardRefused(t_ms, "qr", error.reason)
        if day is not None and day > body.last_day:
            return CardRefused(t_ms, "qr", "expired")
        return self._admit("qr", body.random_id, t_ms, proves=True)

    def identify_nfc(self, uid: bytes, *, t_ms: int) -> CardSeen | CardRefused:
        """``uid`` a type A UID or a FeliCa IDm."""
        if is_random_uid(uid):
            return CardRefused(t_ms, "nfc", "random")
        if len(uid) not in UID_BYTES or not self._uids:
            return CardRefused(t_ms, "nfc", "unknown")
        return self._admit("nfc", uid, t_ms, proves=False)

    @property
    def takes_sun(self) -> bool:
        """Whether a chip's message is worth reading."""
        return self._sun is not None

    def open_sun(self, url: bytes, *, uid: bytes) -> SunMessage | None:
        """What a chip's ``url`` proves, ``uid`` as its anticollision told it; None where it is no message
        of the town's form. Counts nothing. Raises CardError ``forged``."""
        return None if self._sun is None else self._sun.open(url, uid)

    def identify_sun(
        self, proved: SunMessage, *, t_ms: int, day: int | None
    ) -> CardSeen | CardRefused:
        """Once a presentation: a message counted before is refused. ``day`` as in ``identify_qr``."""
        assert self._sun is not None, "nothing is proved without keys"
        if day is not None and proved.last_day is not None and day > proved.last_day:
            return CardRefused(t_ms, "nfc", "expired")
        outcome = self._admit("sun", proved.uid, t_ms, proves=True)
        if isinstance(outcome, CardRefused):
            return outcome
        name = pseudonym(self._pseudonym_key, "sun", proved.uid)
        count = self._sun.counters.count(name, proved.counter)
        return outcome if count == "fresh" else CardRefused(t_ms, "nfc", count)

    def _admit(
        self, scheme: Scheme, identifier: bytes, t_ms: int, *, proves: bool
    ) -> CardSeen | CardRefused:
        by = "qr" if scheme == "qr" else "nfc"
        name = pseudonym(self._pseudonym_key, scheme, identifier)
        standing = self._lists.standing(name)
        if standing != "good":
            return CardRefused(t_ms, by, standing)
        return CardSeen(t_ms, self._holders.account(name), by, proves)

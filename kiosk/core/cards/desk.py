"""The desk: where what a reader read becomes an event.

Invariant: a raw token (QR text, UID) goes in and never comes out: not in a result, an error, a log
line or a ``repr``. What leaves is a pseudonym, or the bare reason of a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kiosk.core.cards import signed, token
from kiosk.core.cards.ciphers import Ciphers
from kiosk.core.cards.foreign import Pattern
from kiosk.core.cards.knowledge import NO_HOLDERS, NO_LISTS, Holders, Lists, Standing
from kiosk.core.cards.names import (
    UID_BYTES,
    Names,
    Scheme,
    foreign_id,
    is_random_uid,
    pseudonym,
)
from kiosk.core.cards.token import KEY_BYTES, CardBody, CardError, NotACard
from kiosk.core.events import CardRefused, CardSeen

_NONE: Mapping[int, bytes] = MappingProxyType({})
_NO_FOREIGN: Mapping[str, Pattern] = MappingProxyType({})


class CardDesk:
    """Turns what a reader read into an event. Immutable; readers' threads may share one.

    ``card_keys`` key id to key: several are valid at once while cards are renewed. ``former_key`` the
    pseudonym key before the one in force, while both are valid: a card that is closed under either name is
    closed, and the rules learn both. ``public_keys`` key id to key of signed cards, which need ``ciphers``.
    ``foreign`` somebody else's codes by their name here; ``uids`` whether a chip's bare number counts as a
    card. Both identify and prove nothing.
    """

    __slots__ = (
        "_card_keys",
        "_ciphers",
        "_foreign",
        "_former_key",
        "_holders",
        "_lists",
        "_pseudonym_key",
        "_public_keys",
        "_uids",
    )

    def __init__(
        self,
        card_keys: Mapping[int, bytes],
        pseudonym_key: bytes,
        *,
        former_key: bytes | None = None,
        public_keys: Mapping[int, bytes] = _NONE,
        ciphers: Ciphers | None = None,
        foreign: Mapping[str, Pattern] = _NO_FOREIGN,
        lists: Lists = NO_LISTS,
        holders: Holders = NO_HOLDERS,
        uids: bool = True,
    ) -> None:
        former = () if former_key is None else (former_key,)
        keys = (*card_keys.values(), *public_keys.values(), pseudonym_key, *former)
        if any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"every key of cards has {KEY_BYTES} bytes")
        if public_keys and ciphers is None:
            raise ValueError("signed cards need ciphers")
        self._public_keys = dict(public_keys)
        self._ciphers = ciphers
        self._foreign = dict(foreign)
        self._card_keys = dict(card_keys)
        self._pseudonym_key = pseudonym_key
        self._former_key = former_key
        self._lists = lists
        self._holders = holders
        self._uids = uids

    def identify_qr(self, text: bytes, *, t_ms: int, day: int | None) -> CardSeen | CardRefused:
        """``text`` any bytes of a QR code; ``day`` the local day (days since 1970-01-01), None
        while the clock is not known: then nothing counts as expired, for a station without a clock
        still serves."""
        try:
            body = self._body(text)
        except NotACard:
            return self._identify_foreign(text, t_ms)
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

    def _body(self, text: bytes) -> CardBody:
        """What the town's card says. Raises CardError."""
        if self._ciphers is not None and len(text) == signed.TEXT_CHARS:
            return signed.check(text, self._public_keys, self._ciphers)
        return token.check(text, self._card_keys)

    def _identify_foreign(self, code: bytes, t_ms: int) -> CardSeen | CardRefused:
        for name, pattern in self._foreign.items():
            if pattern.matches(code):
                return self._admit("foreign", foreign_id(name, code), t_ms, proves=False)
        return CardRefused(t_ms, "qr", "unknown")

    def _names(self, scheme: Scheme, identifier: bytes) -> Names:
        former = self._former_key
        return Names(
            pseudonym(self._pseudonym_key, scheme, identifier),
            None if former is None else pseudonym(former, scheme, identifier),
        )

    def _admit(
        self, scheme: Scheme, identifier: bytes, t_ms: int, *, proves: bool
    ) -> CardSeen | CardRefused:
        names = self._names(scheme, identifier)
        standing = self._standing(names)
        if standing != "good":
            return CardRefused(t_ms, scheme, standing)
        account, formerly = self._holders.account(names.now), None
        if names.formerly is not None:
            formerly = self._holders.account(names.formerly)
        return CardSeen(
            t_ms,
            account,
            scheme,
            proves,
            card=None if account == names.now else names.now,
            formerly=None if formerly == account else formerly,
        )

    def _standing(self, names: Names) -> Standing:
        """Closed under either name is closed; of an allow list one name is enough."""
        found = [self._lists.standing(name) for name in names.all]
        for first in ("closed", "good"):
            if first in found:
                return first
        return found[0]

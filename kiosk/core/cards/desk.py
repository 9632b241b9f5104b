"""The desk: where what a reader read becomes an event.

Invariant: a raw token (QR text, UID) goes in and never comes out: not in a result, an error, a log
line or a ``repr``. What leaves is a pseudonym, or the bare reason of a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kiosk.core.cards import recovery, signed, token
from kiosk.core.cards.ciphers import Ciphers
from kiosk.core.cards.foreign import Pattern
from kiosk.core.cards.knowledge import (
    NO_CARETAKERS,
    NO_HOLDERS,
    NO_LISTS,
    Caretakers,
    Holders,
    Lists,
    Standing,
)
from kiosk.core.cards.names import (
    UID_BYTES,
    Names,
    Scheme,
    foreign_id,
    is_random_uid,
    pseudonym,
)
from kiosk.core.cards.sun import Sun, SunMessage
from kiosk.core.cards.token import KEY_BYTES, CardBody, CardError, NotACard
from kiosk.core.errors import OperatorError
from kiosk.core.events import CardRefused, CardSeen, SlipSeen

_NONE: Mapping[int, bytes] = MappingProxyType({})
_NO_FOREIGN: Mapping[str, Pattern] = MappingProxyType({})


class CardDesk:
    """Turns what a reader read into an event. Immutable; readers' threads may share one.

    ``card_keys`` key id to key: several are valid at once while cards are renewed. ``former_key`` the
    pseudonym key before the one in force, while both are valid: a card that is closed under either name is
    closed, and the rules learn both. ``public_keys`` key id to key of signed cards, which need ``ciphers``.
    ``foreign`` somebody else's codes by their name here; ``uids`` whether a chip's bare number counts as a
    card. Both identify and prove nothing. ``sun`` what chips prove themselves by, None where the town
    has no such chips.
    """

    __slots__ = (
        "_card_keys",
        "_caretakers",
        "_ciphers",
        "_foreign",
        "_former_key",
        "_holders",
        "_lists",
        "_pseudonym_key",
        "_public_keys",
        "_sun",
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
        caretakers: Caretakers = NO_CARETAKERS,
        uids: bool = True,
        sun: Sun | None = None,
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
        self._caretakers = caretakers
        self._uids = uids
        self._sun = sun

    def identify_qr(
        self, text: bytes, *, t_ms: int, day: int | None
    ) -> CardSeen | CardRefused | SlipSeen:
        """``text`` any bytes of a QR code; ``day`` the local day (days since 1970-01-01), None
        while the clock is not known: then nothing counts as expired, for a station without a clock
        still serves."""
        slip = self._slip(text, t_ms)
        if slip is not None:
            return slip
        try:
            body = self._body(text)
        except NotACard:
            return self._identify_foreign(text, t_ms)
        except CardError as error:
            return CardRefused(t_ms, "qr", error.reason)
        if day is not None and day > body.last_day:
            return CardRefused(t_ms, "qr", "expired")
        return self._admit("qr", body.random_id, t_ms, proves=True, body=body)

    def own_name(self, text: bytes) -> bytes:
        """The pseudonym of a town's card, expired or not, under the key in force. Raises CardError."""
        return self._names("qr", self._body(text).random_id).now

    def recover(self, typed: str, *, t_ms: int) -> SlipSeen:
        """``typed`` a recovery code. Raises OperatorError as ``recovery.parse`` does."""
        former = () if self._former_key is None else (self._former_key,)
        keys = (*self._card_keys.values(), self._pseudonym_key, *former)
        found = recovery.parse(typed, keys)
        names = self._names("qr", found.random_id)
        account = self._joined(names) or self._names("qr", found.account_id)
        return SlipSeen(
            t_ms,
            card=names.now,
            # While the key is being changed what was earned may still stand under the old name alone.
            account=account.formerly or account.now,
            closed=self._standing(names, proves=True) == "closed",
        )

    def _slip(self, text: bytes, t_ms: int) -> SlipSeen | None:
        """A recovery code held before the camera; None for anything else."""
        if len(text) != recovery.CHARS:
            return None
        try:
            return self.recover(text.decode("ascii"), t_ms=t_ms)
        except (OperatorError, UnicodeDecodeError):
            return None

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
        for name in self._names("sun", proved.uid).all:
            count = self._sun.counters.count(name, proved.counter)
            if count != "fresh":
                return CardRefused(t_ms, "nfc", count)
        return outcome

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
        self,
        scheme: Scheme,
        identifier: bytes,
        t_ms: int,
        *,
        proves: bool,
        body: CardBody | None = None,
    ) -> CardSeen | CardRefused:
        """``body`` what a town's card says of itself beside its id."""
        by = "nfc" if scheme == "sun" else scheme
        names = self._names(scheme, identifier)
        standing = self._standing(names, proves=proves)
        if standing != "good":
            return CardRefused(t_ms, by, standing)
        joined = self._joined(names)
        if joined is not None:
            account = joined
        elif body is not None and body.household:
            account = self._names(scheme, body.account_id)
        else:
            account = names
        held = [self._holders.holding(name) == "held" for name in names.all]
        return CardSeen(
            t_ms,
            account.now,
            by,
            proves,
            card=None if account.now == names.now else names.now,
            formerly=account.formerly,
            spare=body is not None and body.spare and not any(held),
            renamed=any(held) and not held[0],
            caretaker=proves and self._caretakers.knows(names.all),
        )

    def _joined(self, names: Names) -> Names | None:
        """The account that a card was joined to, under one or both of its names."""
        found = [self._holders.account(name) for name in names.all]
        accounts = [account for account in found if account is not None]
        if not accounts:
            return None
        now, last = accounts[0], accounts[-1]
        return Names(now, None if last == now else last)

    def _standing(self, names: Names, *, proves: bool) -> Standing:
        """Closed under either name is closed; of an allow list one name is enough."""
        found = [self._lists.standing(name, proves=proves) for name in names.all]
        for first in ("closed", "good"):
            if first in found:
                return first
        return found[0]

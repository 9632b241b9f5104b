"""The control socket's ``caretaker_…``: whose cards open the caretaker's corner, and its number.

Whoever may speak to the socket has the rights. A card is appointed at the reader, so that its token passes
no keyboard; the number comes in here and goes no further than its hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kiosk.answers import Answers
from kiosk.cards.caretakers import CaretakerCards
from kiosk.cards.pin import CornerNumber
from kiosk.cards.work import Stream, show, worked
from kiosk.control.ledger_ops import Args, checked_args
from kiosk.control.server import Handler
from kiosk.core.days import date_of
from kiosk.core.moment import Moment


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int


class _Digits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    digits: str | None

    def __repr__(self) -> str:
        return "_Digits"


class CaretakerOps:
    """``now`` the station's clock; ``wait_ms`` how long a card is waited for."""

    def __init__(
        self,
        answers: Answers,
        cards: CaretakerCards,
        number: CornerNumber,
        now: Callable[[], Moment],
        wait_ms: int,
    ) -> None:
        self._answers = answers
        self._cards = cards
        self._number = number
        self._now = now
        self._wait_ms = wait_ms

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "caretaker_list": self._list,
            "caretaker_remove": self._remove,
            "caretaker_number": self._set_number,
        }

    def add(self, args: Args) -> Stream:
        """The next card shown becomes a caretaker's."""
        checked_args(args, _Nothing)
        yield show("any", self._wait_ms)
        answered = yield from worked(self._answers, "appoint", self._wait_ms)
        assert answered.card is not None, "appointed without a card"
        made = self._cards.add(answered.card, self._today())
        yield {"done": True, "number": made.number}

    def _list(self, args: Args) -> dict[str, Any]:
        checked_args(args, _Nothing)
        cards = [{"number": one.number, "day": one.day} for one in self._cards.all()]
        return {"cards": cards, "number_set": self._number.is_set}

    def _remove(self, args: Args) -> dict[str, Any]:
        asked = checked_args(args, _Card)
        self._cards.remove(asked.number)
        return {"number": asked.number}

    def _set_number(self, args: Args) -> dict[str, Any]:
        digits = checked_args(args, _Digits).digits
        if digits is None:
            self._number.remove()
        else:
            self._number.set(digits)
        return {"number_set": digits is not None}

    def _today(self) -> str:
        now = self._now()
        if now.clock != "synced":
            return "-"
        return date_of(now.day).isoformat()

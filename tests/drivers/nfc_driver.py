"""The station's NFC driver on a line in memory, with its clock and its port taken from there."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import AbstractContextManager
from types import SimpleNamespace, TracebackType
from typing import Any
from unittest.mock import patch

from nfc_site import ACK, CARDS, Card, Hang, Line, damaged, reply

from drivers import pn532, pn532_pump
from drivers.presence import AWAY_MS
from kiosk.core.cards import CardDesk, pseudonym
from kiosk.core.errors import DeviceError
from kiosk.core.events import CardSeen, Event

KEY = bytes(range(32, 64))


class Station(AbstractContextManager["Station"]):
    """``Pn532Reader`` as it is; only the port it opens and the clock it reads are the line's."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.lost = 0
        self._events: list[Event] = []
        self._reader = pn532_pump.Pn532Reader(
            "reader:nfc", "memory", CardDesk({}, KEY), lambda: None
        )
        self._reader._post = self._events.append
        self._patches: list[Any] = [
            patch.object(pn532_pump, "serial", SimpleNamespace(Serial=lambda *_, **__: line)),
            patch.object(pn532_pump, "boottime_ms", lambda: round(line.now_s * 1000)),
            patch.object(self._reader, "rest", lambda _seconds: None),
        ]

    def __enter__(self) -> Station:
        for one in self._patches:
            one.start()
        self._reader.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self._patches:
            one.stop()

    def look_once(self, card: Card) -> bytes | None:
        """What one answer says: the driver's own exchange and parser, without its second look."""
        kind, reader = pn532_pump.ROUND[card.modulation], self._reader
        try:
            target = kind.parse(reader._exchange(pn532.IN_LIST_PASSIVE_TARGET, kind.request))
        except (pn532.GarbledError, TimeoutError):
            reader._begin_anew()
            return None
        return None if target is None else target.uid

    def present(self, card: Card) -> list[bool]:
        """One look of the driver for such cards, a while after the last; for each that it told of, whether
        it was this one."""
        self._line.pass_s(AWAY_MS / 1000)
        self._line.begin()
        self._events.clear()
        try:
            self._reader._look(pn532_pump.ROUND[card.modulation])
        except DeviceError:  # as its thread would: let go, take hold again
            self.lost += 1
            self._reader.close()
            self._reader.open()
        true = pseudonym(KEY, "nfc", card.uid)
        return [one.pseudonym == true for one in self._events if isinstance(one, CardSeen)]


class Talk:
    """Cards shown to the driver one after another, over a line that damages two answers of three, half of
    those so that their sum still holds."""

    def __init__(self, line: Line, driver: Station, dice: random.Random) -> None:
        self._line = line
        self._driver = driver
        self._dice = dice
        self.counts: Counter[str] = Counter()

    def round(self) -> None:
        """One card, one round of the driver."""
        card, dice = self._dice.choice(CARDS), self._dice

        def speak(asked: bytes) -> bytes:
            answer = card.answers(asked)
            if asked[1] != card.modulation or dice.random() < 1 / 3:
                return ACK + reply(0x4A, answer)
            self.counts["answers"] += 1
            kind = "balanced change" if dice.random() < 1 / 2 else None
            return damaged(answer, dice, kind)[1]

        self._line.card = speak
        self.counts["rounds"] += 1
        try:
            for right in self._driver.present(card):
                self.counts["right" if right else "wrong"] += 1
        except Hang:
            self.counts["hang"] += 1

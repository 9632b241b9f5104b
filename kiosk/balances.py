"""The city's answers on balances, taken in: proven, and handed to the rules, which know whether somebody
still waits (``kiosk.core.balances``). None is kept, and no log says that one came."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.commands import LOG_MS, RefusedCommand
from kiosk.core.events import BalanceTold, Event, Moment
from kiosk.words import Verdict
from sync.messages import Malformed
from sync.messages.points import TOPIC, read_balance

if TYPE_CHECKING:
    from kiosk.cards.list_files import City

LOG = logging.getLogger("kiosk.balances")


class Balances:
    """Takes what comes on ``points``, where the town lets residents ask."""

    def __init__(
        self,
        station: str,
        *,
        city: City | None,
        wanted: bool,
        now: Callable[[], Moment],
        post: Callable[[Event], None],
    ) -> None:
        """``wanted`` whether residents may ask; ``city`` None: nobody's word can be believed."""
        self._station = station
        self._city = city
        self._wanted = wanted
        self._now = now
        self._post = post
        self.refused: RefusedCommand | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        return (TOPIC,) if self._wanted and self._city is not None else ()

    def takes(self, topic: str) -> bool:
        return topic == TOPIC

    def accept(self, topic: str, payload: bytes) -> Verdict:
        """One answer."""
        if self._city is None or topic not in self.topics:
            return Verdict("not_asked")
        now_ms = self._now().boot_ms
        try:
            told = read_balance(payload, self._city.name, self._station, self._city.key)
        except Malformed as malformed:
            last = self.refused
            if last is None or now_ms - last.t_ms >= LOG_MS:
                LOG.warning("a balance was refused: %s", malformed.code)
            self.refused = RefusedCommand(malformed.code, now_ms)
            return Verdict(malformed.code)
        self._post(BalanceTold(now_ms, told.ask, told.points))
        return Verdict(None)

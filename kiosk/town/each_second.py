"""The main thread's look at the city's catalogue and tariff: the rules and the screen are told."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

from kiosk.core.events import Event, Moment
from kiosk.loop import posted
from kiosk.town.town import Town

if TYPE_CHECKING:
    from kiosk.screen import ScreenServer
    from kiosk.settings import Settings


class EachSecond:
    """Called every second or so, on the main thread only."""

    def __init__(
        self, settings: Settings, town: Town, screen: ScreenServer, inbox: queue.Queue[Event]
    ) -> None:
        self._settings, self._town, self._screen, self._inbox = settings, town, screen, inbox
        self._shown = town.catalogue
        self._said: Event | None = None  # what the rules have not been told: the inbox was full

    def __call__(self, now: Moment) -> None:
        if self._said is None:
            self._said = self._town.tick(now)
        if self._said is not None and posted(self._inbox, self._said):
            self._said = None
        if self._town.catalogue is not self._shown:
            from kiosk.screen import station_setup

            self._shown = self._town.catalogue
            self._screen.renew(station_setup(self._settings, self._shown))

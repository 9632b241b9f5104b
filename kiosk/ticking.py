"""What the main thread looks at after each event: the watchdog, clock and link, seals that are due."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kiosk.clock import clock_quality
from kiosk.core.errors import StorageError
from kiosk.core.events import ClockKnown, Event, LinkChanged, Moment
from kiosk.loop import posted
from sync.notify import notify

if TYPE_CHECKING:
    from kiosk.gathering import Gathering
    from kiosk.ledger import Ledger

LOG = logging.getLogger("kiosk")

FRESH_MS = 10_000
"""A thread that shows no sign of life for so long starves the watchdog."""
WATCHDOG_MS = 2_000
CLOCK_MS = 1_000


class EachTick:
    """Called on the main thread only."""

    def __init__(
        self,
        link_days: Callable[[], int],
        ledger: Ledger,
        facts: Gathering,
        inbox: queue.Queue[Event],
        *,
        beats_ms: Callable[[], Sequence[int]],
        ticked: Sequence[Callable[[Moment], None]],
    ) -> None:
        """``link_days`` for how long a weighing stays linked to its check-in; ``beats_ms`` the threads'
        last signs of life; ``ticked`` is called every second."""
        self._link_days = link_days
        self._ledger = ledger
        self._facts = facts
        self._inbox = inbox
        self._beats_ms = beats_ms
        self._ticked = ticked
        self._next_clock_ms = self._next_watchdog_ms = 0
        self._clock_known = self._online_told = False
        self._day: int | None = None

    def __call__(self, now: Moment) -> None:
        if now.boot_ms >= self._next_watchdog_ms:
            self._next_watchdog_ms = now.boot_ms + WATCHDOG_MS
            if now.boot_ms - min(self._beats_ms()) < FRESH_MS:
                notify("WATCHDOG=1")
        if now.boot_ms >= self._next_clock_ms:
            self._next_clock_ms = now.boot_ms + CLOCK_MS
            self._look_at_clock(now)
            self._look_at_link(now)
            for tick in self._ticked:
                tick(now)

    def _look_at_link(self, now: Moment) -> None:
        """For the screen: the uplink's word, and its silence."""
        link = self._facts.link()
        if link.online != self._online_told and posted(
            self._inbox, LinkChanged(now.boot_ms, link.online, link.code)
        ):
            self._online_told = link.online

    def _look_at_clock(self, now: Moment) -> None:
        quality, uncertainty_ms = clock_quality()
        if quality == "synced" and not self._clock_known:
            self._clock_known = posted(
                self._inbox, ClockKnown(now.boot_ms, now.utc_ms, uncertainty_ms, "ntp")
            )
        if now.clock == "synced" and now.day != self._day:
            days = self._link_days()
            try:
                if not self._ledger.forget_due(days):  # so many at a time; again until none is left
                    self._ledger.forget_ended(days)
                    self._day = now.day
            except StorageError as error:
                LOG.warning("seals could not be forgotten yet: %s", error)

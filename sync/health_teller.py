"""The station's health on its way to the city: on change, and once an hour."""

from __future__ import annotations

import logging
import time

import msgspec

from sync.messages import Health
from sync.station_desk import StationDesk
from sync.station_link import StationGone, StationRefused
from sync.uplink_events import StationDown

HEALTH_POLL_S = 60.0

log = logging.getLogger("kiosk.uplink")


class HealthTeller:
    """``every_s`` seconds between messages when nothing changes."""

    def __init__(self, desk: StationDesk, every_s: float) -> None:
        self._desk = desk
        self._every_s = every_s
        self._due_s = 0.0
        self._sent_s = 0.0
        self._said: tuple[object, ...] | None = None

    def hurry(self) -> None:
        """Another station, or another process of it: look at once."""
        self._due_s = 0.0

    def say_anew(self) -> None:
        """The city asked: look at once, and tell whatever is found."""
        self._said, self._due_s = None, 0.0

    @property
    def due(self) -> bool:
        """Whether ``look`` has something to do."""
        return time.monotonic() >= self._due_s

    def look(self) -> bytes | StationDown | None:
        """Ask the station; the message to publish when it changed, or when an hour is over."""
        now_s = time.monotonic()
        self._due_s = now_s + HEALTH_POLL_S
        try:
            health = msgspec.convert(self._desk.link().health(), Health)
        except StationGone as gone:
            return self._desk.lost(gone)
        except (StationRefused, msgspec.ValidationError) as error:
            log.warning("no health from the station: %s", error)
            return None
        said = (health.under_voltage, health.scales, health.readers)
        if said == self._said and now_s - self._sent_s < self._every_s:
            return None
        self._said, self._sent_s = said, now_s
        return msgspec.json.encode(health)

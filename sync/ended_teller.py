"""Ended ledgers' forgotten seals on their way to the city: one batch at a time, beside the ledger in use.

The station says what is to be told, the same again until the city's signed word on it; so here is nothing
but the wait between two tries, which doubles while nothing changes.
"""

from __future__ import annotations

import logging
import time

from sync.station_desk import StationDesk
from sync.station_link import StationGone, StationRefused
from sync.uplink_events import StationDown

AGAIN_S = 2.0
LIMIT_S = 3600.0
IDLE_S = 60.0
"""Between questions to the station while there is nothing; on the wire they are none."""

log = logging.getLogger("kiosk.uplink")


class EndedTeller:
    def __init__(self, desk: StationDesk) -> None:
        self._desk = desk
        self._due_s = 0.0
        self._wait_s = AGAIN_S
        self._sent: bytes | None = None

    def hurry(self) -> None:
        """Another connection, or another process of the station's: try at once."""
        self._due_s, self._wait_s = 0.0, AGAIN_S

    @property
    def due(self) -> bool:
        """Whether ``look`` has something to do."""
        return time.monotonic() >= self._due_s

    def look(self) -> bytes | StationDown | None:
        """Ask the station; the batch to publish."""
        try:
            batch = self._desk.link().ended()
        except StationGone as gone:
            return self._desk.lost(gone)
        except StationRefused as refused:  # an older station does not know the question
            log.info("no seals of ended ledgers from the station: %s", refused)
            batch = None
        if batch is None:
            self._sent, self._wait_s = None, min(IDLE_S, self._wait_s * 2)
        elif batch == self._sent:
            self._wait_s = min(LIMIT_S, self._wait_s * 2)
        else:
            self._sent, self._wait_s = batch, AGAIN_S
        self._due_s = time.monotonic() + self._wait_s
        return batch

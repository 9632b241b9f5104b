"""A running receiver says once in the log when a station needs a look, and once when no longer."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from sync.receiver.care import look
from sync.receiver.database import reading

LOOK_S = 600.0
LOGGED = frozenset(
    {
        "silent",
        "stuck",
        "station_down",
        "station_stalled",
        "gap",
        "fork",
        "thinned",
        "unopened",
        "not_forgotten",
    }
)
"""What is not in the log otherwise."""

log = logging.getLogger("kiosk.receiver")


class Watch:
    """Between two looks."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._due_s = 0.0
        self._said: set[tuple[str, str, str]] = set()

    def step(self, now_s: float, now_ms: int) -> None:
        """Look, if it is time; ``now_s`` monotonic."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        with reading(self._engine) as connection:
            found = {
                (care.city, care.station, finding.code): finding
                for care in look(connection, now_ms)
                for finding in care.findings
                if finding.code in LOGGED
            }
        for key in found.keys() - self._said:
            city, station, code = key
            log.warning("%s/%s: %s: %s", city, station, code, found[key].what)
        for city, station, code in self._said - found.keys():
            log.info("%s/%s: no longer %s", city, station, code)
        self._said = set(found)

"""The bounds of the uplink's waits, and what the settings say of them.

Every wait before trying again is drawn at random, so that a thousand stations do not return in step after a
broker's restart: after a lost connection as ``reconnecting`` says, after a refusal from the whole interval
up to a doubling bound ("full jitter").
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sync.link_codes import COSTLY, TWIN

WINDOW = 16
"""Batches published and not yet acknowledged by the city."""
ACK_TIMEOUT_MS = 10_000
"""Silence of the city after a batch before the uplink goes back; doubles while it lasts."""
ACK_TIMEOUT_LIMIT_MS = 300_000
PUBACK_TIMEOUT_MS = 20_000
"""A broker that stops sending PUBACKs is given up, even while it answers pings."""
CONNECT_TIMEOUT_MS = 20_000
"""A broker that takes the connection and never answers is given up."""
HOLD_BASE_MS = 4_000
HOLD_LIMIT_MS = 300_000
"""Bounds of the jittered wait after the city refused."""
GAP_REPEAT_MS = 5_000
"""The city tells a gap no more often; a second one sooner is a copy of the first."""
REFUSED_BASE_MS = 10_000
REFUSED_LIMIT_MS = 300_000
METERED_REFUSED_LIMIT_MS = 1_800_000
"""Bounds of the jittered wait after what people have to mend: each try is a handshake, some 4 kB with TLS,
and on a metered line half an hour between two is 200 kB a day."""
TWIN_MS = 600_000
"""A connection that lasted this long after another client took it over has no twin any more: the twin's own
bound is shorter."""
CUTS = 3
"""Connections that the broker took and soon ended in good order, without a reason and without having been
away in between: so it looks when another client has this station's name and the broker does not say so."""


class Flow(enum.Enum):
    """How batches go while the link is up."""

    SENDING = "a window of batches"
    PROBING = "one batch at a time, until there is progress"
    HELD = "none, until the wait is over"

    @property
    def window(self) -> int:
        """Batches that may wait for the city's word."""
        return {Flow.SENDING: WINDOW, Flow.PROBING: 1, Flow.HELD: 0}[self]


@dataclass(frozen=True, slots=True)
class Pace:
    """``gather_ms`` live entries wait for others; ``metered`` a line that is paid for by the byte."""

    gather_ms: int = 0
    metered: bool = False

    def refused_ms(self, code: str, tries: int) -> int | None:
        """The bound of the wait after so many refusals that a try costs something for; None for any other
        trouble. A twin's bound stays below TWIN_MS, or neither would ever be told of as gone."""
        if code not in COSTLY:
            return None
        rarely = self.metered and code not in TWIN
        limit_ms = METERED_REFUSED_LIMIT_MS if rarely else REFUSED_LIMIT_MS
        return doubled(REFUSED_BASE_MS, limit_ms, tries)


def doubled(base_ms: int, limit_ms: int, tries: int) -> int:
    """The bound after so many tries that failed."""
    return int(min(limit_ms, base_ms * 2 ** min(tries, 16)))


def past(due_ms: int | None, now_ms: int) -> bool:
    """Whether there is something due, and its time has come."""
    return due_ms is not None and now_ms >= due_ms

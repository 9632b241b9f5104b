"""A sink's process: takes the lease, delivers what is committed, moves the cursor.

The order is the promise, as in the receiver: the other end has a batch; then the cursor moves. Killed
between the two, the same comes again under the same ids. It reads beside the receivers and writes only
its own rows, so that no platform's trouble is ever in the way of storing.
"""

from __future__ import annotations

import logging
import random
import secrets
import time
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from sync.ending import Ending
from sync.notify import notify
from sync.receiver.database import reading
from sync.receiver.sinks import place
from sync.receiver.sinks.protocol import Aside, Away, Sink
from sync.receiver.sinks.reading import read, replaced

IDLE_S = 1.0
"""How often a quiet database is looked at: what is committed goes out within it."""
RETRY_BASE_S = 1.0
RETRY_LIMIT_S = 300.0
LONGEST_WORD_S = 3600.0
"""The longest Retry-After that is believed."""
SLICE_S = 0.2
"""Between looks at whether the process is asked to end."""

log = logging.getLogger("kiosk.sink")


class Follower:
    """One process of a sink. Any number may run side by side: one of them delivers."""

    def __init__(self, engine: sa.Engine, sink: Sink) -> None:
        self._engine = engine
        self._sink = sink
        self._holder = secrets.token_hex(8)
        self._after = ""
        self._failures = 0
        self._trouble: str | None = None
        self._lease_due_s = 0.0
        self._leads = False

    def run(self, ending: Ending) -> None:
        """Follow until asked to end."""
        notify("READY=1")
        try:
            while not ending.asked:
                notify("WATCHDOG=1")
                self._sleep(self.step(), ending)
        finally:
            notify("STOPPING=1")
            self._sink.close()
            if self._leads:
                self._let_go()

    def step(self) -> float:
        """One batch, if there is one; the seconds until the next step is worth while."""
        try:
            if not self._lease():
                return IDLE_S
            again = self._deliver()
        except place.LeaseLost:
            log.warning("%s: another process delivers now", self._sink.name)
            self._leads = False
            return IDLE_S
        except place.BegunAnew:
            return 0.0
        except Away as away:
            return self._away(away)
        except OperationalError as error:
            log.warning("%s: the database refuses: %s", self._sink.name, error.orig)
            return self._backoff()
        self._well()
        return 0.0 if again else IDLE_S

    def _lease(self) -> bool:
        if self._leads and time.monotonic() < self._lease_due_s:
            return True
        leads = place.take_lease(self._engine, self._sink.name, self._holder)
        if leads != self._leads:
            log.info("%s: %s", self._sink.name, "delivers" if leads else "another delivers")
        self._leads = leads
        self._lease_due_s = time.monotonic() + place.LEASE_S / 3
        return leads

    def _deliver(self) -> bool:
        """Whether there is more at once."""
        name = self._sink.name
        with reading(self._engine) as connection:
            other = replaced(connection, name)
            found = None if other else read(connection, name, self._after)
            if found is not None:
                place.require_room_aside(connection, name)
        if other:
            self._begin_anew(other)
            return True
        if found is None:
            return False
        aside = self._sink.deliver(found.batch)
        self._tell_aside(aside)
        place.moved(self._engine, name, self._holder, found.moves, aside)
        self._lease_due_s = time.monotonic() + place.LEASE_S / 3
        self._after = found.moves[-1].ledger
        return found.full

    def _begin_anew(self, ledgers: Sequence[str]) -> None:
        with self._engine.begin() as connection:
            for ledger in ledgers:
                log.warning("%s: ledger %s has another history: again", self._sink.name, ledger)
                place.begin_anew(connection, self._sink.name, ledger)

    def _tell_aside(self, aside: Sequence[Aside]) -> None:
        for one in aside:
            log.error(
                "%s: %s was refused and is set aside: %s", self._sink.name, one.subject, one.words
            )

    def _away(self, away: Away) -> float:
        if away.code != self._trouble:  # once when it goes, once when it is back
            log.warning("%s: %s", self._sink.name, away)
            self._trouble = away.code
        self._tell(away)
        return max(self._backoff(), min(away.retry_after_s, LONGEST_WORD_S))

    def _well(self) -> None:
        self._failures = 0
        if self._trouble is not None:
            log.info("%s: delivers again", self._sink.name)
            self._trouble = None

    def _tell(self, trouble: Away) -> None:
        try:
            place.tell(self._engine, self._sink.name, trouble)
        except OperationalError as error:
            log.warning("%s: the database refuses: %s", self._sink.name, error.orig)

    def _backoff(self) -> float:
        """Full jitter: many processes that lost the same platform come back spread out."""
        limit_s = min(RETRY_LIMIT_S, RETRY_BASE_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return random.random() * limit_s

    def _let_go(self) -> None:
        try:
            place.let_go(self._engine, self._sink.name, self._holder)
        except OperationalError as error:
            log.warning("%s: the lease ends by itself: %s", self._sink.name, error.orig)

    def _sleep(self, wait_s: float, ending: Ending) -> None:
        until_s = time.monotonic() + wait_s
        while not ending.asked and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(SLICE_S, left_s))
            notify("WATCHDOG=1")

"""Trouble with the database: whose fault it is, and waiting it out.

Theory. *Collided*: two receivers at the same rows (a deadlock, a lock that is not given up, twice the
same new row). The work is done again soon, at most COLLISIONS times; it finds what the other did.
*Unstorable*: the database takes everything but this message. Then the message is the trouble, and must
not end one receiver after the other. *Away*: everything else (no server, no disk, no rights). That is
for people, who hear it once, and hear once that it is over; until then the work is tried again for as
long as it takes: what is not stored is not acknowledged, so nothing is lost but time.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from sync.ending import Ending
from sync.notify import notify

COLLISIONS = 6
LONGEST_WAIT_S = 5.0
"""Between two tries while the database is away."""
LEAVE_S = 30.0
"""After so long the broker is left: another receiver may have a database."""
SLICE_S = 0.2

Fault = Literal["collided", "unstorable", "away"]

log = logging.getLogger("kiosk.receiver")

_Done = TypeVar("_Done")


class Unstorable(Exception):
    """The database takes everything but this; the text holds its words."""


class Ended(Exception):
    """Asked to end while the database is away."""


def fault_of(error: DBAPIError | OverflowError) -> Fault:
    """Whose fault it is (SQLSTATE: PostgreSQL manual, appendix A; SQLite has only the kind)."""
    if isinstance(error, OverflowError):
        return "unstorable"  # a number that the driver cannot hand over
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        data = type(error).__name__ == "DataError"
        return "collided" if isinstance(error, IntegrityError) else "unstorable" if data else "away"
    if state[:2] in ("40", "23") or state == "55P03":
        return "collided"
    return "unstorable" if state[:2] in ("22", "54") else "away"


class Patience:
    """Does work in transactions, until it is done."""

    def __init__(self, ending: Ending, leave: Callable[[], None]) -> None:
        self._ending = ending
        self._leave = leave
        self._away_s: float | None = None

    def done(self, work: Callable[[], _Done]) -> _Done:
        """What ``work`` gives. Raises Unstorable, and Ended when there is no time to wait."""
        collisions = tries = 0
        while True:
            try:
                result = work()
            except (DBAPIError, OverflowError) as error:
                fault = fault_of(error)
                if fault == "collided" and collisions < COLLISIONS:
                    collisions += 1
                    self._sleep(random.random() * 0.01 * 2**collisions)
                    continue
                if fault == "unstorable" or isinstance(error, IntegrityError):
                    raise Unstorable(_words(error)) from error
                self._gone(error)
                tries += 1
                self._sleep(random.random() * min(LONGEST_WAIT_S, 0.1 * 2 ** min(tries, 10)))
            else:
                self._back()
                return result

    def _gone(self, error: DBAPIError | OverflowError) -> None:
        now_s = time.monotonic()
        if self._away_s is None:
            self._away_s = now_s
            log.warning(
                "the database is away (%s): nothing is acknowledged until it is back", _words(error)
            )
            notify("STATUS=The database is away.")
        elif now_s - self._away_s > LEAVE_S:
            self._leave()

    def _back(self) -> None:
        if self._away_s is not None:
            log.info("the database is back after %.0f s", time.monotonic() - self._away_s)
            notify("STATUS=")
            self._away_s = None

    def _sleep(self, wait_s: float) -> None:
        until_s = time.monotonic() + wait_s
        while True:
            if self._ending.asked:
                raise Ended
            notify("WATCHDOG=1")
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(SLICE_S, left_s))


def _words(error: DBAPIError | OverflowError) -> str:
    """One line of the driver's, without what was to be stored."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return said.splitlines()[0].rstrip(".") if said else type(error).__name__

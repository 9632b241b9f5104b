"""What is told while a start reads the whole ledger, as the first one after some updates does.

A minute and a half for a million entries on a desk's machine, minutes on a Pi: systemd is asked for more
time as long as it goes on (and for none where it stands still), ``systemctl status`` and the log say how
far it is, and the screen asks for patience.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING

from sync.notify import notify

if TYPE_CHECKING:
    from kiosk.screen.waiting import WaitingPage

LOG = logging.getLogger("kiosk")
EXTEND_S = 60
"""From each sign of progress on, as long as TimeoutStartSec of the unit."""
LOGGED_EVERY = 100_000
"""Entries between two lines of the log."""


class Recounting:
    """Called with how many entries of how many are read; ends with the block."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._page: WaitingPage | None = None

    def __call__(self, done: int, whole: int) -> None:
        if self._page is None:
            # Slow to import, and nearly no start needs it.
            from kiosk.screen.waiting import WaitingPage

            self._page = WaitingPage(*self._address)
            self._page.start()
            LOG.info("the books are counted anew from %s entries, once", whole)
        elif done % LOGGED_EVERY == 0:
            LOG.info("%s of %s entries are counted", done, whole)
        status = f"STATUS=The books are counted anew: {done} of {whole} entries."
        notify(f"EXTEND_TIMEOUT_USEC={EXTEND_S * 1_000_000}\n{status}")

    def __enter__(self) -> Recounting:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._page is not None:
            self._page.stop()
            notify("STATUS=")

"""Asked to end: SIGTERM, Ctrl-C and a closed terminal, heard without a lock.

Invariant: however many of them come, and whenever, a process of ours ends in its own order and with
its own exit code.

Theory. A handler runs between any two steps of the main thread, also within another handler.
``threading.Event.set`` and ``Queue.put`` take locks that are not reentrant: two quick signals in there
wait for each other for ever. So a handler here only notes; each main loop looks, and none of them
sleeps longer than half a second. At the very end Python gives the signals back to the kernel, which
would kill: from then on they are ignored.
"""

from __future__ import annotations

import atexit
import signal
import time

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ONE_WISH_S = 1.0
"""``make`` and a shell hand on what the process group has heard already: that is the same wish."""


class Ending:
    """Whether this process was asked to end. ``heed`` must be called on the main thread."""

    def __init__(self) -> None:
        self.asked = False
        self.insisted = False
        """Asked again, later: somebody does not want to wait for the good order."""
        self._first_s = 0.0

    def heed(self) -> None:
        """From now on signals are noted instead of killing."""
        for number in NUMBERS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # started with nohup: the terminal is to be outlived
            signal.signal(number, self._note)
        atexit.register(_ignore)

    def _note(self, _number: int, _frame: object) -> None:
        now_s = time.monotonic()
        if not self.asked:
            self._first_s = now_s
            self.asked = True
        elif now_s - self._first_s > ONE_WISH_S:
            self.insisted = True


def _ignore() -> None:
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)

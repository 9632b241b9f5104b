"""A thread that looks, again and again, whether there is something new to show.

Nothing waits for it: a weighing takes no notice of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

LOOK_S = 5.0
STOP_S = 2.0


class Looking:
    """Calls ``look`` every ``LOOK_S`` from ``start`` to ``stop``."""

    def __init__(self, name: str, look: Callable[[], object]) -> None:
        self._look = look
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when no look is under way, after ``STOP_S`` at the latest."""
        self._ending.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._look()
            self._ending.wait(LOOK_S)

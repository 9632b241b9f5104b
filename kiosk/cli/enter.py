"""Enter ends what would go on until Ctrl-C: a number pad has no other key for it."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_enter(end: Callable[[], None]) -> Iterator[None]:
    """Within it, a line typed (or the end of input) calls ``end`` once, from a thread. A line typed
    after it is not touched: it is the menu's."""
    over, tell_over = os.pipe()

    def look() -> None:
        ready, _, _ = select.select([sys.stdin, over], [], [])
        if over not in ready:
            sys.stdin.readline()
            end()

    looking = threading.Thread(target=look, name="enter", daemon=True)
    looking.start()
    try:
        yield
    finally:
        os.close(tell_over)
        looking.join()
        os.close(over)

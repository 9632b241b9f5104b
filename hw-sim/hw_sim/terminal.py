"""The demo at a terminal: Ctrl-C is for the demo alone, and a terminal that is closed is no accident.

Theory. A terminal sends Ctrl-C to a whole process group, and ``make`` dies of it even where its recipe
then ends with 0. So a demo that ``make`` started in the foreground takes a group of its own and the
terminal with it, as a shell does for its jobs, and gives it back at the end. Without a terminal, or in
the background, everything stays as it is.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def for_us_alone() -> Iterator[None]:
    """The terminal's foreground while it lasts. Must run on the main thread."""
    before = os.getpgrp()
    terminal = _terminal()
    if terminal is None or "MAKELEVEL" not in os.environ or os.tcgetpgrp(terminal) != before:
        yield
        return
    # To hand a terminal on from the background is allowed only to who ignores SIGTTOU. And Ctrl-Z
    # would stop us without make or the shell behind it ever hearing of it.
    for number in (signal.SIGTTOU, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        with suppress(OSError):  # closed, or nobody is left there
            os.tcsetpgrp(terminal, before)


def say(lines: str) -> None:
    """To whoever listens; when nobody does any more, the run goes on to its end in silence."""
    try:
        sys.stdout.write(lines + "\n")
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminal() -> int | None:
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None

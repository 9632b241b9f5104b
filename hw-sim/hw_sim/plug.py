"""A port's name in the file system, as udev keeps it: there while the device is, gone before it is.

A name left behind would be another device's a moment later: the kernel gives the numbers of
pseudo-terminals out again at once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def plugged(link: Path, terminal: int) -> None:
    """``link`` is the name of the pseudo-terminal open as ``terminal``."""
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(terminal))


def unplugged(link: Path, terminal: int) -> None:
    """The name goes, unless it is another's already; call it before the terminal is closed."""
    with suppress(OSError):  # never there, or its folder is gone
        if str(link.readlink()) == os.ttyname(terminal):
            link.unlink()

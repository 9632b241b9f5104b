"""A serial port that can be plugged in and pulled out: a pseudo-terminal, and its name in the file system.

The name is there as udev keeps it: while the device is, and gone before it is. A name left behind would be
another device's a moment later: the kernel gives the numbers of pseudo-terminals out again at once.
"""

from __future__ import annotations

import os
import tty
from contextlib import suppress
from pathlib import Path


class Plug:
    """``device`` the end that stands for the chip (reads and writes never wait), ``terminal`` the one that
    a driver opens, under ``path``: ``link``, or the terminal's own name where none is given."""

    def __init__(self, link: Path | None) -> None:
        self.device, self.terminal = os.openpty()
        tty.setraw(self.terminal)
        os.set_blocking(self.device, False)
        self._link = link
        self.path = os.ttyname(self.terminal)
        if link is not None:
            link.unlink(missing_ok=True)
            link.symlink_to(self.path)
            self.path = str(link)

    def pull(self) -> None:
        """Whoever holds the port sees it vanish; the name goes first, unless it is another's already."""
        if self._link is not None:
            with suppress(OSError):  # never there, or its folder is gone
                if str(self._link.readlink()) == os.ttyname(self.terminal):
                    self._link.unlink()
        os.close(self.device)
        os.close(self.terminal)

"""``kiosk`` after a night without power: another boot, and a kernel whose clock nobody has set.

Stands in for the kernel's two answers, below everything that asks for them.
"""

from __future__ import annotations

import ctypes
import sys
import tempfile
from pathlib import Path
from typing import Any

from kiosk import clock
from kiosk.cli import main

BOOT = "6d2f1c0e-0000-4000-8000-00000000cafe"


class UnsetClock:
    """``adjtimex(2)`` of a clock that is not synchronised."""

    @staticmethod
    def adjtimex(timex: Any) -> int:
        ctypes.cast(timex, ctypes.POINTER(clock._Timex)).contents.status = clock.STA_UNSYNC
        return 5


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w") as boot:
        boot.write(BOOT)
        boot.flush()
        clock._BOOT_ID = Path(boot.name)
        clock._LIBC = UnsetClock()  # type: ignore[assignment]
        sys.exit(main(sys.argv[1:]))

"""The station's clocks, read together: boottime, wall clock, and whether the wall clock is to be
believed (``adjtimex(2)`` without ``STA_UNSYNC``)."""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from drivers.clock import boottime_ms
from kiosk.core.days import day_number
from kiosk.core.entries import At, ClockQuality
from kiosk.core.events import Moment

STA_UNSYNC = 0x0040
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Timex(ctypes.Structure):
    """``struct timex`` as far as ``status`` and the errors; the rest is room (208 bytes in all)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 256),
    )


_LIBC = ctypes.CDLL(None, use_errno=True)


def clock_quality() -> tuple[ClockQuality, int]:
    """Whether the kernel's clock is synchronised, and its largest error in milliseconds."""
    timex = _Timex()
    state = _LIBC.adjtimex(ctypes.byref(timex))
    if state < 0 or timex.status & STA_UNSYNC:
        return "unsynced", 0
    return "synced", max(1, timex.maxerror // 1000)


def boot_id() -> str:
    """32 hex digits that change with every boot."""
    return _BOOT_ID.read_text().strip().replace("-", "")


class StationClock:
    """Moments and stamps in the station's time zone."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._boot = boot_id()

    def day_of(self, utc_ms: int) -> int:
        """The local calendar day, in days since 1970-01-01."""
        local = datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(self._zone)
        return day_number(local.date())

    def now(self) -> Moment:
        """Both clocks, read together."""
        utc_ms = time.time_ns() // 1_000_000
        local = datetime.fromtimestamp(utc_ms / 1000, self._zone)
        ahead = local.utcoffset() or timedelta()
        return Moment(
            boottime_ms(),
            utc_ms,
            clock_quality()[0],
            day_number(local.date()),
            ahead // timedelta(milliseconds=1),
        )

    def at(self) -> At:
        """The stamp of an entry that is committed now."""
        now = self.now()
        return At(self._boot, now.boot_ms, now.utc_ms, now.clock)

    def today(self) -> int | None:
        """The local day where the clock can be believed."""
        now = self.now()
        return now.day if now.clock == "synced" else None

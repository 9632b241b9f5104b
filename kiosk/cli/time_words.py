"""An entry's time for people: as its clock told it, or between which moments it certainly was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kiosk.cli.sentences import UNKNOWN
from kiosk.cli.texts import Words

if TYPE_CHECKING:
    from kiosk.core.timeline import Interval


def told_time(words: Words, at: Mapping[str, Any] | None, zone: ZoneInfo) -> str:
    """The wall clock as it was told then."""
    if at is None:
        return UNKNOWN
    told = datetime.fromtimestamp(at["utc_ms"] / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
    return told if at["clock"] == "synced" else words("show.unsure", time=told)


def certain_time(words: Words, found: Interval | None, zone: ZoneInfo) -> str:
    """Between which moments an entry was."""
    if found is None:
        return UNKNOWN
    ends = [
        UNKNOWN
        if ms is None
        else datetime.fromtimestamp(ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
        for ms in (found.from_ms, found.to_ms)
    ]
    if ends[0] == ends[1] != UNKNOWN:
        return ends[0]
    return words("show.between", after=ends[0], before=ends[1])

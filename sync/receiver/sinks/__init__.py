"""Sinks: what follows the city's committed entries into another platform. ``docs/sinks.md``."""

from sync.receiver.sinks.follower import Follower
from sync.receiver.sinks.protocol import (
    Aside,
    Away,
    Batch,
    BinNow,
    Change,
    DayTotal,
    Sink,
    StationNow,
    When,
)

__all__ = [
    "Aside",
    "Away",
    "Batch",
    "BinNow",
    "Change",
    "DayTotal",
    "Follower",
    "Sink",
    "StationNow",
    "When",
]

"""The smaller messages: the station's state and health.

Unknown fields are passed over here, so that either side may learn new ones first; the ledger and
its acknowledgement (``wire``) are strict.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sync.messages.wire import Count, LedgerId

StationState = Literal["up", "down", "stalled"]
"""The station's process as its uplink sees it: ``stalled`` is there but does not answer."""


class Online(msgspec.Struct, frozen=True):
    """Birth, retained: the uplink is connected, and how the station is behind it."""

    station: StationState
    software: str
    ledger: LedgerId
    online: Annotated[bool, Meta(extra_json_schema={"const": True})] = True


class Offline(msgspec.Struct, frozen=True):
    """The will, retained, and the last word of an uplink that is told to stop."""

    online: Annotated[bool, Meta(extra_json_schema={"const": False})] = False


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the station is; what it cannot know is left out. ``queue`` entries still to go."""

    queue: Count
    uptime_s: Count
    disk_free_bytes: Count | None = None
    temperature_mdeg: int | None = None
    under_voltage: bool | None = None
    scales: dict[str, str] = {}
    readers: dict[str, str] = {}

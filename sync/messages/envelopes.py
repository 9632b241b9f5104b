"""The smaller messages: the station's state and health, the city's commands and their replies.

Unknown fields are passed over here, so that either side may learn new ones first; the ledger and
its acknowledgement (``wire``) are strict.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sync.messages.wire import Code, Count, LedgerId, Signature

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
    """How the station is; what it cannot know is left out. ``queue`` entries still to go. ``town`` what it
    counts by: ``catalogue`` and ``tariff``, each ``{source} {version} {why one was refused, or ok}``."""

    queue: Count
    uptime_s: Count
    disk_free_bytes: Count | None = None
    temperature_mdeg: int | None = None
    under_voltage: bool | None = None
    scales: dict[str, str] = {}
    readers: dict[str, str] = {}
    town: dict[str, str] = {}


class Command(msgspec.Struct, frozen=True):
    """The city asks. ``sig`` is the city's over ``kiosk-command-v1\\n{city}/{station}\\n{id}\\n
    {expires_ms}\\n{op}\\n{canonical args}``; the answer goes to MQTT's response topic with its
    correlation data."""

    id: Annotated[str, Meta(pattern="^[a-z0-9-]{1,32}$")]
    op: Literal["identify", "message", "resend", "lock_bin", "close", "open", "refresh"]
    args: dict[str, Any]
    expires_ms: Count
    sig: Signature


class Reply(msgspec.Struct, frozen=True):
    """What became of a command; ``code`` None when it was done."""

    id: Annotated[str, Meta(pattern="^[a-z0-9-]{1,32}$")]
    done: bool
    code: Code | None = None

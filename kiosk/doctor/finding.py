"""What a check found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Level = Literal["OK", "WARN", "ERR"]
Values = dict[str, str | int | float]

CODES = (
    "station",
    "settings",
    "keys",
    "ledger",
    "disk",
    "heat",
    "scale",
    "seal",
    "reader",
    "lid",
    "device",
    "card",
    "lists",
    "town",
    "town_file",
    "orders",
    "screen",
    "link",
    "certificate",
    "clock",
    "watermark",
    "ack",
    "core_dumps",
)
"""All checks, in the order in which they are shown. A code never changes its meaning."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check's result.

    ``case`` which of the check's findings it is (``ok``, ``lost``…); ``subject`` the bin, reader or
    file, empty for the station; ``cause`` the device's or ledger's own code; ``values`` what the
    sentences need beside those.
    """

    code: str
    level: Level
    case: str
    subject: str = ""
    cause: str | None = None
    values: Values = {}


def worst(findings: Iterable[Finding]) -> Level:
    """The heaviest level among them."""
    levels = {finding.level for finding in findings}
    return "ERR" if "ERR" in levels else "WARN" if "WARN" in levels else "OK"

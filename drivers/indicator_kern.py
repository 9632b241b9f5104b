r"""Kern's balances before KCP: 18 bytes where the weight stands still, 15 without a unit where it moves.

``  ______12.340 kg \r\n``: a space, a space (or ``M``, or the minus), ten characters of number, a space,
three of unit; **without the unit and its spaces the weight moves**; ``       Error`` is an error. ``w``
asks for a weight at once, ``s`` for a stable one, without a line end. (Kern, FKB operating instructions,
chapter "Format for stable / unstable values".) Newer ones speak KCP, which is ``sics``; EG and EW, built by
Shinko, speak ``shinko``.
"""

from __future__ import annotations

import re

from drivers.telegram import Codec, Found, LineDecoder, number, trimmed

PROTOCOL = "kern"
REQUEST = b"w"
"""Asks for the present weight, moving or not."""

_TELEGRAM = re.compile(rb" (?P<sign>[ M-])(?P<number>[0-9 .-]{10}) (?P<unit>kg |g  |lb |t  )?")
_ERROR = re.compile(rb" {7}Error")


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    start, text = trimmed(line)
    if _ERROR.fullmatch(text):
        return Found("error", start=start)
    match = _TELEGRAM.fullmatch(text)
    if match is None:
        return None
    value = number(match["number"])
    if value is None or (match["sign"] == b"-" and value.is_signed()):
        return None
    if match["sign"] == b"-":
        value = value.copy_negate()
    if match["unit"] is None:
        return Found("motion", None, value, None, start=start)
    return Found("stable", None, value, match["unit"].decode().strip(), start=start)

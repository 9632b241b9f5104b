r"""Shinko Denshi's Vibra scales (and Kern's EG and EW, which they built): 14 or 15 bytes.

``+000123.4 G S\r\n``: sign, seven or eight characters of number, two of unit (`` G`` grams, ``KG``), two of
status, the last ``S`` stable, ``U`` moving, ``E`` error or a space where it is not said. A slash before the
last digit says that this one is not verified: ``+007.12/3 G S`` is 7.123 g. ``O8`` asks for one value.
(Shinko, "Vibra HG operation manual", "Output format"; Kern, EG/EW instructions, chapter 8.4.)

The two lengths are a byte apart, so a telegram is believed beside another of its length.
"""

from __future__ import annotations

import re

from drivers.telegram import Codec, Found, LineDecoder, Status, number, trimmed

PROTOCOL = "shinko"
REQUEST = b"O8\r\n"
"""Asks for one value at once."""

_TELEGRAM = re.compile(
    rb"(?P<number>[+-][0-9 ./]{7,8})(?P<unit> G|KG|LB|TN)[ HLGTCDX](?P<status>[SUE ])"
)
_SLASH = re.compile(rb"/([0-9])\Z")
_UNIT = {b" G": "g", b"KG": "kg", b"LB": "lb", b"TN": "t"}
_STATUS: dict[bytes, Status] = {b"S": "stable", b"U": "motion", b" ": "motion"}


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    start, text = trimmed(line)
    match = _TELEGRAM.fullmatch(text)
    if match is None:
        return None
    if match["status"] == b"E":
        return Found("error", start=start)
    value = number(_SLASH.sub(rb"\1", match["number"]))
    if value is None:
        return None
    return Found(
        _STATUS[match["status"]],
        None,
        value,
        _UNIT[match["unit"]],
        start=start,
        shape=(len(text), b"/" in match["number"]),
        sure=False,
    )

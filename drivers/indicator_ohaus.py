r"""Ohaus: the weight in columns, and a question mark where it moves.

Indicators and bench scales (Defender 3000, Ranger, T series): sign and number right-aligned in eight
or nine characters, a space, a unit of five, ``?`` or a space, then ``G`` gross, ``N`` or ``NET``, ``T``:
``   0.360 kg    G\r\n``, ``    24.2 kg   ?G``. Counting scales (Ranger RC): sign, two spaces, seven of
number, a space, unit of two, a space, ``?`` or a space, a space, ``B/G`` or ``NET``. Balances (Scout,
Explorer): ten or more of number, the unit as wide as it is, `` ?`` where it moves.
``IP`` asks for the displayed weight at once, ``P`` as set. (Ohaus, "Defender 3000 metal weighing
indicator", 5.2; "Ranger compact counting scales", 5.1.4; "RS232 interface"; "Explorer".)

Stable is only the absence of a mark, and a balance's line has no fixed width: so a line is believed
beside one of the same shape.
"""

from __future__ import annotations

import re

from drivers.telegram import Codec, Found, LineDecoder, Mode, number, trimmed

PROTOCOL = "ohaus"
REQUEST = b"IP\r\n"
"""Asks for the displayed weight, moving or not."""

_COLUMNS = re.compile(
    rb"(?P<number>[0-9 .+-]{8,9}) (?P<wide>(?:kg|lb)   |(?:g|t)    )(?P<mark>[ ?])"
    rb"(?P<legend>B/G|G|NET|N|T) *"
)
_COUNTING = re.compile(
    rb"(?P<number>[ -]  [0-9 .]{7}) (?P<wide>kg|g |lb|t ) (?P<mark>[ ?]) (?P<legend>B/G|NET|N|G)"
)
_BALANCE = re.compile(
    rb"(?P<number>[0-9 .-]{10,12}) (?P<wide>kg|g|lb|t) *(?P<mark>\?)? *"
    rb"(?P<legend>B/G|G|NET|N|T)? *"
)
_MODE: dict[bytes, Mode] = {
    b"G": "gross",
    b"B/G": "gross",
    b"N": "net",
    b"NET": "net",
    b"T": "tare",
}


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    start, text = trimmed(line)
    match = _COLUMNS.fullmatch(text) or _COUNTING.fullmatch(text) or _BALANCE.fullmatch(text)
    if match is None:
        return None
    value = number(match["number"])
    if value is None:
        return None
    moving = match["mark"] == b"?"
    unit = match["wide"].decode().strip()
    # A balance's mark comes and goes with its spaces, so that what says nothing needs another such line.
    marked = moving if match.re is _BALANCE else None
    shape = (match.re.pattern, unit, match.end("number"), len(text), marked)
    return Found(
        "motion" if moving else "stable",
        _MODE[match["legend"]] if match["legend"] else None,
        value,
        unit,
        start=start,
        shape=shape,
        sure=False,
        alone=False,
    )

r"""The A&D standard format: pure codec, bytes in, frames out.

A telegram is ``ST,GS,+0012.340kg\r\n``: status ``ST`` stable, ``US`` moving, ``OL`` out of range (``QT``,
a counting scale's stable), mode ``GS`` gross, ``NT`` net, ``TR`` tare, sign and eight characters of
number (zeros before it, or spaces), a unit of two characters; and ``EC,E0`` to ``EC,E7`` for an error.
A&D's balances leave the mode out and give the unit three characters: ``ST,+00123.45  g``. With a minus
``OL`` means below the range. (A&D, "A&D standard format" in the manuals of AD-4401 and AD-4212D; the
terminator is CR LF or CR by a setting.) Dini Argeo's ``UL`` (underload) and ``TL`` (tilt) come in the
same place.

Invariant: a frame is taken only when every one of its bytes is as the format says. A telegram that
lost or changed a byte is skipped and never turns into another sign, unit or status: so the unit has
exactly two characters (of `` kg`` a lost k would leave grams), and after spaces a number has no
zeros to spare. A digit that became another digit, or a plus a minus, no codec can see: the format has
no checksum. The line's parity catches those, and the settling rules ask for agreeing telegrams.
"""

from __future__ import annotations

import re

from drivers.telegram import Codec, Found, LineDecoder, Mode, Status, ending, number

PROTOCOL = "ad"
REQUEST = b"Q\r\n"
"""Asks for the present weight, moving or not."""

_TELEGRAM = ending(
    r"(?P<head>ST|US|QT),(?P<mode>GS|NT|TR),(?P<number>[+-][0-9 .]{8})(?P<unit> g|kg|lb| t)",
    r"(?P<head2>ST|US|QT),(?P<number2>[+-][0-9 .]{8})(?P<unit2>  g| kg| lb|  t)",
    r"(?P<over>OL|UL|TL),(?:(?P<over_mode>GS|NT|TR),)?"
    r"(?P<over_sign>[+-]?)[0-9 .E+-]{0,12}(?: g|kg|lb| t|)",
    r"(?P<error>EC,E[0-7][0-9]?)",
)
STATUS: dict[bytes, Status] = {
    b"ST": "stable",
    b"QT": "stable",
    b"US": "motion",
    b"OL": "overload",  # with a minus: underload
    b"UL": "underload",
    b"TL": "error",
}
MODE: dict[bytes, Mode] = {b"GS": "gross", b"NT": "net", b"TR": "tare"}


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    match = _TELEGRAM.search(line)
    return None if match is None else told(match)


def told(match: re.Match[bytes]) -> Found | None:
    """What a telegram says, its parts taken out by name."""
    parts = match.groupdict()
    start = match.start()
    if parts["error"]:
        return Found("error", start=start)
    if head := parts["over"]:
        below = head == b"OL" and parts["over_sign"] == b"-"
        mode = MODE[parts["over_mode"]] if parts["over_mode"] else None
        return Found("underload" if below else STATUS[head], mode, start=start)
    value = number(parts["number"] or parts["number2"])
    if value is None:
        return None
    unit = (parts["unit"] or parts["unit2"]).decode().strip()
    mode = MODE[parts["mode"]] if parts["mode"] else None
    return Found(STATUS[parts["head"] or parts["head2"]], mode, value, unit, start=start)

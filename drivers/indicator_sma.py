r"""The serial protocol of the Scale Manufacturers Association (SCP-0499), spoken by many makers.

``<LF>srnmf_____5.025lb_<CR>``, twenty bytes: s status (space, ``Z`` centre of zero, ``O`` over and ``U``
under capacity, ``E`` ``I`` ``T`` errors), r range, n ``G`` gross ``N`` net ``T`` tare (``g`` ``n`` in high
resolution), m ``M`` in motion or space, f the maker's own, ten characters of number, three of unit.
``<LF>W<CR>`` asks for the displayed weight, ``R`` for a stream of them. (Sartorius, "PR 5220 Instrument
Manual", and "PR 5211", chapter 5, SMA protocol.)

Every telegram begins with its own line feed, so that one cut in its middle is never taken.
"""

from __future__ import annotations

from drivers.telegram import Codec, Found, LineDecoder, Mode, Status, ending, number

PROTOCOL = "sma"
REQUEST = b"\nW\r"
"""Asks for the displayed weight."""

_TELEGRAM = ending(
    r"\n(?P<status>[ ZOUEIT])[0-9](?P<mode>[GNTgn])(?P<motion>[ M])[ -~]"
    r"(?P<number>[0-9 .-]{10})(?P<unit>kg |g  |lb |t  |   )"
)
_NO_WEIGHT: dict[bytes, Status] = {
    b"O": "overload",
    b"U": "underload",
    b"E": "error",
    b"I": "error",
    b"T": "error",
}
_MODE: dict[bytes, Mode] = {
    b"G": "gross",
    b"g": "gross",
    b"N": "net",
    b"n": "net",
    b"T": "tare",
}
_DASHES = b"-" * 10


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse, ends=b"\r")


def parse(line: bytes) -> Found | None:
    """What one line says, its line feed before it."""
    match = _TELEGRAM.search(line)
    if match is None:
        return None
    start, mode = match.start(), _MODE[match["mode"]]
    if status := _NO_WEIGHT.get(match["status"]):
        return Found(status, mode, start=start)
    if match["number"] == _DASHES:
        return Found("error", mode, start=start)
    value, unit = number(match["number"]), match["unit"].decode().strip()
    if value is None or not unit:
        return None
    moving = match["motion"] == b"M"
    return Found("motion" if moving else "stable", mode, value, unit, start=start)

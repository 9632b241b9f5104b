r"""Dini Argeo: ``01ST,GS,     0.0,kg\r\n``.

An address of two digits where the line is RS-485, status ``ST`` stable, ``US`` moving, ``OL`` over and
``UL`` under the range, ``TL`` not level; ``GS`` gross or ``NT`` net; eight characters of number with sign
and point, a comma, two characters of unit. Some send A&D's telegram behind the address instead. The
extended string ``011ST,       0.0,PT     20.8,         0,kg`` has the scale's number, ten characters net,
ten tare, ten pieces: its weight is net. ``READ`` asks. (Dini Argeo, technical manuals of 3590 EXP, DGT4X
and LTP, "Communication protocols".)
"""

from __future__ import annotations

from drivers.indicator_ad import MODE, STATUS, told
from drivers.telegram import Codec, Found, LineDecoder, ending, number

PROTOCOL = "dini"
REQUEST = b"READ\r\n"
"""Asks for the present weight, moving or not."""

_UNIT = r"(?P<unit>kg| g|g |lb| t|t )"
_STANDARD = ending(
    r"(?:[0-9]{2})?(?P<head>ST|US|OL|UL|TL),(?P<mode>GS|NT|TR),(?P<number>[0-9 .+-]{8})," + _UNIT
)
_EXTENDED = ending(
    r"(?:[0-9]{2})?[0-9](?P<head>ST|US|OL|UL|TL),(?P<number>[0-9 .+-]{10}),"
    r"(?:PT|  )[0-9 .+-]{10},[0-9 ]{10}," + _UNIT
)
_AS_AD = ending(
    r"[0-9]{2}(?P<head>ST|US|QT),(?P<mode>GS|NT|TR),(?P<number>[+-][0-9 .]{8})(?P<unit> g|kg|lb| t)",
    r"[0-9]{2}(?P<over>OL|UL|TL),(?P<over_mode>GS|NT|TR),"
    r"(?P<over_sign>[+-]?)[0-9 .E+-]{0,12}(?: g|kg|lb| t|)",
    r"[0-9]{2}(?P<error>EC,E[0-7][0-9]?)",
)


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    match = _STANDARD.search(line) or _EXTENDED.search(line)
    if match is None:
        match = _AS_AD.search(line)
        return None if match is None else told(match)
    status = STATUS[match["head"]]
    mode = MODE[match["mode"]] if match.re is _STANDARD else "net"
    if match["head"] not in (b"ST", b"US"):
        return Found(status, mode, start=match.start())
    value = number(match["number"])
    if value is None:
        return None
    return Found(status, mode, value, match["unit"].decode().strip(), start=match.start())

r"""CAS indicators: the format of 22 bytes, and the one of 18 with its relatives' name "AND".

22 bytes: ``ST,GS,`` device id, lamp byte, ``,`` eight characters of number, a space, two of unit. Status
``ST`` stable, ``US`` moving, ``OL`` overload; mode ``GS`` or ``NT``. Id and lamps may be any bytes.
18 bytes: ``ST,GS,   245.6 g``, the same without id and lamps: eight characters with the sign among them,
and the unit. T-Scale's QHW sends it too. (CAS, manuals of CI-400, CI-600D, NT-200, "Data format"; the
format of 10 bytes has no unit and is for the generic codec with ``unit`` set.)

An A&D telegram that lost one byte looks like the 18 bytes with a sign before its digits: such a one is
not believed alone.
"""

from __future__ import annotations

from drivers.telegram import Codec, Found, LineDecoder, Mode, Status, ending, number

PROTOCOL = "cas"
REQUEST = b"\x01"
"""Device id 1: an indicator set to answer sends one telegram when it hears its id."""

_TELEGRAM = ending(
    r"(?P<head>ST|US|OL|UL),(?P<mode>GS|NT|TR),(?P<lamps>[^\r\n]{2},)?"
    r"(?P<number>[0-9 .+A-Za-z-]{8})(?(lamps) )(?P<unit>kg| g|g |lb| t|t )"
)
_STATUS: dict[bytes, Status] = {
    b"ST": "stable",
    b"US": "motion",
    b"OL": "overload",
    b"UL": "underload",
}
_MODE: dict[bytes, Mode] = {b"GS": "gross", b"NT": "net", b"TR": "tare"}


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    match = _TELEGRAM.search(line)
    if match is None:
        return None
    start, status, mode = match.start(), _STATUS[match["head"]], _MODE[match["mode"]]
    if status in ("overload", "underload"):
        return Found(status, mode, start=start)
    value = number(match["number"])
    if value is None:
        return None
    return Found(
        status,
        mode,
        value,
        match["unit"].decode().strip(),
        start=start,
        shape=match["lamps"] is not None,
        sure=match["lamps"] is not None,
        alone=match["number"][:1] not in (b"+", b"-"),
    )

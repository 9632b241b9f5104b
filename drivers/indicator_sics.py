r"""MT-SICS of Mettler Toledo, and what others call by other names: Kern's KCP, Ohaus's SICS mode.

``S S     100.00 g\r\n`` is a stable weight, ``S D     129.07 g`` a moving one (D for dynamic): ten
characters of number with its sign before the first digit, a space, the unit. ``S I``: cannot now;
``S +`` and ``S -``: over and under the range; ``ES``, ``ET``, ``EL``: errors; ``T S``, ``TA A``: the tare.
``S`` waits for a stable weight, ``SI`` answers at once, ``SIR`` goes on answering, ``SIS`` and others
are not needed. (Mettler Toledo, "Reference Manual MT-SICS", 11780711, chapters S and SI; Kern, "KERN
Communications Protocol", KCP-ZB-e-19137.) The weight is what the display shows: with a tare in the
indicator it is net and the telegram does not say so, hence mode null.

The unit has no fixed width: `` kg`` without its k is grams. So grams are believed only where no
neighbour says kilograms.
"""

from __future__ import annotations

from drivers.telegram import Codec, Found, LineDecoder, Mode, Status, ending, number

PROTOCOL = "sics"
REQUEST = b"SI\r\n"
"""Asks for the present weight, moving or not."""

_TELEGRAM = ending(
    r"(?P<head>S S|S D|T S|TA A) (?P<number>[0-9 .-]{10}) (?P<unit>kg|g|lb|t) {0,2}",
    r"S (?P<range>[+-])",
    r"(?P<error>S I|T I|ES|ET|EL)",
)
_HEAD: dict[bytes, tuple[Status, Mode | None]] = {
    b"S S": ("stable", None),
    b"S D": ("motion", None),
    b"T S": ("stable", "tare"),
    b"TA A": ("stable", "tare"),
}


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    match = _TELEGRAM.search(line)
    if match is None:
        return None
    if match["error"] or match["range"]:
        # Two characters are little: nothing may stand before them.
        if match.start():
            return None
        ends: dict[bytes | None, Status] = {b"+": "overload", b"-": "underload"}
        return Found(ends.get(match["range"], "error"))
    value = number(match["number"])
    if value is None:
        return None
    status, mode = _HEAD[match["head"]]
    unit = match["unit"].decode()
    return Found(
        status,
        mode,
        value,
        unit,
        start=match.start(),
        shape=unit if unit in ("kg", "g") else None,
        sure=unit != "g",
    )

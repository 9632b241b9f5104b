r"""Sartorius's own format (SBI), of 16 characters or, with a name before it, of 22.

``+    123.56 g  \r\n``: sign (or a space), nine characters of number, a space, three of unit; the six
characters of the long form name the value (``N`` net, ``G`` or ``G#`` gross, ``T`` tare, ``Stat``).
**An empty unit means that the weight moves.** Digits that are not verified may stand in brackets
(``123.5[6]``). In the number's place ``H`` or ``High`` says overload, ``L`` or ``Low`` underload, and
``Err 54`` an error. ``<ESC>P`` asks for a value. (Sartorius, "CP series" and "Master series" operating
instructions, "Data output format with 16 / 22 characters".)

The short form has no head, so a line is taken from its first character to its last: what lost or
gained one has another length. A long form that lost just its name would be a short one, and net be
taken for what is shown: a form is believed beside another of its length.
"""

from __future__ import annotations

import re

from drivers.telegram import Codec, Found, LineDecoder, Mode, Status, number, trimmed

PROTOCOL = "sartorius"
REQUEST = b"\x1bP\r\n"
"""Asks for the displayed value."""

_TELEGRAM = re.compile(
    rb"(?P<name>[A-Za-z#0-9 ]{6})?(?P<number>[+ -][0-9 .\[\]]{10})(?P<unit>kg |g  |lb |t  |   )"
)
_BRACKETS = re.compile(rb"\[([0-9.]+)\] ?\Z")
_SPECIAL = re.compile(rb"(?:Stat {2}| {6})?(?P<text>[ A-Za-z0-9]{14})")
_WORDS: dict[str, Status] = {
    "H": "overload",
    "HH": "overload",
    "High": "overload",
    "L": "underload",
    "LL": "underload",
    "Low": "underload",
}
_ERROR = re.compile(r"(?:Err|ERR) ?[0-9]{1,3}")
_NAMES: dict[str, Mode | None] = {"N": "net", "G": "gross", "G#": "gross", "T": "tare", "": None}


def decoder() -> Codec:
    """A new decoder of these telegrams."""
    return LineDecoder(parse)


def parse(line: bytes) -> Found | None:
    """What one line says."""
    start, text = trimmed(line)
    if match := _TELEGRAM.fullmatch(text):
        name = (match["name"] or b"").decode().strip()
        # Position 11 is a space, or the bracket that closes what is not verified.
        field = _BRACKETS.sub(rb"\1 ", match["number"])
        value = number(field[:-1]) if field.endswith(b" ") else None
        if value is None or name not in _NAMES:
            return None
        unit = match["unit"].decode().strip() or None
        status: Status = "motion" if unit is None else "stable"
        return Found(status, _NAMES[name], value, unit, start=start, shape=len(text), sure=False)
    if match := _SPECIAL.fullmatch(text):
        words = match["text"].decode().strip()
        if said := _WORDS.get(words):
            return Found(said, start=start)
        if _ERROR.fullmatch(words):
            return Found("error", start=start)
    return None

"""A QR code's text as the symbol itself declares it: by ECI, by kanji mode, else UTF-8, else bytes.

Nothing is guessed: bytes of which nobody says what they are, and that are no UTF-8, stay bytes. For
people who read pictures; whether a card counts is judged by its bytes alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from drivers.qr_code import Code
from drivers.qr_modes import Segment, likely_kanji, segments

_ECI = {
    0: "cp437",
    2: "cp437",
    1: "latin-1",
    3: "latin-1",
    20: "shift_jis",
    25: "utf-16-be",
    **{number: f"iso8859-{number - 2}" for number in (*range(4, 14), *range(15, 19))},
    21: "cp1250",
    22: "cp1251",
    23: "cp1252",
    24: "cp1256",
    26: "utf-8",
    27: "ascii",
    28: "big5",
    29: "gb2312",
    30: "euc-kr",
    31: "gbk",
    32: "gb18030",
    33: "utf-16-le",
    34: "utf-32-be",
    35: "utf-32-le",
    170: "ascii",
}
"""AIM's Extended Channel Interpretations that are character sets."""
_LAYOUT = re.compile(rb"\\\\|\\([0-9]{6})|.", re.DOTALL)
"""A backslash of the text is doubled, a single one begins an ECI."""


def text_of(code: Code) -> str | None:
    """The text; None where nobody says how the bytes are to be read, and they are no UTF-8."""
    declared = _declared(code)
    if declared is not None:
        return declared
    try:
        return code.text.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _declared(code: Code) -> str | None:
    if code.symbol is None or code.text.isascii():
        return None
    try:
        layout = bytes.fromhex(code.symbol.text)
        # "]Q" and a digit, which is even where the symbol holds an ECI.
        if layout[2] % 2 == 0:
            return "".join(_by_eci(layout[3:]))
        return "".join(_by_mode(code.text, code.symbol))
    except (ValueError, LookupError):  # not what was declared, or nothing that is known here
        return None


def _by_eci(layout: bytes) -> Iterator[str]:
    """The text of each stretch between two ECIs."""
    number, stretch = 3, bytearray()
    for found in _LAYOUT.finditer(layout):
        if found[1] is None:
            stretch += found[0][:1]
            continue
        yield stretch.decode(_ECI[number])
        number, stretch = int(found[1]), bytearray()
    yield stretch.decode(_ECI[number])


def _by_mode(text: bytes, symbol: Any) -> Iterator[str]:
    """The text of each segment; LookupError where none is kanji."""
    seen = np.array(symbol.to_image(scale=1, add_quiet_zones=False), np.uint8)
    level, mask = symbol.extra["ECLevel"], int(symbol.extra["DataMask"])
    found = None
    for modules in (seen, seen.T):  # as it is, and in a mirror
        found = found or segments(modules, level, mask, len(text))
    if found is None and any(likely_kanji(one, level, mask, text) for one in (seen, seen.T)):
        found = [Segment(True, len(text))]
    if found is None or not any(one.kanji for one in found):
        raise LookupError
    at = 0
    for one in found:
        yield (
            _kanji(text[at : at + one.length])
            if one.kanji
            else text[at : at + one.length].decode("utf-8")
        )
        at += one.length


def _kanji(text: bytes) -> str:
    """JIS X 0208; what makers have added to its empty rows only where it is used."""
    try:
        return text.decode("shift_jis")
    except UnicodeDecodeError:
        return text.decode("cp932")

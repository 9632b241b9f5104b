r"""Any line with one number and one unit: what cheap indicators send.

They drop commas (``ST,GS    20.7g``), pad and shorten, put the unit first, append ``G`` and ``N``, ``S``
and ``U``, write a minus before the padding (``-   1.640``) or behind the number, a comma for the point.
So nothing is at a known place, and the rules are about what a line may not leave open:

- exactly one number, exactly one unit (kg, g, lb, t), no word that is not known, no sign that is not
  the number's; two numbers or no unit only where the settings say which and what (``Reading``).
- **Stable only where the line says so** (``ST``, ``S``, ``S S`` …), or where the setting ``stable`` says
  that every line is that does not say otherwise. A lone ``G`` is gross, never grams; but a slash before
  the last digit with ``G S`` behind is Shinko's telegram, where it is grams.
- Every line is doubtful (``telegram``): it needs a neighbour of the same length, words' lengths, unit,
  decimals, padding and kind of sign. Damage that changes none of those, no codec can see: a minus that
  became a space, an ``S`` that was a ``U``, a digit that was another. The only line of a stream is
  believed where its beginning shows that it is whole, and where it is not one byte from A&D's telegram.

(Lines as captured from T-Scale NHB and QHW, Mettler MS-TS printers, JIK, XK3190's ``ww000.00kg``.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from drivers.telegram import Codec, Found, LineDecoder, Mode, Status, trimmed

PROTOCOL = "generic"
REQUEST = None
"""Nobody knows how such an indicator is asked, if at all."""

StableRule = Literal["said", "unless_moving"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the settings say where lines leave it open.

    ``unit`` of lines that name none; ``column`` the number that counts, from 1, in lines with several;
    ``stable`` ``said``: only lines that say so; ``unless_moving``: all that do not say otherwise.
    """

    unit: str | None = None
    column: int | None = None
    stable: StableRule = "said"


AS_SAID = Reading()

_DIGITS = re.compile(rb"[0-9]+(?:[.,][0-9]+)?(?:/[0-9](?![0-9]))?")
_BEFORE = re.compile(rb"([+-]) *\Z")
_AFTER = re.compile(rb" *([+-])(?![0-9])")
_SEPARATORS = re.compile(rb"[ ,;:=]+")
_AS_AD = re.compile(rb".{0,2},?.{0,2},[+-][ 0-9.]{5,9} ?[a-z]{1,2}")
_WORD = re.compile(rb"[A-Za-z]+")
_WHOLE = re.compile(rb"[+-]|[A-Za-z]{2}")
"""So begins a line that cannot have lost its minus, nor the U of its US, nor the k of its kg."""
_NEGATIVE = re.compile(rb"- *[0-9]")
_DASHES = re.compile(rb"[-_=]+")

_UNITS = {b"kg": "kg", b"g": "g", b"lb": "lb", b"t": "t", b"KG": "kg", b"Kg": "kg", b"LB": "lb"}
_STATUS: dict[bytes, Status] = {
    b"ST": "stable",
    b"QT": "stable",
    b"S": "stable",
    b"US": "motion",
    b"U": "motion",
    b"D": "motion",
    b"M": "motion",
    b"?": "motion",
    b"OL": "overload",
    b"OVER": "overload",
    b"OVERLOAD": "overload",
    b"UL": "underload",
    b"UNDER": "underload",
    b"UNDERLOAD": "underload",
    b"TL": "error",
    b"ERR": "error",
    b"ERROR": "error",
    b"Err": "error",
    b"Error": "error",
}
_MODE: dict[bytes, Mode] = {
    b"GS": "gross",
    b"G": "gross",
    b"GW": "gross",
    b"B": "gross",
    b"B/G": "gross",
    b"GROSS": "gross",
    b"ww": "gross",
    b"NT": "net",
    b"N": "net",
    b"NW": "net",
    b"NET": "net",
    b"wn": "net",
    b"TR": "tare",
    b"TW": "tare",
    b"TARE": "tare",
    b"wt": "tare",
}
_GLUED = {head + mode: (head, mode) for head in (b"ST", b"US") for mode in (b"GS", b"NT", b"TR")}
_WORST: tuple[Status, ...] = ("error", "overload", "underload", "motion", "stable")


@dataclass(frozen=True, slots=True)
class _Words:
    """What the words of a line say. None: one that is not known, or two that contradict."""

    status: Status | None
    mode: Mode | None
    unit: str | None


def decoder(reading: Reading = AS_SAID) -> Codec:
    """A new decoder of such lines."""
    return LineDecoder(lambda line: parse(line, reading), ends=b"\r\n\x03")


def parse(line: bytes, reading: Reading = AS_SAID) -> Found | None:
    """What one line says."""
    start, raw = trimmed(line)
    text = raw.replace(b"\t", b" ")
    if not text or not text.isascii() or any(byte < 0x20 or byte == 0x7F for byte in text):
        return None
    numbers = list(_DIGITS.finditer(text))
    if not numbers or _no_weight(text):
        return _without_weight(text, start)
    if len(numbers) > 1 and (reading.column is None or reading.column > len(numbers)):
        return None
    index = (reading.column or 1) - 1 if len(numbers) > 1 else 0
    return _weight(text, start, numbers, index, reading)


def _weight(
    text: bytes, start: int, numbers: list[re.Match[bytes]], index: int, reading: Reading
) -> Found | None:
    match = numbers[index]
    left = text[numbers[index - 1].end() if index else 0 : match.start()]
    right = text[match.end() : numbers[index + 1].start() if index + 1 < len(numbers) else None]
    before, after = _BEFORE.search(left), _AFTER.match(right)
    if before and after:
        return None
    sign = (before or after or [b"", b""])[1]
    flags = text[: numbers[0].start()] if index else b""
    if index:
        # What stands between two numbers belongs to the first, but for the sign.
        left = b""
    if before and not index:
        left = left[: before.start()]
    if after:
        right = right[after.end() :]
    if index + 1 < len(numbers):
        # Its unit alone; the next number's sign is not ours. The line's last words are flags.
        right = right.rstrip(b" +-")
        flags = flags + b" " + text[numbers[-1].end() :].lstrip(b" +-")
        flags = b" ".join(word for word in _SEPARATORS.split(flags) if word not in _UNITS)
    digits = match[0]
    said = _words([*_SEPARATORS.split(left), *_SEPARATORS.split(right), *_SEPARATORS.split(flags)])
    if said is None:
        return None
    unit = said.unit or reading.unit
    mode = said.mode
    if unit is None and b"/" in digits and mode == "gross" and said.status in ("stable", "motion"):
        unit, mode = "g", None
    if unit is None:
        return None
    value = Decimal((sign + digits.replace(b"/", b"")).decode().replace(",", "."))
    if said.status is not None:
        status = said.status
    else:
        status = "stable" if reading.stable == "unless_moving" else "motion"
    decimals = value.as_tuple().exponent
    zeros = digits[:1] == b"0" and digits[1:2].isdigit()
    kind = "signed" if sign == b"+" else "any" if sign == b"-" else "bare"
    return Found(
        status,
        mode,
        value,
        unit,
        start=start,
        shape=_Shape(_widths(text), unit, decimals, mode, zeros, kind),
        sure=False,
        alone=_WHOLE.match(text) is not None and _AS_AD.fullmatch(text) is None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """Equal to its twin's. A minus stands where others have a plus, or nothing."""

    widths: tuple[int, ...]
    unit: str
    decimals: object
    mode: Mode | None
    zeros: bool
    sign: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Shape):
            return NotImplemented
        mine = (self.widths, self.unit, self.decimals, self.mode, self.zeros)
        theirs = (other.widths, other.unit, other.decimals, other.mode, other.zeros)
        return mine == theirs and (self.sign == other.sign or "any" in (self.sign, other.sign))

    def __hash__(self) -> int:
        return hash((self.widths, self.unit, self.decimals, self.mode, self.zeros))


def _widths(text: bytes) -> tuple[int, ...]:
    """How long the line is, and each of its words: a word that lost a letter is another's twin only by
    its length."""
    return (len(text), *(len(word) for word in _WORD.findall(text)))


def _words(words: Iterable[bytes]) -> _Words | None:
    """What these words say together."""
    status: Status | None = None
    mode: Mode | None = None
    unit: str | None = None
    for word in words:
        if not word:
            continue
        for part in _GLUED.get(word, (word,)):
            if part.startswith(b"?") and len(part) > 1:
                status, part = "motion", part[1:]
            if part in _STATUS:
                found = _STATUS[part]
                if {status, found} == {"stable", "motion"} and part in (b"ST", b"US", b"QT"):
                    return None
                status = found if status is None else min(status, found, key=_WORST.index)
            elif part in _MODE:
                if mode not in (None, _MODE[part]):
                    return None
                mode = _MODE[part]
            elif part in _UNITS:
                if unit is not None:
                    return None
                unit = _UNITS[part]
            else:
                return None
    return _Words(status, mode, unit)


def _no_weight(text: bytes) -> bool:
    """Whether a word says that the number, if any, is no weight."""
    words = _SEPARATORS.split(_DASHES.sub(b" ", text))
    return any(_STATUS.get(word) in ("overload", "underload", "error") for word in words)


def _without_weight(text: bytes, start: int) -> Found | None:
    """Overload, underload or error, in words that are all known."""
    bare = _DIGITS.sub(b" ", _DASHES.sub(b" ", text)).replace(b"+", b" ").replace(b"E ", b" ")
    said = _words(word for word in _SEPARATORS.split(bare) if word not in (b".", b"/"))
    if said is None or said.status not in ("overload", "underload", "error"):
        return None
    below = said.status == "overload" and _NEGATIVE.search(text)
    return Found("underload" if below else said.status, said.mode, start=start)

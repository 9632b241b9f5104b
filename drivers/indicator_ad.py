r"""The A&D standard format: pure codec, bytes in, frames out.

A telegram is ``ST,GS,+0012.340kg\r\n``: status ``ST`` stable, ``US`` moving, ``OL`` out of range (``QT``,
a counting scale's stable), mode ``GS`` gross, ``NT`` net, ``TR`` tare, sign and eight characters of
number (zeros before it, or spaces), a unit of two characters, CR LF; and ``EC,E0`` to ``EC,E7`` for
an error (A&D, "A&D standard format" in the manuals of its indicators). With a minus ``OL`` means
below the range. Dini Argeo's ``UL`` (underload) and ``TL`` (tilt) come in the same place.

Invariant: a frame is taken only when every one of its bytes is as the format says. A telegram that
lost or changed a byte is skipped and never turns into another sign, unit or status: so the unit has
exactly two characters (of `` kg`` a lost k would leave grams), and after spaces a number has no
zeros to spare (a first digit that fell out to a space would leave them). A digit that became another
digit, or a plus a minus, no codec can see: the format has no checksum. The line's parity catches
those, and the settling rules ask for agreeing telegrams.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Status = Literal["stable", "motion", "overload", "underload", "error"]
Mode = Literal["gross", "net", "tare"]

PROTOCOL = "ad"
MAX_FRAME_BYTES = 32
"""Longer without a line feed is noise."""

MG_PER_UNIT = {
    "kg": Decimal(1_000_000),
    "g": Decimal(1000),
    "lb": Decimal("453592.37"),
    "t": Decimal(10**9),
}

_WEIGHT = re.compile(rb"(ST|US|QT),(GS|NT|TR),([+-])([0-9 .]{8})( g|kg|lb| t)\r\n")
_NO_WEIGHT = re.compile(rb"(OL|UL|TL),(GS|NT|TR),([+-]?)[0-9 .E+-]{0,12}( g|kg|lb| t|)\r\n")
_ERROR = re.compile(rb"EC,E[0-7][0-9]?\r\n")
_NUMBER = re.compile(rb"(?:[0-9]| +(?!0[0-9]))[0-9]*(?<=[0-9])(?:\.[0-9]+)?")
_STATUS: dict[bytes, Status] = {
    b"ST": "stable",
    b"QT": "stable",
    b"US": "motion",
    b"OL": "overload",  # with a minus: underload
    b"UL": "underload",
    b"TL": "error",
}
_MODE: dict[bytes, Mode] = {b"GS": "gross", b"NT": "net", b"TR": "tare"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One telegram at ``offset`` of the stream; ``value`` has its sign and decimals as sent."""

    offset: int
    status: Status
    mode: Mode | None
    value: Decimal | None
    unit: str | None

    @property
    def milligrams(self) -> int | None:
        """To the nearest milligram (kg, g and t of a floor scale are whole); None for no weight."""
        if self.value is None or self.unit is None:
            return None
        return int((self.value * MG_PER_UNIT[self.unit]).to_integral_value())


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes that are no frame."""

    offset: int
    length: int


class Decoder:
    """Feed it bytes however they come; it keeps at most one unfinished line."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Frame | Skipped]:
        """Frames and skipped bytes, in the stream's order."""
        self._held += data
        while True:
            end = self._held.find(b"\n")
            if end < 0:
                break
            yield from self._line(bytes(self._held[: end + 1]))
            del self._held[: end + 1]
        if len(self._held) > MAX_FRAME_BYTES:
            surplus = len(self._held) - MAX_FRAME_BYTES
            yield self._skip(surplus)
            del self._held[:surplus]

    def end(self) -> Iterator[Frame | Skipped]:
        """What is left when nothing more comes."""
        if self._held:
            yield self._skip(len(self._held))
            self._held.clear()

    def _skip(self, length: int) -> Skipped:
        skipped = Skipped(self._offset, length)
        self._offset += length
        return skipped

    def _line(self, line: bytes) -> Iterator[Frame | Skipped]:
        """A telegram ends its line; what stands before it is noise."""
        for start in range(max(0, len(line) - MAX_FRAME_BYTES), len(line)):
            frame = _frame(line[start:], self._offset + start)
            if frame is not None:
                if start:
                    yield self._skip(start)
                self._offset += len(line) - start
                yield frame
                return
        yield self._skip(len(line))


def _frame(telegram: bytes, offset: int) -> Frame | None:
    """The telegram if it is one from its first byte to its last."""
    if _ERROR.fullmatch(telegram):
        return Frame(offset, "error", None, None, None)
    if match := _NO_WEIGHT.fullmatch(telegram):
        status = "underload" if match[1] == b"OL" and match[3] == b"-" else _STATUS[match[1]]
        return Frame(offset, status, _MODE[match[2]], None, None)
    match = _WEIGHT.fullmatch(telegram)
    if match is None or not _NUMBER.fullmatch(match[4]):
        return None
    value = Decimal((match[3] + match[4].strip()).decode())
    return Frame(offset, _STATUS[match[1]], _MODE[match[2]], value, match[5].decode().strip())

r"""The A&D standard format: pure codec, bytes in, frames out.

A telegram is ``ST,GS,+00012.34 kg\r\n``: status ``ST`` stable, ``US`` moving, ``OL`` overload (``QT``, a
counting scale's stable), mode ``GS`` gross, ``NT`` net, ``TR`` tare, sign and eight characters of
number, a unit of two characters, CR LF (A&D, "standard format" of the AD-4400 series manuals); and
``EC,E0`` to ``EC,E7`` for an error. Dini Argeo's ``UL`` (underload) and ``TL`` (tilt) come in the same
place.

Invariant: a frame is taken only when every one of its bytes is as the format says. A telegram that lost or
changed a byte is skipped and never turns into another sign, unit or status. A byte that changed
into another digit cannot be seen by any codec: the format has no checksum; the settling rules
after it ask for agreeing telegrams.
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

_WEIGHT = re.compile(
    rb"(ST|US|OL|QT|UL|TL),(GS|NT|TR),([+-])([0-9 .]{8}) ?( g|kg|lb| t)\r\n", re.ASCII
)
_BLANK = re.compile(rb"(OL|UL),(GS|NT|TR),[+-]?[ .9-]{0,12} ?( g|kg|lb| t)?\r\n", re.ASCII)
_ERROR = re.compile(rb"EC,E[0-7][0-9]?\r\n", re.ASCII)
_NUMBER = re.compile(rb" *(?:[0-9]+(?:\.[0-9]+)?)", re.ASCII)
_STATUS: dict[bytes, Status] = {
    b"ST": "stable",
    b"QT": "stable",
    b"US": "motion",
    b"OL": "overload",
    b"UL": "underload",
    b"TL": "error",
}
_MODE: dict[bytes, Mode] = {b"GS": "gross", b"NT": "net", b"TR": "tare"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One telegram at ``offset`` of the stream. ``value`` as sent (sign and decimals), in ``unit``."""

    offset: int
    status: Status
    mode: Mode | None
    value: Decimal | None
    unit: str | None

    @property
    def milligrams(self) -> int | None:
        """Exact; None where it is no weight or no whole number of milligrams."""
        if self.value is None or self.unit is None:
            return None
        mg = self.value * MG_PER_UNIT[self.unit]
        return int(mg.to_integral_value())


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
        """A line: noise before a whole telegram at its end is skipped, a telegram never begins later."""
        for pattern in (_WEIGHT, _ERROR, _BLANK):
            for start in range(max(0, len(line) - MAX_FRAME_BYTES), len(line)):
                match = pattern.fullmatch(line, start)
                frame = None if match is None else self._frame(match, pattern, start)
                if frame is None:
                    continue
                if start:
                    yield self._skip(start)
                yield frame
                self._offset += len(line) - start
                return
        yield self._skip(len(line))

    def _frame(
        self, match: re.Match[bytes], pattern: re.Pattern[bytes], start: int
    ) -> Frame | None:
        offset = self._offset + start
        if pattern is _ERROR:
            return Frame(offset, "error", None, None, None)
        status, mode = _STATUS[match[1]], _MODE[match[2]]
        if pattern is _BLANK or status in ("overload", "underload", "error"):
            return Frame(offset, status, mode, None, None)
        number = _NUMBER.fullmatch(match[4])
        if number is None:
            return None
        value = Decimal((match[3] + match[4].strip()).decode())
        return Frame(offset, status, mode, value, match[5].decode().strip())

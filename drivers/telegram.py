r"""What every indicator's telegrams have in common: what they say, and how a stream is cut into them.

Invariant: every byte of a stream is in one frame (its line end with it) or told as skipped, in the
stream's order, and the answer is the same however the bytes were split on their way. Memory is
bounded: one unfinished line and one doubtful telegram.

Theory. A format with fixed columns shows every lost or added byte: the line has another length, and
is skipped. Where a format's fields have no fixed width, a byte lost somewhere leaves another good
telegram (``1.640 kg`` without its k is grams, ``-1.640`` without its minus is positive). Such a
telegram is *doubtful*: it is believed only beside a twin, a neighbour of the same shape (length, unit,
decimals …); damage is not repeated byte for byte. The first doubtful telegram waits for the second (and
for a third, where it opens a stream that may have been opened in its middle); one that is the only one
of its stream is believed at the end. What is left, a byte that became another byte that is as good at
its place, no codec can see without a checksum: the line's parity catches single bits, and the settling
rules ask for agreeing telegrams over half a second.

Lines end with CR, LF, CR LF or LF CR: indicators are set to either, and a lost CR changes no weight.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

Status = Literal["stable", "motion", "overload", "underload", "error"]
Mode = Literal["gross", "net", "tare"]

MAX_LINE_BYTES = 64
"""No telegram is longer; what is, is noise."""

MG_PER_UNIT = {
    "kg": Decimal(1_000_000),
    "g": Decimal(1000),
    "lb": Decimal("453592.37"),
    "t": Decimal(10**9),
}

_NOISE = bytes(b for b in range(32) if b != 9) + b"\x7f"
"""Line noise at the ends of a line, and the STX, ETX that some put there. A tab is a space."""
_NUMBER = re.compile(rb"( *)([+-]?)( *)([0-9]+(?:[.,][0-9]+)?)")


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


class Codec(Protocol):
    """Feed it bytes however they come."""

    def feed(self, data: bytes) -> Iterator[Frame | Skipped]:
        """Frames and skipped bytes, in the stream's order."""
        ...

    def end(self) -> Iterator[Frame | Skipped]:
        """What is left when nothing more comes."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What one line says, before anybody believes it. ``start``: bytes before it that are noise.

    ``shape`` is what a twin has in common with it; a telegram of a fixed form is ``sure`` and needs
    none (it still is a neighbour). ``alone``: its beginning is whole, so that it may be believed as
    the only one of a stream.
    """

    status: Status
    mode: Mode | None = None
    value: Decimal | None = None
    unit: str | None = None
    start: int = 0
    shape: Hashable = None
    sure: bool = True
    alone: bool = True


Parse = Callable[[bytes], Found | None]
"""One line, without its end, to what it says."""


def number(field: bytes) -> Decimal | None:
    """A number that fills its field: padded on the left with spaces or zeros, sign before or after
    the spaces. After spaces a number has no zeros to spare: a first digit that fell out to a space
    would leave them."""
    match = _NUMBER.fullmatch(field)
    if match is None or (match[1] and match[3]):
        return None
    digits = match[4]
    if (match[1] or match[3]) and digits[:1] == b"0" and digits[1:2].isdigit():
        return None
    return Decimal((match[2] + digits).decode().replace(",", "."))


def ending(*forms: str) -> re.Pattern[bytes]:
    r"""A pattern to *search*: a telegram that ends its line; what stands before it is noise.

    Only for formats whose head nobody can take for something else.
    """
    return re.compile(b"(?:" + b"|".join(form.encode() for form in forms) + rb")\Z")


def trimmed(line: bytes) -> tuple[int, bytes]:
    """The line without noise bytes at its ends, and how many of them stood before it."""
    left = line.lstrip(_NOISE)
    return len(line) - len(left), left.rstrip(_NOISE)


class LineDecoder:
    """Cuts a stream into lines, asks ``parse`` about each, and believes it or not.

    ``ends`` are the bytes that end a line; the others of them straight after belong to it.
    """

    def __init__(self, parse: Parse, *, ends: bytes = b"\r\n") -> None:
        self._parse = parse
        self._ends = ends
        self._cut = re.compile(b"[" + re.escape(ends) + b"]")
        self._line = bytearray()
        self._overlong = False
        self._offset = 0
        self._ended_with = bytearray()
        self._last_was_frame = False
        self._neighbour: Hashable = None
        self._weights = 0
        self._begun = False
        self._waiting: list[_Doubtful | Skipped] = []
        self._twins_wanted = 0

    def feed(self, data: bytes) -> Iterator[Frame | Skipped]:
        """Frames and skipped bytes, in the stream's order."""
        start = 0
        while start < len(data):
            if self._ended_with:
                if data[start] in self._ends and data[start] not in self._ended_with:
                    self._ended_with.append(data[start])
                    yield from self._line_end_goes_on()
                    start += 1
                    continue
                self._ended_with.clear()
            cut = self._cut.search(data, start)
            stop = len(data) if cut is None else cut.start()
            self._line += data[start:stop]
            start = stop
            if len(self._line) > MAX_LINE_BYTES:
                surplus = len(self._line) - MAX_LINE_BYTES
                del self._line[:surplus]
                self._overlong = True
                yield from self._skip(surplus)
            if cut is not None:
                self._ended_with.append(data[stop])
                yield from self._whole_line()
                start += 1

    def end(self) -> Iterator[Frame | Skipped]:
        """What is left when nothing more comes: an unfinished line, and a telegram that waits."""
        if self._waiting:
            doubtful = [one for one in self._waiting if isinstance(one, _Doubtful)]
            nothing_else = len(doubtful) == self._weights
            twins = len(doubtful) > 1 or doubtful[0].found.alone
            yield from self._settle(believed=nothing_else and twins)
        if self._line:
            length = len(self._line)
            self._line.clear()
            yield from self._skip(length)

    # -- lines ----------------------------------------------------------------------------------

    def _whole_line(self) -> Iterator[Frame | Skipped]:
        line, overlong = bytes(self._line), self._overlong
        self._line.clear()
        self._overlong = False
        length = len(line) + 1
        found = self._parse(b"\xff" * overlong + line) if line else None
        self._last_was_frame = found is not None
        if found is None:
            self._begun = True
            yield from self._skip(length)
            return
        start = found.start - overlong
        if start > 0:
            yield from self._skip(start)
        offset = self._offset
        self._offset += length - max(0, start)
        yield from self._judge(found, offset)
        self._begun = True

    def _line_end_goes_on(self) -> Iterator[Frame | Skipped]:
        if not self._last_was_frame:
            yield from self._skip(1)
            return
        self._offset += 1
        if self._waiting and isinstance(self._waiting[-1], _Doubtful):
            self._waiting[-1].length += 1

    # -- belief ---------------------------------------------------------------------------------

    def _judge(self, found: Found, offset: int) -> Iterator[Frame | Skipped]:
        twin_behind = self._neighbour is not None and self._neighbour == found.shape
        length = self._offset - offset
        if self._waiting:
            # A neighbour of no shape at all contradicts nobody; one without a number settles nothing.
            twin = found.shape == self._neighbour
            if twin and self._twins_wanted > 1 and not found.sure:
                self._twins_wanted -= 1
                self._weights += 1
                self._waiting.append(_Doubtful(found, offset, length))
                return
            yield from self._settle(
                believed=twin or (found.shape is None and found.value is not None)
            )
        if found.value is not None:
            self._neighbour = found.shape
            self._weights += 1
        if found.sure or twin_behind:
            yield _frame(found, offset)
            return
        self._twins_wanted = 1 if self._begun or found.alone else 2
        self._waiting.append(_Doubtful(found, offset, length))

    def _settle(self, *, believed: bool) -> Iterator[Frame | Skipped]:
        for one in self._waiting:
            if isinstance(one, Skipped):
                yield one
            elif believed:
                yield _frame(one.found, one.offset)
            else:
                yield Skipped(one.offset, one.length)
        self._waiting.clear()

    def _skip(self, length: int) -> Iterator[Skipped]:
        skipped = Skipped(self._offset, length)
        self._offset += length
        last = self._waiting[-1] if self._waiting else None
        if last is None:
            yield skipped
        elif isinstance(last, Skipped):
            self._waiting[-1] = Skipped(last.offset, last.length + length)
        else:
            self._waiting.append(skipped)


@dataclass(slots=True)
class _Doubtful:
    """A telegram that waits for its twin."""

    found: Found
    offset: int
    length: int


def _frame(found: Found, offset: int) -> Frame:
    return Frame(offset, found.status, found.mode, found.value, found.unit)

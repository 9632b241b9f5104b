"""What a scanner module says on a serial line: texts with an end, and answers to commands. No port in here.

Invariant: however the bytes are cut into pieces, the same frames come out.

A module sends a code's bytes as they are, any of them (a QR code may hold kanji, NUL, whole files), and
its suffix behind. Nothing in that tells a text's bytes from its end, so the suffix is a setting, a line
has a bound, and a line without its end is given up after ``PATIENCE_MS``: it must not become the
beginning of the next card's.

Modules of the GM65 kind (GROW GM65 user manual V1.3, 2.3) also take commands and answer in the midst::

    command  7E 00  type length address(2) data…  CRC(2)     type 07 reads, 08 writes; CRC ABCD: unchecked
    answer   02 00  00   length            data…  CRC(2)     CRC-16, polynomial 1021, from 0, after the head

An answer has no suffix and is looked for at a line's begin, and only where one is owed.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import Literal

MAX_TEXT_BYTES = 7_089
"""The most that a QR code holds (ISO/IEC 18004: version 40 level L, digits)."""
PATIENCE_MS = 500
"""A pause within a text: at 1200 baud a character takes 8 ms."""
MAX_OWED = 4
"""Answers waited for; more commands without an answer add none."""

Suffix = Literal["cr", "lf", "crlf", "tab"]
ENDS: dict[Suffix, bytes] = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "tab": b"\t"}

SCAN_ONCE = bytes.fromhex("7e000801000201abcd")
"""Zone 0002, bit 0: look for one code, for as long as the module's own setting says."""
READ_MODE = bytes.fromhex("7e000701000001abcd")
"""Zone 0000: how the module is set. It changes nothing, and is answered by a module that works."""
ANSWER_HEAD = b"\x02\x00"
_ANSWER_MIN_BYTES = 6


@dataclass(frozen=True, slots=True)
class Text:
    """One code's bytes, without the suffix; hidden, for they may be a card's."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line of ``size`` bytes, longer than any QR code."""

    size: int


@dataclass(frozen=True, slots=True)
class Half:
    """``size`` bytes whose end never came: a cable, a wrong speed, or no suffix set in the module."""

    size: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The module answered a command; ``data`` as read, empty or a zero for what was written."""

    data: bytes = field(repr=False)


Frame = Text | Overlong | Half | Reply


class Decoder:
    """Finds texts and answers in whatever comes. Holds at most one line's bytes."""

    def __init__(self, suffix: Suffix = "cr") -> None:
        self._end = ENDS[suffix]
        self._lenient = suffix == "cr"
        """With CR a LF behind it belongs to the end: half of all modules are set so."""
        self._held = bytearray()
        self._dropped = 0
        self._ended = False
        self._owed = 0
        self._last_ms = 0

    def expect_reply(self) -> None:
        """A command was sent: its answer may come before any later line."""
        self._owed = min(self._owed + 1, MAX_OWED)

    def feed(self, data: bytes, t_ms: int) -> list[Frame]:
        """What is complete at ``t_ms`` (any rising clock, ms); empty ``data`` only lets time pass."""
        frames: list[Frame] = []
        size = len(self._held) + self._dropped
        if size and t_ms - self._last_ms > PATIENCE_MS:
            self.forget()
            frames.append(Half(size))
        if data:
            self._last_ms = t_ms
            self._held += data
            while (frame := self._next()) is not None:
                if not isinstance(frame, Text) or frame.data:
                    frames.append(frame)
        return frames

    def forget(self) -> None:
        """Drop a line that was begun."""
        self._held.clear()
        self._dropped = 0

    def _next(self) -> Frame | None:
        """The next frame, an empty line too; None: wait for more."""
        held = self._held
        if self._ended and held:
            self._ended = False
            if held.startswith(b"\n"):
                del held[:1]
        if self._owed and not self._dropped:
            answer = _answer(held)
            if answer == "more":
                return None
            if answer is not None:
                del held[: _ANSWER_MIN_BYTES + len(answer.data)]
                self._owed -= 1
                return answer
        at = held.find(self._end)
        if at < 0:
            self._bound()
            return None
        size, text = self._dropped + at, bytes(held[:at])
        del held[: at + len(self._end)]
        self._dropped = 0
        self._ended = self._lenient
        return Overlong(size) if size > MAX_TEXT_BYTES else Text(text)

    def _bound(self) -> None:
        """Let go of a line that is certainly too long; what may be half a suffix stays."""
        rest = len(self._end) - 1
        if self._dropped or len(self._held) - rest > MAX_TEXT_BYTES:
            count = len(self._held) - rest
            if count > 0:
                del self._held[:count]
                self._dropped += count


def _answer(held: bytearray) -> Reply | Literal["more"] | None:
    """The answer at the begin of ``held``; None where something else stands there."""
    if not held.startswith(ANSWER_HEAD[: len(held)]):
        return None
    if len(held) < 4:
        return "more" if not any(held[2:3]) else None
    size = _ANSWER_MIN_BYTES + held[3]
    if held[2] != 0:
        return None
    if len(held) < size:
        return "more"
    told = int.from_bytes(held[size - 2 : size], "big")
    if binascii.crc_hqx(bytes(held[2 : size - 2]), 0) != told:
        return None
    return Reply(bytes(held[4 : size - 2]))

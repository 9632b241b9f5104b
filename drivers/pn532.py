"""The PN532's frames: bytes in, frames out, and what a target's answer may say. No port in here.

Source: NXP UM0701-02 (PN532 user manual) 6.2.1 frames, 7.2 and 7.3 commands.

::

    normal    00 00 FF LEN LCS TFI data… DCS 00         LEN counts TFI and data, LEN + LCS = 0
    extended  00 00 FF FF FF LENM LENL LCS TFI data… DCS 00
    ACK       00 00 FF 00 FF 00        NACK  00 00 FF FF 00 00
    error     00 00 FF 01 FF 7F 81 00

TFI is D4 to the chip and D5 from it; TFI + data + DCS = 0, all sums modulo 256. Such a sum does not
see two changes that balance, so every length, flag and size is checked against the others as well,
and the pump asks for two agreeing answers before it believes an identifier. Before the start code
``00 FF`` may stand any number of 00 (the preamble, none among them) and of 55 (a wake-up, which some
boards echo); behind the DCS any number of 00, one at least.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

HOST_TO_CHIP = 0xD4
CHIP_TO_HOST = 0xD5
ACK = bytes.fromhex("0000ff00ff00")
WAKE_UP = bytes.fromhex("5555000000000000000000000000000000000000")
"""Two 55 and silence: the chip's oscillator needs about 2 ms after a sleep (UM0701-02 7.2.11)."""

MAX_NORMAL_BYTES = 255
MAX_EXTENDED_BYTES = 265
"""TFI, command and 263 bytes of data: the chip's own buffer."""

IDLE = b"\x00\x55"
"""What may stand between frames and is nobody's mistake."""

GET_FIRMWARE_VERSION = 0x02
SAM_CONFIGURATION = 0x14
RF_CONFIGURATION = 0x32
IN_DATA_EXCHANGE = 0x40
IN_LIST_PASSIVE_TARGET = 0x4A

SAM_NORMAL = bytes((0x01, 0x14, 0x00))
"""Normal mode, no time-out, no interrupt pin."""
RETRIES_ONCE = bytes((0x05, 0xFF, 0x01, 0x01))
"""MaxRetries: look for a card twice and answer, instead of for ever (7.3.1, CfgItem 5)."""
FIELD_OFF = bytes((0x01, 0x00))
"""Cards lose their power, so that the next look begins anew; it switches the field on itself."""

LIST_TYPE_A = bytes((0x01, 0x00))
LIST_FELICA_212 = bytes((0x01, 0x01, 0x00, 0xFF, 0xFF, 0x01, 0x00))
LIST_FELICA_424 = bytes((0x01, 0x02, 0x00, 0xFF, 0xFF, 0x01, 0x00))
"""One target; FeliCa needs its polling command: any system code, tell it, one time slot."""
FELICA_212_BARE = bytes((0x01, 0x01, 0x00, 0xFF, 0xFF, 0x00, 0x00))
FELICA_424_BARE = bytes((0x01, 0x02, 0x00, 0xFF, 0xFF, 0x00, 0x00))
"""The same without the system code: another length and another sum around the same IDm, so that one
mistake of the line does not fit both."""

LIST_TYPE_B = bytes((0x01, 0x03, 0x00))
"""One target of any application family."""

CASCADE = b"\x88"

Modulation = Literal["a", "b", "felica"]


class GarbledError(ValueError):
    """An answer with a good checksum that cannot be true."""


class CardGoneError(ValueError):
    """The chip is well, and the card does not answer it (any more)."""


@dataclass(frozen=True, slots=True)
class Ack:
    """The chip has the command and works on it."""


@dataclass(frozen=True, slots=True)
class Nack:
    """The chip asks for the command again."""


@dataclass(frozen=True, slots=True)
class SyntaxErrorFrame:
    """The chip did not understand the command."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chip says to command ``command``; ``data`` may hold an identifier, so it hides."""

    command: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """``count`` bytes that were no frame."""

    count: int


Frame = Ack | Nack | SyntaxErrorFrame | Answer | Skipped


@dataclass(frozen=True, slots=True)
class Target:
    """One card in the field. ``uid`` its UID or IDm, hidden from ``repr``; empty for type B.

    ``iso_dep`` whether it takes commands of ISO/IEC 14443-4.
    """

    modulation: Modulation
    uid: bytes = field(repr=False)
    iso_dep: bool = False


def command(code: int, data: bytes = b"") -> bytes:
    """The frame that asks the chip to do ``code``. Raises ValueError when it is too long."""
    body = bytes((HOST_TO_CHIP, code)) + data
    if len(body) <= MAX_NORMAL_BYTES:
        head = bytes((len(body), -len(body) & 0xFF))
    elif len(body) <= MAX_EXTENDED_BYTES:
        size = len(body).to_bytes(2, "big")
        head = b"\xff\xff" + size + bytes((-sum(size) & 0xFF,))
    else:
        raise ValueError(f"a command of {len(body)} bytes does not fit the chip")
    return b"\x00\x00\xff" + head + body + bytes((-sum(body) & 0xFF, 0))


class Decoder:
    """Finds frames in whatever comes, in any pieces. Holds at most one frame's bytes.

    What cannot be a frame is given up one start code at a time, so that a frame right behind a
    broken one is still found.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._skipped = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now, in order, with what was skipped between them."""
        self._held += data
        frames: list[Frame] = []
        while (step := self._next()) is not None:
            frame, used = step
            if frame is None:
                self._skipped += used
            else:
                if self._skipped:
                    frames.append(Skipped(self._skipped))
                    self._skipped = 0
                frames.append(frame)
            del self._held[:used]
        return frames

    def flush(self) -> int:
        """Forget a frame that was begun; the number of bytes that were no frame since the last."""
        count = self._skipped + len(self._held)
        self._held.clear()
        self._skipped = 0
        return count

    def _next(self) -> tuple[Frame | None, int] | None:
        """The next frame and the bytes it took; (None, n) for n bytes of nothing; None: wait."""
        start = self._held.find(b"\x00\xff")
        if start < 0:
            # Only a zero at the end may yet be a start code's.
            return self._idle(len(self._held) - (1 if self._held.endswith(b"\x00") else 0))
        noise = len(self._held[:start].rstrip(IDLE))
        if noise:
            return None, noise  # what is idle behind it is the frame's preamble
        verdict = _frame_at(self._held, start + 2)
        if verdict == "more":
            return None
        if verdict == "broken":
            return None, start + 2
        return verdict

    def _idle(self, count: int) -> tuple[None, int] | None:
        noise = len(self._held[:count].rstrip(IDLE))
        if noise:
            return None, noise
        del self._held[:count]
        return None


def _frame_at(held: bytearray, at: int) -> tuple[Frame, int] | Literal["more", "broken"]:
    """The frame whose length field begins at ``at``."""
    if len(held) < at + 2:
        return "more"
    size, check = held[at], held[at + 1]
    body = at + 2
    if (size, check) == (0x00, 0xFF):
        return _closed(held, body, Ack())
    if (size, check) == (0xFF, 0x00):
        return _closed(held, body, Nack())
    if (size, check) == (0xFF, 0xFF):
        if len(held) < at + 5:
            return "more"
        size, check = int.from_bytes(held[at + 2 : at + 4], "big"), held[at + 4]
        if (sum(held[at + 2 : at + 5]) & 0xFF) or not MAX_NORMAL_BYTES < size <= MAX_EXTENDED_BYTES:
            return "broken"
        body = at + 5
    elif (size + check) & 0xFF or size == 0:
        return "broken"
    end = body + size + 1
    if len(held) < end:
        return "more"
    if sum(held[body:end]) & 0xFF:
        return "broken"
    payload = bytes(held[body : end - 1])
    if payload == b"\x7f":
        return _closed(held, end, SyntaxErrorFrame())
    if len(payload) < 2 or payload[0] != CHIP_TO_HOST or not payload[1] & 1:
        return "broken"
    return _closed(held, end, Answer(payload[1] - 1, payload[2:]))


def _closed(
    held: bytearray, at: int, frame: Frame
) -> tuple[Frame, int] | Literal["more", "broken"]:
    """``frame``, once its postamble at ``at`` is there: a zero, or it was no frame."""
    if len(held) <= at:
        return "more"
    return "broken" if held[at] else (frame, at + 1)


# -- what the answers say -----------------------------------------------------------------------


def check_firmware(data: bytes) -> str:
    """``1.6`` from a GetFirmwareVersion answer; raises GarbledError for another chip's."""
    if len(data) != 4 or data[0] != 0x32:
        raise GarbledError("not a PN532's firmware version")
    return f"{data[1]}.{data[2]}"


def type_a_target(data: bytes) -> Target | None:
    """The card in an InListPassiveTarget answer at 106 kbit/s, None for an empty field.

    ``NbTg Tg SENS_RES(2) SEL_RES NFCIDLength NFCID1 [TL ATS]`` (UM0701-02 7.3.5). Raises
    GarbledError where the parts gainsay each other (ISO/IEC 14443-3 6.5: sizes, cascade).
    """
    if data == b"\x00":
        return None
    if len(data) < 7 or data[0] != 1 or data[1] != 1:
        raise GarbledError("not one target")
    atqa_high, atqa_low, sak, size = data[2:6]
    uid, ats = data[6 : 6 + size], data[6 + size :]
    if size not in (4, 7, 10) or len(uid) != size:
        raise GarbledError("a UID of no lawful size")
    if {0x00: 4, 0x40: 7, 0x80: 10}.get(atqa_low & 0xC0) != size:
        raise GarbledError("ATQA and UID differ in size")
    if atqa_high & 0xF0 or atqa_low & 0x20 or (atqa_low & 0x1F).bit_count() != 1:
        raise GarbledError("an ATQA with reserved bits")
    if sak & 0x04:
        raise GarbledError("SAK says that the UID goes on")
    # A cascade tag 88 where the last level's first byte stands would make the UID longer.
    if uid[{4: 0, 7: 3, 10: 6}[size]] == 0x88:
        raise GarbledError("a cascade tag within the UID")
    if sak & 0x20:
        if not ats or ats[0] != len(ats):
            raise GarbledError("an ATS of another length")
    elif ats:
        raise GarbledError("bytes after the UID")
    return Target("a", uid, bool(sak & 0x20))


def list_this_type_a(uid: bytes) -> bytes:
    """Data for InListPassiveTarget that only the card with this UID answers (UM0701-02 7.3.5): a card
    misread is then no card at all. UIDs of several levels go with their cascade tags."""
    levels = {4: (uid,), 7: (CASCADE, uid), 10: (CASCADE, uid[:3], CASCADE, uid[3:])}[len(uid)]
    return LIST_TYPE_A + b"".join(levels)


def card_answer(data: bytes) -> bytes:
    """What the card said, out of an InDataExchange answer (7.3.8): ``status data…``.

    Raises CardGoneError where the chip could not reach it, GarbledError for what is no answer.
    """
    if not data or data[0] & 0xC0:  # more to follow, or a node address: neither was asked for
        raise GarbledError("no answer of one card")
    if data[0]:
        raise CardGoneError("the card does not answer")
    return data[1:]


def type_b_target(data: bytes) -> Target | None:
    """Whether a type B card (My Number card, driving licence) answers; None for an empty field.

    ``NbTg Tg ATQB(12) length ATTRIB_RES``; ATQB begins with 50 (ISO/IEC 14443-3 7.9). Its number is
    a new one each time and is not even looked at. Raises GarbledError.
    """
    if data == b"\x00":
        return None
    if len(data) < 15 or data[0] != 1 or data[1] != 1 or data[2] != 0x50:
        raise GarbledError("not one type B target")
    if data[14] != len(data) - 15:
        raise GarbledError("an ATTRIB answer of another length")
    return Target("b", b"")


def felica_target(data: bytes) -> Target | None:
    """The card in an InListPassiveTarget answer at 212 or 424 kbit/s, None for an empty field.

    ``NbTg Tg POL_RES``, POL_RES = length, 01, IDm (8), PMm (8), and the system code (2) asked for.
    Raises GarbledError.
    """
    if data == b"\x00":
        return None
    if len(data) not in (20, 22) or data[0] != 1 or data[1] != 1:
        raise GarbledError("not one FeliCa target")
    if data[2] != len(data) - 2 or data[3] != 0x01:
        raise GarbledError("a polling response of another length")
    return Target("felica", data[4:12])

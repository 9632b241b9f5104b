r"""Load-cell transmitters on Modbus RTU: the replies to a read of registers, and the map that reads them.

A reply is ``unit, 03 or 04, bytes, registers …, CRC`` (Modbus over serial line, V1.02). What the
registers mean is each maker's: ``Registers`` says where the weight and the status stand. The defaults are
Laumas's TLB and its relatives (Laumas, "TLB4 communication protocols" and "LCB": status 40007, gross
weight 40008 and 40009, high word first, without sign and point; status bits 0 and 1 cell and converter
fault, 2 and 3 over Max + 9 e and 110 %, 4 beyond its digits, 7 gross negative, 11 stable).

The CRC sees every damage of up to 16 bits in a row, and of any other one in 65,536.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pymodbus.framer import FramerRTU

from drivers.telegram import Codec, Frame, Skipped, Status

PROTOCOL = "modbus"
WeightType = Literal["u16", "i16", "u32", "i32", "f32"]
MAX_REGISTERS = 32
"""Most transmitters read no more at once."""
EXCEPTION = 0x80
EXCEPTION_BYTES = 5
_FORMAT = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "f32": ">f"}


@dataclass(frozen=True, slots=True)
class Registers:
    """Which registers of which transmitter say what. Addresses from 0, as on the wire.

    ``stable_bit`` and the others are bits of the status register, from 0; without a status register no
    weight is stable. ``decimals``: the weight's last digits are so many decimals of ``unit``.
    """

    unit_id: int = 1
    function: Literal[3, 4] = 3
    weight: int = 7
    weight_type: WeightType = "u32"
    low_word_first: bool = False
    decimals: int = 0
    unit: str = "kg"
    status: int | None = 6
    stable_bit: int = 11
    negative_bit: int | None = 7
    overload_bits: tuple[int, ...] = (2, 3, 4)
    underload_bits: tuple[int, ...] = ()
    error_bits: tuple[int, ...] = (0, 1)

    @property
    def words(self) -> int:
        """Registers that the weight takes."""
        return 1 if self.weight_type.endswith("16") else 2

    @property
    def start(self) -> int:
        """The first register read."""
        return self.weight if self.status is None else min(self.weight, self.status)

    @property
    def count(self) -> int:
        """How many are read at once."""
        last = self.weight + self.words - 1
        return (last if self.status is None else max(last, self.status)) - self.start + 1

    @property
    def reply_bytes(self) -> int:
        """How long a good reply is."""
        return 3 + 2 * self.count + 2


def decoder(registers: Registers) -> Codec:
    """A new decoder of one transmitter's replies."""
    return ReplyDecoder(registers)


def request(registers: Registers) -> bytes:
    """The read that those replies answer."""
    body = struct.pack(
        ">BBHH", registers.unit_id, registers.function, registers.start, registers.count
    )
    return body + _crc(body)


class ReplyDecoder:
    """Finds one transmitter's replies among whatever else is on its line."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers
        self._heads = (
            bytes((registers.unit_id, registers.function, 2 * registers.count)),
            bytes((registers.unit_id, registers.function | EXCEPTION)),
        )
        self._held = bytearray()
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Frame | Skipped]:
        """Frames and skipped bytes, in the stream's order."""
        self._held += data
        yield from self._drain(last=False)

    def end(self) -> Iterator[Frame | Skipped]:
        """What is left when nothing more comes."""
        yield from self._drain(last=True)

    def _drain(self, *, last: bool) -> Iterator[Frame | Skipped]:
        at = skipped = 0
        while at < len(self._held):
            length = self._length(at)
            if length and at + length > len(self._held) and not last:
                break
            reply = bytes(self._held[at : at + length])
            if not length or len(reply) < length or _crc(reply[:-2]) != reply[-2:]:
                at += 1
                skipped += 1
                continue
            if skipped:
                yield self._skip(skipped)
                skipped = 0
            yield self._frame(reply)
            at += length
        if skipped:
            yield self._skip(skipped)
        del self._held[:at]

    def _length(self, at: int) -> int:
        """How long the reply is that may begin here; 0 for none."""
        here = self._held[at : at + 3]
        if here[:2] == self._heads[1][: len(here)]:
            return EXCEPTION_BYTES
        return self._registers.reply_bytes if self._heads[0].startswith(here) else 0

    def _skip(self, length: int) -> Skipped:
        skipped = Skipped(self._offset, length)
        self._offset += length
        return skipped

    def _frame(self, reply: bytes) -> Frame:
        offset = self._offset
        self._offset += len(reply)
        if reply[1] & EXCEPTION:
            return Frame(offset, "error", None, None, None)
        status, value = read(self._registers, reply[3:-2])
        if value is None:
            return Frame(offset, status, "gross", None, None)
        return Frame(offset, status, "gross", value, self._registers.unit)


def read(registers: Registers, data: bytes) -> tuple[Status, Decimal | None]:
    """Status and gross weight in the bytes of the registers read."""

    def words(address: int, count: int) -> bytes:
        at = 2 * (address - registers.start)
        return data[at : at + 2 * count]

    bits = 0 if registers.status is None else int.from_bytes(words(registers.status, 1), "big")

    def any_of(numbers: tuple[int, ...]) -> bool:
        return any(bits >> number & 1 for number in numbers)

    if any_of(registers.error_bits):
        return "error", None
    if any_of(registers.overload_bits):
        return "overload", None
    if any_of(registers.underload_bits):
        return "underload", None
    raw = words(registers.weight, registers.words)
    if registers.low_word_first:
        raw = raw[2:] + raw[:2]
    (number,) = struct.unpack(_FORMAT[registers.weight_type], raw)
    if isinstance(number, float):
        if not math.isfinite(number):
            return "error", None
        value = round(Decimal(number), registers.decimals)
    else:
        value = Decimal(number).scaleb(-registers.decimals)
    if registers.negative_bit is not None and bits >> registers.negative_bit & 1:
        value = -abs(value)
    stable = registers.status is not None and bits >> registers.stable_bit & 1
    return ("stable" if stable else "motion"), value


def _crc(body: bytes) -> bytes:
    return FramerRTU.compute_CRC(body).to_bytes(2, "big")

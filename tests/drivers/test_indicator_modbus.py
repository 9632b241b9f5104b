"""Replies of a load-cell transmitter: those with a good check sum are read, whatever is beside them."""

from __future__ import annotations

import os
import random
import struct

import pytest
from hw_sim.indicator_speech import SPEECHES
from indicator_site import frames, items, said

from drivers import indicator_modbus
from drivers.decode import decode
from drivers.indicator_modbus import Registers
from drivers.telegram import Frame, Skipped

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
TLB = Registers(decimals=2)
SAY = SPEECHES["modbus"].say
ASKED = SPEECHES["modbus"].request
CAPTURE = (
    b"\x06\x08\x00"  # the end of a reply
    + ASKED
    + SAY(12_340, True)
    + ASKED
    + SAY(-1_640, False)
    + b"\x00\xff"
    + SPEECHES["modbus"].over
    + b"\x01\x83\x02\xc0\xf1"  # an exception: no such register
    + SAY(20, True)[:7]
)
SAYS = [
    ("stable", "gross", "12.34", "kg"),
    ("motion", "gross", "-1.64", "kg"),
    ("overload", "gross", None, None),
    ("error", None, None, None),
]


def read(*pieces: bytes) -> list[Frame | Skipped]:
    return items(indicator_modbus.decoder(TLB), pieces)


def test_the_capture_says_what_the_manual_says() -> None:
    found = read(CAPTURE)
    assert [said(frame) for frame in frames(found)] == SAYS
    assert sum(one.length for one in found if isinstance(one, Skipped)) == 3 + 8 + 8 + 2 + 7


def test_the_capture_reads_the_same_however_it_is_split() -> None:
    whole = read(CAPTURE)
    for cut in range(1, len(CAPTURE)):
        assert read(CAPTURE[:cut], CAPTURE[cut:]) == whole
    assert read(*(CAPTURE[i : i + 1] for i in range(len(CAPTURE)))) == whole


def test_our_question_is_the_one_in_the_manual() -> None:
    assert indicator_modbus.request(TLB) == ASKED


def test_decode_reads_a_capture_as_a_bins_settings_say() -> None:
    *lines, summary = decode(CAPTURE, None, {"modbus": lambda: indicator_modbus.decoder(TLB)})
    told = [(x["protocol"], x["status"], x["value"]) for x in lines if "protocol" in x]
    assert told[0] == ("modbus", "stable", "12.34")
    assert summary["frames"] == len(SAYS)


@pytest.mark.parametrize(
    ("registers", "data", "expected"),
    [
        (Registers(weight_type="i32", negative_bit=None), (0x0800, 0xFFFF, 0xFFFE), "-2"),
        (Registers(weight_type="i32", low_word_first=True), (0x0800, 0x0002, 0), "2"),
        (Registers(weight_type="i16", negative_bit=None, decimals=1), (0x0800, 0xFFF6), "-1.0"),
        (Registers(weight_type="u16", decimals=3), (0x0880, 1640), "-1.640"),
        (
            Registers(weight_type="f32", negative_bit=None, decimals=2),
            (0x0800, *struct.unpack(">HH", struct.pack(">f", 1.64))),
            "1.64",
        ),
    ],
)
def test_a_weight_of_every_type(registers: Registers, data: tuple[int, ...], expected: str) -> None:
    raw = struct.pack(f">{len(data)}H", *data)
    status, value = indicator_modbus.read(registers, raw)
    assert (status, str(value)) == ("stable", expected)


def test_no_number_is_an_error_and_without_status_nothing_is_stable() -> None:
    nan = Registers(weight_type="f32", status=None)
    assert indicator_modbus.read(nan, struct.pack(">f", float("nan"))) == ("error", None)
    assert indicator_modbus.read(nan, struct.pack(">f", float("inf"))) == ("error", None)
    assert indicator_modbus.read(nan, struct.pack(">f", 2.0))[0] == "motion"
    assert indicator_modbus.read(TLB, bytes((0, 1, 0, 0, 0, 0))) == ("error", None)


def test_no_damage_of_up_to_sixteen_bits_in_a_row_is_taken() -> None:
    rng = random.Random(5)
    good = SAY(12_340, True)
    for _ in range(2_000 * SIZE):
        number = int.from_bytes(good, "big")
        width = rng.randrange(1, 17)
        pattern = 1 << (width - 1) | rng.getrandbits(width) | 1
        number ^= pattern << rng.randrange(8 * len(good) - width)
        damaged = number.to_bytes(len(good), "big")
        assert damaged != good and frames(read(damaged)) == []

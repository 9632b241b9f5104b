"""A&D telegrams: whole ones are taken, everything else is skipped and never becomes a weight."""

from __future__ import annotations

import os
import random
from decimal import Decimal

import pytest

from drivers.decode import decode
from drivers.indicator_ad import Decoder, Frame, Skipped
from kiosk.core.errors import OperatorError

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
GOLDEN = (
    b"12.34 kg\r\n"  # the end of a telegram: the port was opened in its middle
    b"ST,GS,+00012.34kg\r\n"
    b"US,GS,-0001.640kg\r\n"
    b"\x00\x7fST,NT,+   150.0 g\r\n"
    b"OL,GS,+9999999kg\r\n"
    b"ST,GS,+0000.500lb\r\n"
    b"EC,E1\r\n"
    b"ST,GS,+000"
)


def read(*pieces: bytes) -> list[Frame | Skipped]:
    decoder = Decoder()
    found = [one for piece in pieces for one in decoder.feed(piece)]
    return found + list(decoder.end())


def test_golden_transcript() -> None:
    frames = [one for one in read(GOLDEN) if isinstance(one, Frame)]
    assert [(f.status, f.mode, f.value, f.unit) for f in frames] == [
        ("stable", "gross", Decimal("12.34"), "kg"),
        ("motion", "gross", Decimal("-1.640"), "kg"),
        ("stable", "net", Decimal("150.0"), "g"),
        ("overload", "gross", None, None),
        ("stable", "gross", Decimal("0.500"), "lb"),
        ("error", None, None, None),
    ]
    assert [f.milligrams for f in frames[:3]] == [12_340_000, -1_640_000, 150_000]


def test_the_transcript_reads_the_same_however_it_is_split() -> None:
    whole = [one for one in read(GOLDEN) if isinstance(one, Frame)]
    for cut in range(1, len(GOLDEN)):
        parts = read(GOLDEN[:cut], GOLDEN[cut:])
        assert [one for one in parts if isinstance(one, Frame)] == whole
    single = read(*(GOLDEN[i : i + 1] for i in range(len(GOLDEN))))
    assert [one for one in single if isinstance(one, Frame)] == whole


def test_every_byte_is_in_a_frame_or_told_as_skipped() -> None:
    lines = list(decode(GOLDEN, "ad"))
    summary = lines[-1]
    skipped = sum(line["skipped"] for line in lines[:-1] if "skipped" in line)
    assert summary == {"kind": "summary", "frames": 6, "skipped_bytes": skipped}
    assert lines[0] == {"offset": 0, "skipped": 10}
    assert lines[1] == {
        "offset": 10,
        "protocol": "ad",
        "status": "stable",
        "mode": "gross",
        "value": "12.34",
        "unit": "kg",
    }


def test_a_lost_or_foreign_byte_never_makes_another_weight() -> None:
    rng = random.Random(7)
    telegram = b"ST,GS,-0001.640kg\r\n"
    for _ in range(20_000 * SIZE):
        at = rng.randrange(len(telegram))
        lost = telegram[:at] + telegram[at + 1 :]
        assert not any(isinstance(one, Frame) for one in read(lost)), lost
        foreign = telegram[:at] + bytes([rng.randrange(256)]) + telegram[at:]
        for one in read(foreign):
            if isinstance(one, Frame) and one.value is not None:
                assert (one.status, one.value, one.unit) == ("stable", Decimal("-1.640"), "kg")


def test_an_unknown_protocol_is_told_with_those_that_are() -> None:
    with pytest.raises(OperatorError, match="'mt' is not known") as error:
        list(decode(b"", "mt"))
    assert "ad" in error.value.todo

"""A&D telegrams: whole ones are taken, everything else is skipped and never becomes a weight."""

from __future__ import annotations

import os
import random
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.decode import decode, decode_file
from drivers.indicator_ad import Decoder, Frame, Skipped
from kiosk.core.errors import OperatorError

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
GOLDEN = (
    b"12.34kg\r\n"  # the end of a telegram: the port was opened in its middle
    b"ST,GS,+00012.34kg\r\n"
    b"US,GS,-0001.640kg\r\n"
    b"\x00\x7fST,NT,+   150.0 g\r\n"
    b"OL,GS,+9999999kg\r\n"
    b"OL,GS,-        kg\r\n"
    b"Z\r\n"
    b"ST,GS,+0000.500lb\r\n"
    b"QT,TR,-000.0005 t\r\n"
    b"UL,GS,-00000.00kg\r\n"
    b"EC,E1\r\n"
    b"ST,GS,+000"
)


def read(*pieces: bytes) -> list[Frame | Skipped]:
    decoder = Decoder()
    found = [one for piece in pieces for one in decoder.feed(piece)]
    return found + list(decoder.end())


def frames(*pieces: bytes) -> list[Frame]:
    return [one for one in read(*pieces) if isinstance(one, Frame)]


def encoded(frame: Frame) -> set[bytes]:
    """Every telegram that says this, written out anew from what the frame holds."""
    status = {"stable": ["ST", "QT"], "motion": ["US"]}[frame.status]
    mode = {"gross": "GS", "net": "NT", "tare": "TR"}[str(frame.mode)]
    sign = "-" if str(frame.value).startswith("-") else "+"
    number = str(frame.value).lstrip("-")
    return {
        f"{head},{mode},{sign}{number:{fill}>8}{frame.unit:>2}\r\n".encode()
        for head in status
        for fill in "0 "
    }


def test_golden_transcript() -> None:
    found = frames(GOLDEN)
    assert [(f.status, f.mode, f.value, f.unit) for f in found] == [
        ("stable", "gross", Decimal("12.34"), "kg"),
        ("motion", "gross", Decimal("-1.640"), "kg"),
        ("stable", "net", Decimal("150.0"), "g"),
        ("overload", "gross", None, None),
        ("underload", "gross", None, None),
        ("stable", "gross", Decimal("0.500"), "lb"),
        ("stable", "tare", Decimal("-0.0005"), "t"),
        ("underload", "gross", None, None),
        ("error", None, None, None),
    ]
    milligrams = [f.milligrams for f in found if f.value is not None]
    assert milligrams == [12_340_000, -1_640_000, 150_000, 226_796, -500_000]


def test_the_transcript_reads_the_same_however_it_is_split() -> None:
    whole = frames(GOLDEN)
    for cut in range(1, len(GOLDEN)):
        assert frames(GOLDEN[:cut], GOLDEN[cut:]) == whole
    assert frames(*(GOLDEN[i : i + 1] for i in range(len(GOLDEN)))) == whole


@pytest.mark.parametrize("start", range(19))
def test_a_port_opened_in_mid_telegram_loses_that_telegram_only(start: int) -> None:
    stream = b"ST,GS,-0001.640kg\r\nST,GS,-0001.660kg\r\n"
    values = [str(frame.value) for frame in frames(stream[start:])]
    assert values == (["-1.640"] if start == 0 else []) + ["-1.660"]


def test_every_byte_is_in_a_frame_or_told_as_skipped(tmp_path: Path) -> None:
    capture = tmp_path / "capture.bin"
    capture.write_bytes(GOLDEN)
    lines = list(decode_file(capture))
    assert lines[:2] == [
        {"offset": 0, "skipped": 9},
        {
            "offset": 9,
            "protocol": "ad",
            "status": "stable",
            "mode": "gross",
            "value": "12.34",
            "unit": "kg",
        },
    ]
    skipped = sum(line.get("skipped", 0) for line in lines)
    assert lines[-1] == {"kind": "summary", "frames": 9, "skipped_bytes": skipped}
    assert skipped == 9 + 2 + 3 + 10
    starts = [line["offset"] for line in lines[:-1]]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize(
    "telegram",
    [
        b"ST,GS,+00012.34 kg\r\n",  # one k lost from here would leave grams
        b"ST,GS,+00012.34  g\r\n",
        b"ST,GS,+0001.640g\r\n",
        b"ST,GS,+001.640kg\r\n",
        b"ST,GS, 0001.640kg\r\n",
        b"ST,GS,+ 001.640kg\r\n",  # its first digit may have been another
        b"ST,GS,+0001640.kg\r\n",
        b"ST,GS,+.0001640kg\r\n",
        b"ST,GS,+00.1.640kg\r\n",
        b"ST,GS,+      0kgkg\r\n",
        b"ST,GS,+        kg\r\n",
        b"ST,GS,+0001.640kg\n",
        b"ST,GS,+0001.640kg\r",
        b"T,GS,+0001.640kg\r\n",
        b"ST,XX,+0001.640kg\r\n",
        b"st,gs,+0001.640KG\r\n",
        b"ST,GS,+0001.640oz\r\n",
        b"ST,GS,+\xd9\xa0001.64kg\r\n",
        b"EC,E8\r\n",
    ],
)
def test_what_is_nearly_a_telegram_is_skipped(telegram: bytes) -> None:
    assert frames(telegram) == []


def test_noise_without_end_is_skipped_in_bounded_memory() -> None:
    decoder = Decoder()
    skipped = sum(one.length for _ in range(1_000) for one in decoder.feed(bytes(1_000)))
    assert skipped > 999_000
    after = [one for one in decoder.feed(GOLDEN[9:28]) if isinstance(one, Frame)]
    assert [frame.value for frame in after] == [Decimal("12.34")]


def test_mutated_streams_never_yield_a_weight_that_was_not_sent_byte_for_byte() -> None:
    rng = random.Random(7)
    telegrams = [
        b"ST,GS,-0001.640kg\r\n",
        b"US,GS,+00012.34kg\r\n",
        b"ST,NT,+   150.0 g\r\n",
        b"ST,GS,-00000500 t\r\n",
        b"OL,GS,+9999.999kg\r\n",
        b"EC,E3\r\n",
    ]
    for _ in range(5_000 * SIZE):
        stream = bytearray(b"".join(rng.choices(telegrams, k=3)))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(stream))
            match rng.randrange(4):
                case 0:
                    del stream[at]
                case 1:
                    stream[at] = rng.randrange(256)
                case 2:
                    stream.insert(at, rng.choice((0, 0x7F, 0x20, 0x2E, 0x30, rng.randrange(256))))
                case _:
                    del stream[at : at + rng.randrange(2, 25)]
        covered = 0
        for found in read(bytes(stream)):
            if isinstance(found, Skipped):
                assert found.offset == covered
                covered += found.length
            else:
                assert found.offset == covered
                covered = stream.index(b"\n", covered) + 1
                if found.value is not None:
                    assert bytes(stream[found.offset : covered]) in encoded(found)
        assert covered == len(stream)


def test_an_unknown_protocol_is_told_with_those_that_are() -> None:
    with pytest.raises(OperatorError, match="'mt' is not known") as error:
        list(decode(b"", "mt"))
    assert "ad" in error.value.todo

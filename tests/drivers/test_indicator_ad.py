"""A&D telegrams: whole ones are taken, everything else is skipped and never becomes a weight."""

from __future__ import annotations

from pathlib import Path

import pytest
from indicator_site import TRANSCRIPTS, read
from indicator_site import frames as frames_of

from drivers.decode import decode, decode_file
from drivers.telegram import Frame
from kiosk.core.errors import OperatorError

GOLDEN = TRANSCRIPTS["ad"].raw


def frames(*pieces: bytes) -> list[Frame]:
    return frames_of(read("ad", *pieces))


def test_every_unit_in_whole_milligrams() -> None:
    milligrams = [f.milligrams for f in frames(GOLDEN) if f.value is not None]
    assert milligrams == [12_340_000, -1_640_000, 150_000, 226_796, -500_000, 123_450]


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
    assert lines[-1] == {"kind": "summary", "frames": 10, "skipped_bytes": skipped}
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
        b"ST,+0001.640kg\r\n",
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


def test_an_unknown_protocol_is_told_with_those_that_are() -> None:
    with pytest.raises(OperatorError, match="'mt' is not known") as error:
        list(decode(b"", "mt"))
    assert "ad" in error.value.todo

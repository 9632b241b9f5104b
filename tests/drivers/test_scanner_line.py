"""What a scanner module says on its line, in whatever pieces it comes."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.scanner_line import (
    ENDS,
    MAX_OWED,
    MAX_TEXT_BYTES,
    PATIENCE_MS,
    READ_MODE,
    SCAN_ONCE,
    Decoder,
    Frame,
    Half,
    Overlong,
    Reply,
    Suffix,
    Text,
)

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
WRITTEN = bytes.fromhex("02000001003331")
"""GM65 user manual V1.3: the answer to what was written."""
SUFFIXES = st.sampled_from(sorted(ENDS))
PIECES = st.lists(st.integers(0, 60), max_size=12)


def heard(
    line: bytes, cuts: Sequence[int] = (), suffix: Suffix = "cr", owed: int = 0
) -> list[Frame]:
    decoder = Decoder(suffix)
    for _ in range(owed):
        decoder.expect_reply()
    frames: list[Frame] = []
    at = 0
    for cut in sorted(cuts):
        frames += decoder.feed(line[at:cut], 0)
        at = max(at, cut)
    return frames + decoder.feed(line[at:], 0)


def test_the_commands_are_the_manuals() -> None:
    assert bytes((0x7E, 0, 8, 1, 0, 2, 1, 0xAB, 0xCD)) == SCAN_ONCE
    assert bytes((0x7E, 0, 7, 1, 0, 0, 1, 0xAB, 0xCD)) == READ_MODE


@pytest.mark.parametrize("line", [b"CARD\r", b"CARD\r\n", b"\nCARD\r\n\r\n", b"\r\rCARD\r"])
def test_a_text_ends_with_cr_and_a_lf_behind_it_is_no_matter(line: bytes) -> None:
    assert heard(b"\r" + line) == [Text(b"CARD")]


def test_any_bytes_are_a_text_kanji_nul_and_eci() -> None:
    for text in ("資源回収".encode("shift_jis"), b"\0\0", b"\\000026\xe8", bytes(range(0x0E, 256))):
        assert heard(text + b"\r\nA\r\n") == [Text(text), Text(b"A")]
    assert heard(b"two\rlines\nof a QR\r\n", suffix="crlf") == [Text(b"two\rlines\nof a QR")]


def test_an_answer_is_told_from_texts_and_only_where_it_is_owed() -> None:
    assert heard(WRITTEN + b"CARD\r", owed=1) == [Reply(b"\0"), Text(b"CARD")]
    assert heard(b"CARD\r" + WRITTEN, owed=1) == [Text(b"CARD"), Reply(b"\0")]
    assert heard(WRITTEN + b"CARD\r") == [Text(WRITTEN + b"CARD")]
    assert heard(WRITTEN * 2 + b"\r", owed=1) == [Reply(b"\0"), Text(WRITTEN)]


def test_an_answer_whose_sum_is_wrong_is_none() -> None:
    for at in range(2, len(WRITTEN)):
        spoilt = bytearray(WRITTEN)
        spoilt[at] ^= 0x10
        found = heard(bytes(spoilt) + b"\r" + bytes(300), owed=1)
        assert not any(isinstance(frame, Reply) for frame in found)


def test_many_commands_without_an_answer_do_not_wait_for_ever() -> None:
    assert heard(WRITTEN * (MAX_OWED + 1) + b"\r", owed=100) == [
        *[Reply(b"\0")] * MAX_OWED,
        Text(WRITTEN),
    ]


def test_what_is_longer_than_any_qr_code_is_told_and_the_next_text_read() -> None:
    longest = b"1" * MAX_TEXT_BYTES
    assert heard(longest + b"\rA\r") == [Text(longest), Text(b"A")]
    assert heard(longest + b"1\rA\r") == [Overlong(MAX_TEXT_BYTES + 1), Text(b"A")]
    assert heard(b"1" * 100_000 + b"\r\nA\r\n", [10_000, 50_000], "crlf") == [
        Overlong(100_000),
        Text(b"A"),
    ]


def test_a_line_that_never_ends_is_not_kept() -> None:
    decoder = Decoder("crlf")
    for _ in range(100):
        assert decoder.feed(b"1" * 10_000, 0) == []
        assert len(decoder._held) <= MAX_TEXT_BYTES + 1


def test_a_text_without_its_end_never_becomes_the_next_ones_begin() -> None:
    decoder = Decoder()
    assert decoder.feed(b"HALF", 0) == []
    assert decoder.feed(b"", PATIENCE_MS) == []
    assert decoder.feed(b"CARD\r", PATIENCE_MS + 1) == [Half(4), Text(b"CARD")]
    assert decoder.feed(b"", 9_000) == []


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.binary(max_size=60), PIECES, SUFFIXES, st.integers(0, 2))
def test_the_pieces_in_which_bytes_come_change_nothing(
    line: bytes, cuts: list[int], suffix: Suffix, owed: int
) -> None:
    assert heard(line, cuts, suffix, owed) == heard(line, [], suffix, owed)


TOKENS = st.sampled_from([WRITTEN, b"\r", b"\n", b"\x02", b"\0", b"A", WRITTEN[:5], b"\r\n"])


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.lists(TOKENS, max_size=8), PIECES, SUFFIXES, st.integers(0, 2))
def test_nor_where_ends_and_answers_are_dense(
    tokens: list[bytes], cuts: list[int], suffix: Suffix, owed: int
) -> None:
    line = b"".join(tokens)
    assert heard(line, cuts, suffix, owed) == heard(line, [], suffix, owed)


@settings(max_examples=200 * SIZE, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), SUFFIXES)
def test_texts_come_out_as_they_went_in(texts: list[bytes], suffix: Suffix) -> None:
    end = ENDS[suffix]
    clean = [text.replace(b"\r", b"?").replace(b"\n", b"?").replace(b"\t", b"?") for text in texts]
    assert heard(b"".join(text + end for text in clean), [], suffix) == [
        Text(text) for text in clean
    ]

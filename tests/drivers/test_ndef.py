"""NDEF messages and the files they lie in: the URI of a good one, and nothing of any other."""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest
from hw_sim.ntag424 import FileChip, ndef_file
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import ndef, type4

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
URL = b"https://town.example/c?picc_data=" + b"A" * 32 + b"&cmac=" + b"B" * 16


def record(payload: bytes, kind: bytes = b"U", flags: int = 0xD1, tail: bytes = b"") -> bytes:
    return bytes((flags, len(kind), len(payload))) + kind + payload + tail


@pytest.mark.parametrize(
    ("message", "address"),
    [
        (record(b"\x04town.example"), b"https://town.example"),
        (record(b"\x00\xe5\x85\xac"), b"\xe5\x85\xac"),
        (record(b"\x23x"), b"urn:nfc:x"),
        (bytes.fromhex("c101") + (3).to_bytes(4, "big") + b"U\x04ab", b"https://ab"),
        (bytes.fromhex("d9010302") + b"Uid\x04ab", b"https://ab"),
        (record(b"\x02enHi", b"T"), None),
        (record(b"\x02enHi", b"T", 0x91) + record(b"\x04ab", flags=0x51), b"https://ab"),
        (record(b"\x04ab", flags=0x91) + record(b"\x04cd", flags=0x51), b"https://ab"),
        (bytes.fromhex("d00000"), None),
        (record(b"\x04ab", b"U", 0xD2), None),
    ],
)
def test_the_address_of_a_good_message_is_found(message: bytes, address: bytes | None) -> None:
    assert ndef.uri(message) == address


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xd1",
        record(b"\x04town")[:-1],
        record(b"\x04town") + b"\0",
        record(b""),
        record(b"\x24x"),
        record(b"\x04x", flags=0x51),
        record(b"\x04x", flags=0x91),
        record(b"\x04x", flags=0xF1),
        record(b"\x04x", flags=0xD6),
        record(b"\x04x", flags=0xD7),
        record(b"\x04x", flags=0xD5),
        bytes.fromhex("c10100"),
        bytes.fromhex("c101ffffffff55"),
        record(b"\x04x", flags=0x91) + record(b"\x04x", flags=0xD1),
        record(b"", b"", 0x90) + record(b"", b"", 0x10) * 15 + record(b"", b"", 0x50),
        bytes(2000),
    ],
)
def test_what_is_no_message_is_refused_without_repeating_it(message: bytes) -> None:
    with pytest.raises(ndef.NdefError) as caught:
        ndef.uri(message)
    assert "town" not in str(caught.value)


@settings(max_examples=500 * SIZE, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_none(message: bytes) -> None:
    try:
        ndef.uri(message)
    except ndef.NdefError:
        return


def test_a_message_with_changed_bytes_never_gives_more_than_its_bytes() -> None:
    dice = random.Random(424)
    good = record(b"\x04" + URL[8:])
    for _ in range(20_000 * SIZE):
        message = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            message[dice.randrange(len(message))] = dice.randrange(256)
        try:
            found = ndef.uri(bytes(message))
        except ndef.NdefError:
            continue
        assert found is None or len(found) <= len(message) + 30


# -- the file on the chip -----------------------------------------------------------------------------


def test_a_chips_message_is_read_whole_however_long() -> None:
    for size in (10, 120, 125, 126, 127, 240):
        url = b"https://" + b"x" * size
        assert ndef.uri(type4.read_message(FileChip(url).exchange) or b"") == url


def test_a_chip_that_gives_a_little_at_a_time_is_read_too() -> None:
    chip = FileChip(URL)

    def sparing(apdu: bytes) -> bytes:
        answer = chip.exchange(apdu)
        return answer if len(answer) < 20 else answer[:7] + b"\x90\x00"

    assert ndef.uri(type4.read_message(sparing) or b"") == URL


@pytest.mark.parametrize("answer", ["6a82", "6d00", "6e00", "6a81"])
def test_a_card_with_nothing_to_read_has_no_message(answer: str) -> None:
    assert type4.read_message(lambda _apdu: bytes.fromhex(answer)) is None


@pytest.mark.parametrize("answer", ["", "90", "6982", "00" * 300 + "9000", "6700"])
def test_a_card_that_answers_what_cannot_be_is_unreadable(answer: str) -> None:
    def stubborn(apdu: bytes) -> bytes:
        return b"\x90\x00" if apdu[1] == 0xA4 else bytes.fromhex(answer)

    with pytest.raises(type4.UnreadableError):
        type4.read_message(stubborn)


def test_a_file_that_says_it_is_endless_is_not_read() -> None:
    chip = FileChip(b"")
    asked = 0

    def boasting(apdu: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return b"\xff\xff\x90\x00" if apdu[1] == 0xB0 else chip.exchange(apdu)

    with pytest.raises(type4.UnreadableError):
        type4.read_message(boasting)
    assert asked == 3


@settings(max_examples=200 * SIZE, deadline=None)
@given(st.data())
def test_any_chip_is_read_to_an_end(data: st.DataObject) -> None:
    asked = 0

    def anything(apdu: bytes) -> bytes:
        nonlocal asked
        asked += 1
        good = data.draw(st.booleans())
        body = data.draw(st.binary(max_size=20)) if apdu[1] == 0xB0 else b""
        return body + (b"\x90\x00" if good else data.draw(st.binary(max_size=3)))

    with suppress(type4.UnreadableError):
        type4.read_message(anything)
    assert asked <= type4.MAX_FILE_BYTES + 3


def test_the_models_file_is_what_the_tag_specification_draws() -> None:
    assert ndef_file(b"https://a.b")[:11].hex() == "0008d1010455" + "04612e62" + "00"

"""The PN532's frames as the manual draws them, cut, surrounded by noise and changed."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import pn532
from drivers.pn532 import Ack, Answer, Decoder, GarbledError, Nack, Skipped, SyntaxErrorFrame

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))

FIRMWARE = bytes.fromhex("0000ff06fad50332010607e800")
CLASSIC = bytes.fromhex("0000ff0cf4d54b010100040804a1b2c3ac00")
NTAG = bytes.fromhex("0000ff0ff1d54b01010044000704a1b2c3d4e5800300")
DESFIRE = bytes.fromhex("0000ff15ebd54b01010344200704a1b2c3d4e580067577810280b900")
FELICA = bytes.fromhex("0000ff18e8d54b0101140101120312b50ac8260120220427674eff0003fb00")
EMPTY = bytes.fromhex("0000ff03fdd54b00e000")


def framed(body: bytes) -> bytes:
    head = bytes((len(body), -len(body) % 256))
    return b"\x00\x00\xff" + head + body + bytes((-sum(body) % 256, 0))


TRANSCRIPT = (
    pn532.ACK + FIRMWARE + b"\x00\x00" + bytes.fromhex("0000ffff0000") + pn532.ACK
    + framed(b"\xd5\x4b" + bytes.fromhex("0101004408")[:3] + b"\x44\x00\x07" + b"\x04abcdef")
    + bytes.fromhex("0000ff01ff7f8100") + framed(b"\xd5\x4b\x00")
)  # fmt: skip
TOLD = [
    Ack(),
    Answer(0x02, bytes.fromhex("32010607")),
    Nack(),
    Ack(),
    Answer(0x4A, b"\x01\x01\x00\x44\x00\x07\x04abcdef"),
    SyntaxErrorFrame(),
    Answer(0x4A, b"\x00"),
]


def told(data: bytes) -> list[pn532.Frame]:
    return Decoder().feed(data)


def test_commands_are_those_of_the_manual() -> None:
    assert pn532.command(0x02).hex() == "0000ff02fed4022a00"
    assert pn532.command(0x14, pn532.SAM_NORMAL).hex() == "0000ff05fbd4140114000300"
    assert pn532.command(0x4A, pn532.LIST_TYPE_A).hex() == "0000ff04fcd44a0100e100"


def test_a_long_command_travels_in_an_extended_frame_and_a_longer_one_not_at_all() -> None:
    frame = pn532.command(0x40, bytes(260))
    assert frame[:8].hex() == "0000ffffff0106f9"
    with pytest.raises(ValueError):
        pn532.command(0x40, bytes(264))


@pytest.mark.parametrize("cut", range(len(TRANSCRIPT) + 1))
def test_a_conversation_cut_anywhere_is_understood(cut: int) -> None:
    decoder = Decoder()
    assert decoder.feed(TRANSCRIPT[:cut]) + decoder.feed(TRANSCRIPT[cut:]) == TOLD


def test_a_conversation_in_single_bytes_is_understood() -> None:
    decoder = Decoder()
    assert [frame for byte in TRANSCRIPT for frame in decoder.feed(bytes((byte,)))] == TOLD


def test_an_extended_answer_is_understood_and_one_with_a_bad_length_is_not() -> None:
    body = b"\xd5\x41" + bytes(258)
    frame = b"\x00\x00\xff\xff\xff\x01\x04\xfb" + body + bytes((-sum(body) % 256, 0))
    assert told(frame) == [Answer(0x40, bytes(258))]
    assert not any(isinstance(f, Answer) for f in told(frame[:7] + b"\xfa" + frame[8:]))


def test_noise_before_a_frame_is_counted_and_the_frame_is_found() -> None:
    assert told(b"\x12\x34\xff" + FIRMWARE) == [Skipped(3), TOLD[1]]


def test_a_broken_frame_does_not_swallow_the_good_one_behind_it() -> None:
    broken = FIRMWARE[:6] + b"\x55" + FIRMWARE[7:]
    frames = told(broken + FIRMWARE)
    assert [f for f in frames if not isinstance(f, Skipped)] == [TOLD[1]]


def test_a_frame_that_never_ends_is_forgotten_when_asked() -> None:
    decoder = Decoder()
    assert decoder.feed(FIRMWARE[:9]) == []
    assert decoder.flush() == 9
    assert decoder.feed(FIRMWARE) == [TOLD[1]]


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.binary(max_size=400))
def test_the_decoder_survives_any_bytes_and_holds_little(data: bytes) -> None:
    decoder = Decoder()
    decoder.feed(data)
    decoder.feed(bytes(300))
    assert decoder.feed(FIRMWARE)[-1:] == [TOLD[1]]


def answer_of(frame: bytes) -> bytes:
    body = frame[5:-2]
    return body[2:]


def test_cards_of_every_size_are_read() -> None:
    assert pn532.type_a_target(bytes.fromhex("01010004080404a1b2c3")) is not None
    desfire = pn532.type_a_target(answer_of(DESFIRE))
    assert desfire is not None
    assert desfire.uid == bytes.fromhex("04a1b2c3d4e580")
    triple = pn532.type_a_target(bytes.fromhex("01010084000a" + "04" * 10))
    assert triple is not None
    assert len(triple.uid) == 10


def test_a_felica_card_gives_its_idm() -> None:
    target = pn532.felica_target(answer_of(FELICA))
    assert target is not None
    assert target.uid == bytes.fromhex("01120312b50ac826")


def test_an_empty_field_is_no_card() -> None:
    assert pn532.type_a_target(answer_of(EMPTY)) is None
    assert pn532.felica_target(answer_of(EMPTY)) is None


@pytest.mark.parametrize(
    ("why", "answer"),
    [
        ("two targets told", "020100040804a1b2c3d4"),
        ("one byte too many", "01010004080404a1b2c300"),
        ("one byte too few", "01010004080404a1b2"),
        ("ATQA of a 7-byte UID", "01010044080404a1b2c3"),
        ("ATQA of no size", "010100c4080404a1b2c3"),
        ("reserved ATQA bits", "01011004080404a1b2c3"),
        ("two anticollision bits", "01010006080404a1b2c3"),
        ("SAK says it goes on", "010100040c0404a1b2c3"),
        ("a cascade tag", "01010004080488a1b2c3"),
        ("an ATS is missing", "01010004200404a1b2c3"),
        ("an ATS of another length", "01010004200404a1b2c3067577"),
        ("five bytes of UID", "01010004080504a1b2c3d4"),
        ("nothing", ""),
    ],
)
def test_an_answer_that_gainsays_itself_is_no_card(why: str, answer: str) -> None:
    with pytest.raises(GarbledError):
        pn532.type_a_target(bytes.fromhex(answer))


def test_a_type_b_card_is_noticed_and_its_number_is_not() -> None:
    target = pn532.type_b_target(bytes.fromhex("010150a1b2c3d4000000003385810100"))
    assert target == pn532.Target("b", b"")
    assert pn532.type_b_target(b"\x00") is None
    for broken in ("010150a1b2c3d4000000003385810200", "010151" + "00" * 13, "0101"):
        with pytest.raises(GarbledError):
            pn532.type_b_target(bytes.fromhex(broken))


def test_another_chip_is_not_taken_for_a_pn532() -> None:
    assert pn532.check_firmware(bytes.fromhex("32010607")) == "1.6"
    with pytest.raises(GarbledError):
        pn532.check_firmware(bytes.fromhex("07010607"))


@pytest.mark.parametrize("seed", range(4 * SIZE))
def test_changed_answers_never_agree_on_another_card(seed: int) -> None:
    """Answers to the same card, each changed at random: two in a row never agree on another."""
    dice = random.Random(seed)
    true_uid = bytes.fromhex("04a1b2c3d4e580")
    good = framed(b"\xd5\x4b" + bytes.fromhex("010100440007") + true_uid)
    before: bytes | None = None
    single_wrong = 0
    for _ in range(2_000):
        frame = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(frame))
            match dice.randrange(4):
                case 0:
                    frame[at] ^= 1 << dice.randrange(8)
                case 1:
                    del frame[at]
                case 2:
                    frame.insert(at, dice.randrange(256))
                case _:  # a change that the sum does not see
                    other = dice.randrange(len(frame))
                    step = dice.randrange(1, 256)
                    frame[at] = (frame[at] + step) % 256
                    frame[other] = (frame[other] - step) % 256
        uid = None
        for told_frame in told(bytes(frame)):
            if isinstance(told_frame, Answer) and told_frame.command == 0x4A:
                try:
                    target = pn532.type_a_target(told_frame.data)
                except GarbledError:
                    continue
                uid = target.uid if target else None
        if uid is not None and uid != true_uid:
            single_wrong += 1
            assert uid != before
        before = uid
    assert single_wrong < 200  # the sum's blind spot, which the second answer closes


def test_no_identifier_shows_in_a_repr() -> None:
    target = pn532.type_a_target(bytes.fromhex("01010004080404a1b2c3"))
    assert "04a1" not in repr(target)
    assert "a1" not in repr(TOLD[4]).replace("data", "")

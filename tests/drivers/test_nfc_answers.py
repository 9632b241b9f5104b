"""What readers with a library of their own say of a card: golden answers, and whatever else may come."""

from __future__ import annotations

import os

import pytest
from hw_sim.pcsc_peer import PcscCard
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.nfc_card import NUMBERLESS, TYPE_B, Chip, felica, type_a
from drivers.pcsc_answers import GET_UID, chip

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
MIFARE_1K = bytes.fromhex("3b8f8001804f0ca000000306030001000000006a")
"""ACR122U API 2.04, 3.1: the ATR of a MIFARE Classic 1K."""
DESFIRE = bytes.fromhex("3b8180018080")
"""ACR122U API 2.04, 3.2: the ATR of a MIFARE DESFire (ISO 14443-4, one historical byte)."""
NTAG, FELICA = PcscCard.ntag(b"").atr, PcscCard.felica(b"").atr
PASSPORT_B = PcscCard.my_number(b"").atr


def test_the_question_is_the_acr122us() -> None:
    assert bytes(GET_UID).hex() == "ffca000000"


@pytest.mark.parametrize(
    ("atr", "answer", "found"),
    [
        (MIFARE_1K, "d5a1b2c39000", Chip("a", bytes.fromhex("d5a1b2c3"))),
        (NTAG, "04a1b2c3d4e5809000", Chip("a", bytes.fromhex("04a1b2c3d4e580"))),
        (DESFIRE, "04112233445566" + "9000", Chip("a", bytes.fromhex("04112233445566"))),
        (FELICA, "01120312b50ac8269000", Chip("felica", bytes.fromhex("01120312b50ac826"))),
        (PASSPORT_B, "a1b2c3d49000", TYPE_B),
        (MIFARE_1K, "6300", NUMBERLESS),
        (bytes.fromhex("3b65000020630100"), "6a81", NUMBERLESS),
    ],
)
def test_golden_answers(atr: bytes, answer: str, found: Chip) -> None:
    assert chip(atr, bytes.fromhex(answer)) == found


@pytest.mark.parametrize(
    ("atr", "answer"),
    [
        (b"", "04a1b2c3d4e5809000"),
        (b"\x3c\x00", "9000"),
        (MIFARE_1K[:-1] + b"\x00", "d5a1b2c39000"),
        (MIFARE_1K, "9000"),
        (MIFARE_1K, "d5a1b29000"),
        (MIFARE_1K, "88a1b2c39000"),
        (NTAG, "01120312b50ac8269000"),
        (FELICA, "04a1b2c3d4e5809000"),
        (NTAG, "90"),
        (NTAG, ""),
    ],
)
def test_parts_that_gainsay_each_other_are_no_card(atr: bytes, answer: str) -> None:
    with pytest.raises(ValueError, match=r"ATR|number|UID|IDm|status|cascade"):
        chip(atr, bytes.fromhex(answer))


@pytest.mark.parametrize(("size", "atqa"), [(4, 0x44), (7, 0x04), (10, 0x44), (4, 0xC4)])
def test_a_uid_that_atqa_denies_is_none(size: int, atqa: int) -> None:
    with pytest.raises(ValueError, match="ATQA"):
        type_a(bytes(range(4, 4 + size)), atqa)


def test_a_number_is_in_no_repr() -> None:
    for found in (type_a(b"\x04\xa1\xb2\xc3"), felica(bytes(range(8)))):
        assert found.uid.hex() not in repr(found) and str(found.uid) not in repr(found)


def test_a_telephone_is_the_same_guest_at_every_look() -> None:
    assert type_a(b"\x08\x01\x02\x03").key == type_a(b"\x08\x77\x66\x55").key
    assert type_a(b"\x04\x01\x02\x03").key != type_a(b"\x04\x77\x66\x55").key


@settings(max_examples=500 * SIZE, deadline=None)
@given(
    st.one_of(st.binary(max_size=40), st.sampled_from([MIFARE_1K, NTAG, FELICA, PASSPORT_B])),
    st.binary(max_size=20),
)
def test_any_answer_is_a_card_of_lawful_size_or_refused(atr: bytes, answer: bytes) -> None:
    try:
        found = chip(atr, answer)
    except ValueError:
        return
    assert len(found.uid) in (0, 4, 7, 8, 10)
    assert (len(found.uid) == 8) == (found.kind == "felica")

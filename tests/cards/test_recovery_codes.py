"""The slip's code, typed by a caretaker of seventy on whatever keyboard there is."""

from __future__ import annotations

import hashlib
import hmac
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.cards import CardBody, CardDesk, issue, pseudonym, recovery
from kiosk.core.errors import OperatorError
from kiosk.core.events import CardRefused, SlipSeen

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
KEY, OTHER_KEY, PSEUDONYM_KEY = bytes(range(32)), bytes(range(100, 132)), bytes(range(32, 64))
ID = bytes(range(10))
CODE = recovery.code(ID, KEY)
CODES = {"recovery_length", "recovery_character", "recovery_mistyped", "recovery_forged"}
IDS = st.binary(min_size=10, max_size=10)


def refusal(typed: str) -> OperatorError:
    with pytest.raises(OperatorError) as caught:
        recovery.parse(typed, [KEY])
    return caught.value


def test_a_code_put_together_by_hand_from_the_table_is_taken() -> None:
    tag = hmac.new(KEY, b"kiosk-recovery-v1\0" + b"\0" + ID, hashlib.sha256).digest()[:5]
    bits = "".join(f"{byte:08b}" for byte in ID + tag)
    plain = "".join(recovery.ALPHABET[int(bits[at : at + 5], 2)] for at in range(0, 120, 5))
    assert CODE[:24] == plain
    assert recovery.parse(CODE, [KEY]) == recovery.Recovered(ID)


@given(IDS, st.booleans())
@settings(max_examples=100 * SIZE)
def test_every_code_is_read_back_also_with_another_key_beside_its_own(
    random_id: bytes, household: bool
) -> None:
    code = recovery.code(random_id, KEY, household=household)
    assert recovery.parse(code, [OTHER_KEY, KEY]) == recovery.Recovered(random_id, household)
    with pytest.raises(OperatorError) as caught:
        recovery.parse(code, [OTHER_KEY])
    assert caught.value.code == "recovery_forged"


@pytest.mark.parametrize(
    "typed",
    [
        recovery.grouped(CODE),
        CODE.lower(),
        "  " + "  ".join(CODE[at : at + 5] for at in range(0, 25, 5)) + " ",
        CODE.replace("0", "O").replace("1", "l"),
        "".join(chr(ord(char) + 0xFEE0) for char in CODE),  # full-width letters
        "ー".join(CODE[at : at + 5] for at in range(0, 25, 5)),
    ],
)
def test_it_is_taken_however_a_keyboard_writes_it(typed: str) -> None:
    assert recovery.parse(typed, [KEY]) == recovery.Recovered(ID)


@given(IDS, st.integers(0, 24), st.integers(1, 31))
@settings(max_examples=200 * SIZE)
def test_every_wrong_character_is_found_without_a_key(
    random_id: bytes, place: int, shift: int
) -> None:
    code = recovery.code(random_id, KEY)
    value = (recovery.ALPHABET.index(code[place]) + shift) % 32
    wrong = code[:place] + recovery.ALPHABET[value] + code[place + 1 :]
    with pytest.raises(OperatorError) as caught:
        recovery.typed_values(wrong)
    assert caught.value.code == "recovery_mistyped"


@given(IDS, st.integers(0, 24), st.integers(0, 24))
@settings(max_examples=200 * SIZE)
def test_every_two_that_changed_places_are_found(random_id: bytes, one: int, two: int) -> None:
    letters = list(recovery.code(random_id, KEY))
    if letters[one] == letters[two]:
        return
    letters[one], letters[two] = letters[two], letters[one]
    with pytest.raises(OperatorError) as caught:
        recovery.typed_values("".join(letters))
    assert caught.value.code == "recovery_mistyped"


def test_a_wrong_letter_is_told_by_its_group_and_place() -> None:
    error = refusal("ABCDE FGHJK M?NPQ RSTVW XYZ01")
    assert (error.code, error.values) == ("recovery_character", {"group": 3, "place": 2})
    assert refusal(CODE[:-1]).values == {"count": 24, "chars": 25}


@given(st.text(max_size=60))
@settings(max_examples=200 * SIZE)
def test_whatever_is_typed_gets_a_plain_answer_that_does_not_repeat_it(typed: str) -> None:
    with pytest.raises(OperatorError) as caught:
        recovery.parse(typed, [KEY])
    assert caught.value.code in CODES


def test_a_photograph_of_the_card_does_not_give_its_code() -> None:
    """Whoever has the card's text has its id and its tag, and neither is the slip's tag."""
    text = issue(CardBody(1, 25_000, ID), KEY)
    tag = int.from_bytes(recovery._tag(ID, KEY, household=False), "big")
    assert tag.to_bytes(5, "big") not in text
    forged = recovery.code(ID, OTHER_KEY)
    assert refusal(forged).code == "recovery_forged"


def test_a_slip_before_the_camera_names_the_lost_card_and_its_account() -> None:
    desk = CardDesk({1: KEY}, PSEUDONYM_KEY)
    member = ID[:9] + b"\x02"
    slip = desk.identify_qr(recovery.code(member, KEY, household=True).encode(), t_ms=7, day=None)
    account = pseudonym(PSEUDONYM_KEY, "qr", ID[:9] + b"\0")
    assert slip == SlipSeen(7, pseudonym(PSEUDONYM_KEY, "qr", member), account)
    stranger = recovery.code(ID, OTHER_KEY).encode()
    assert desk.identify_qr(stranger, t_ms=7, day=None) == CardRefused(7, "qr", "unknown")

"""The card format: its published vectors, and whatever else a QR code or a chip may hold."""

from __future__ import annotations

import doctest
import hashlib
import hmac
import os
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core import cards
from kiosk.core.cards import CardBody, CardDesk, CardError, base45, names, token
from kiosk.core.cards.knowledge import Standing
from kiosk.core.events import CardRefused, CardSeen

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
CARD_KEY = bytes(range(32))
OTHER_KEY = bytes(range(100, 132))
PSEUDONYM_KEY = bytes(range(32, 64))
ID = bytes(range(10))
TODAY = cards.day_of(2026, 11, 24)
BODY = CardBody(key_id=1, last_day=cards.day_of(2030, 3, 31), random_id=ID)


class Closed(set[bytes]):
    """A list of closed cards."""

    def standing(self, name: bytes) -> Standing:
        return "closed" if name in self else "good"


def desk(closed: Closed | None = None) -> CardDesk:
    return CardDesk({1: CARD_KEY, 2: OTHER_KEY}, PSEUDONYM_KEY, lists=closed or Closed())


def refusal(outcome: CardSeen | CardRefused) -> str:
    assert isinstance(outcome, CardRefused)
    return outcome.reason


@pytest.mark.parametrize("documented", [base45, token, names])
def test_the_vectors_of_the_docs_hold(documented: ModuleType) -> None:
    result = doctest.testmod(documented)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        (b"AB", b"BB8"),
        (b"Hello!!", b"%69 VD92EX0"),
        (b"base-45", b"UJCLQE7W581"),
        (b"ietf!", b"QED8WEX0"),
        (b"", b""),
    ],
)
def test_base45_is_that_of_rfc_9285(plain: bytes, text: bytes) -> None:
    assert base45.encode(plain) == text
    assert base45.decode(text) == plain


@pytest.mark.parametrize("text", [b"GGW", b":::", b"::", b"A", b"ABCD", b"abc", b"AB\n", b"\xff00"])
def test_what_is_no_base45_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        base45.decode(text)


def test_a_card_put_together_by_hand_from_the_table_is_admitted() -> None:
    packed = bytes.fromhex("0101" + "0e9e") + ID
    days = cards.day_of(2020, 1, 1) + 0x0E9E
    tag = hmac.new(CARD_KEY, b"kiosk-card-v1" + packed, hashlib.sha256).digest()[:16]
    text = base45.encode(packed + tag)
    assert len(text) == 45
    assert cards.check(text, {1: CARD_KEY}) == CardBody(1, days, ID)


def test_a_good_card_becomes_the_documented_pseudonym() -> None:
    seen = desk().identify_qr(cards.issue(BODY, CARD_KEY), t_ms=5, day=TODAY)
    name = hmac.new(PSEUDONYM_KEY, b"kiosk-pseudonym-v1\0qr\0" + ID, hashlib.sha256).digest()[:16]
    assert seen == CardSeen(5, name, "qr", proves=True)


def test_cards_of_two_keys_are_good_while_they_are_renewed() -> None:
    renewed = cards.issue(CardBody(2, BODY.last_day, ID), OTHER_KEY)
    old = desk().identify_qr(cards.issue(BODY, CARD_KEY), t_ms=0, day=TODAY)
    assert desk().identify_qr(renewed, t_ms=0, day=TODAY) == old


def test_a_card_is_good_on_its_last_day_and_expired_on_the_next() -> None:
    text = cards.issue(BODY, CARD_KEY)
    assert isinstance(desk().identify_qr(text, t_ms=0, day=BODY.last_day), CardSeen)
    assert refusal(desk().identify_qr(text, t_ms=0, day=BODY.last_day + 1)) == "expired"


def test_a_station_that_does_not_know_the_day_expires_no_card() -> None:
    old = cards.issue(CardBody(1, cards.day_of(2020, 1, 1), ID), CARD_KEY)
    assert isinstance(desk().identify_qr(old, t_ms=0, day=None), CardSeen)


def test_a_card_of_another_town_is_unknown_and_a_copied_body_forged() -> None:
    foreign = cards.issue(CardBody(9, BODY.last_day, ID), OTHER_KEY)
    forged = cards.issue(BODY, OTHER_KEY)
    assert refusal(desk().identify_qr(foreign, t_ms=0, day=TODAY)) == "unknown"
    assert refusal(desk().identify_qr(forged, t_ms=0, day=TODAY)) == "forged"


def test_a_lost_card_is_closed() -> None:
    name = cards.pseudonym(PSEUDONYM_KEY, "qr", ID)
    text = cards.issue(BODY, CARD_KEY)
    assert refusal(desk(Closed({name})).identify_qr(text, t_ms=0, day=TODAY)) == "closed"


@pytest.mark.parametrize("uid", ["04a1b2c3", "04a1b2c3d4e580", "0123456789abcdef", "01" * 10])
def test_an_nfc_card_identifies_and_does_not_prove(uid: str) -> None:
    outcome = desk().identify_nfc(bytes.fromhex(uid), t_ms=7)
    assert isinstance(outcome, CardSeen)
    assert (outcome.by, outcome.proves, outcome.t_ms) == ("nfc", False, 7)


@pytest.mark.parametrize("uid", ["", "0102"])
def test_a_number_that_no_chip_has_is_unknown(uid: str) -> None:
    assert refusal(desk().identify_nfc(bytes.fromhex(uid), t_ms=0)) == "unknown"


@pytest.mark.parametrize("uid", ["08a1b2c3", "01fe010203040506", "02fe010203040506"])
def test_a_telephone_with_a_random_number_is_no_card(uid: str) -> None:
    assert refusal(desk().identify_nfc(bytes.fromhex(uid), t_ms=0)) == "random"


def test_the_same_number_on_paper_and_on_a_chip_is_not_the_same_person() -> None:
    assert cards.pseudonym(PSEUDONYM_KEY, "qr", ID) != cards.pseudonym(PSEUDONYM_KEY, "nfc", ID)


def test_no_token_shows_in_anything_printable() -> None:
    text = cards.issue(BODY, CARD_KEY)
    broken = text[:-1] + b"?"
    with pytest.raises(CardError) as caught:
        cards.check(broken, {1: CARD_KEY})
    shown = " ".join(
        repr(thing) + str(thing)
        for thing in (
            BODY,
            desk(),
            caught.value,
            desk().identify_qr(text, t_ms=0, day=TODAY),
            desk().identify_qr(broken, t_ms=0, day=TODAY),
            desk().identify_nfc(bytes.fromhex("04a1b2c3"), t_ms=0),
        )
    )
    for secret in (
        text.decode(),
        text.decode()[:12],
        ID.hex(),
        repr(ID),
        "04a1b2c3",
        CARD_KEY.hex(),
    ):
        assert secret not in shown


@settings(max_examples=200 * SIZE, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_judged_and_never_admitted(text: bytes) -> None:
    assert refusal(desk().identify_qr(text, t_ms=0, day=TODAY)) == "unknown"
    desk().identify_nfc(text, t_ms=0)


@settings(max_examples=200 * SIZE, deadline=None)
@given(st.binary(max_size=64))
def test_base45_gives_back_what_it_was_given(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.integers(0, 44), st.sampled_from(range(256)))
def test_a_card_with_one_changed_character_is_never_admitted(at: int, char: int) -> None:
    text = bytearray(cards.issue(BODY, CARD_KEY))
    if text[at] == char:
        return
    text[at] = char
    assert refusal(desk().identify_qr(bytes(text), t_ms=0, day=TODAY)) in ("unknown", "forged")


@settings(max_examples=100 * SIZE, deadline=None)
@given(st.binary(min_size=30, max_size=30))
def test_thirty_random_bytes_are_no_card(raw: bytes) -> None:
    text = base45.encode(raw)
    assert refusal(desk().identify_qr(text, t_ms=0, day=TODAY)) in ("unknown", "forged")

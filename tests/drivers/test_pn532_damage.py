"""Damaged answers through the whole NFC driver; ``tests/benchmarks/nfc_mutations.py`` by the million."""

from __future__ import annotations

import os
import random

import pytest
from nfc_driver import Station, Talk
from nfc_site import ACK, CARDS, DAMAGE, Card, Line, damaged, extended, preambles, reply

from drivers import pn532

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
NAMES = [card.name for card in CARDS]


@pytest.mark.parametrize("seed", range(2 * SIZE))
def test_damaged_answers_make_nobody_somebody_else_and_hang_nothing(seed: int) -> None:
    line = Line()
    with Station(line) as driver:
        talk = Talk(line, driver, random.Random(seed))
        while talk.counts["answers"] < 3_000:
            talk.round()
    assert talk.counts["right"] > 100
    assert talk.counts["wrong"] == 0
    assert talk.counts["hang"] == 0


@pytest.mark.parametrize("card", CARDS, ids=NAMES)
@pytest.mark.parametrize(("name", "before"), list(preambles()))
def test_every_lawful_preamble_is_read(card: Card, name: str, before: bytes) -> None:
    line = Line()
    with Station(line) as driver:
        for ahead in (before, b""):
            line.card = lambda asked, ahead=ahead: (  # type: ignore[misc]
                ahead + ACK + before + reply(0x4A, card.answers(asked)) + bytes(3)
            )
            assert driver.present(card) == [True]
    assert driver.lost == 0


@pytest.mark.parametrize("card", CARDS, ids=NAMES)
def test_a_frame_without_a_preamble_is_read_and_a_needlessly_long_head_is_not(card: Card) -> None:
    line = Line()
    with Station(line) as driver:
        line.begin()
        line.card = lambda asked: ACK[1:] + reply(0x4A, card.answers(asked))[1:]
        assert driver.present(card) == [True]
        body = reply(0x4A, card.answer)[5:-2]
        line.card = lambda asked: ACK + extended(body)
        assert driver.look_once(card) is None


@pytest.mark.parametrize("frame", ["0000ffff0000", "0000ff01ff7f8100", "0000ff00ff00", "12345678"])
def test_frames_out_of_turn_cost_a_repeat_and_no_card(frame: str) -> None:
    card, line, told = CARDS[1], Line(), 0
    with Station(line) as driver:

        def speak(asked: bytes) -> bytes:
            nonlocal told
            told += 1
            good = ACK + reply(0x4A, card.answers(asked))
            return good if told % 2 == 0 else bytes.fromhex(frame) + good

        line.card = speak
        assert driver.present(card) == [True]
    assert driver.lost == 0


def test_a_card_misread_twice_alike_is_asked_for_by_its_number_and_not_found() -> None:
    card, line = CARDS[1], Line()
    other = Card("misread", 0, bytes.fromhex("04a1b2c3d4e581"), card.answer[:-1] + b"\x81")
    with Station(line) as driver:
        line.card = lambda asked: (
            ACK
            + reply(
                0x4A, other.answer if len(asked) == 2 and asked[1] == 0 else card.answers(asked)
            )
        )
        assert driver.present(card) == []


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_way_of_damage_does_damage(kind: str) -> None:
    dice = random.Random(1)
    good = ACK + reply(0x4A, CARDS[2].answer)
    assert sum(damaged(CARDS[2].answer, dice, kind)[1] != good for _ in range(50)) > 20


def test_the_chip_is_asked_for_a_card_by_its_number_as_the_manual_says() -> None:
    """UM0701-02 7.3.5: a number of several levels goes with its cascade tags."""
    ask = pn532.list_this_type_a
    assert ask(bytes.fromhex("a4a1b2c3")).hex() == "0100" + "a4a1b2c3"
    assert ask(bytes.fromhex("04a1b2c3d4e580")).hex() == "0100" + "88" + "04a1b2c3d4e580"
    triple = bytes.fromhex("04112233445566778899")
    assert ask(triple).hex() == "0100" + "88041122" + "88334455" + "66778899"

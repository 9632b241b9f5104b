"""Whose cards open the corner: a file of pseudonyms that survives what files survive."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kiosk.cards.caretakers import FILE, MAX_CARETAKERS, CaretakerCards
from kiosk.core.cards import CardBody, CardDesk, issue
from kiosk.core.errors import OperatorError, StorageError
from kiosk.core.events import CardRefused, CardSeen

CARE, OTHER = b"c" * 16, b"o" * 16
KEY, OLD, NEW = b"k" * 32, b"1" * 32, b"2" * 32


def opened(folder: Path) -> CaretakerCards:
    cards = CaretakerCards(folder)
    cards.open()
    return cards


def test_a_card_is_known_after_a_restart_and_its_number_is_never_given_twice(
    tmp_path: Path,
) -> None:
    cards = opened(tmp_path)
    assert cards.add(CARE, "2026-04-01").number == 1
    assert cards.add(CARE, "2026-04-02").number == 1
    assert cards.add(OTHER, "-").number == 2
    cards.remove(2)
    again = opened(tmp_path)
    assert again.knows((CARE,)) and not again.knows((OTHER,))
    assert again.add(OTHER, "-").number == 3
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_there_is_room_for_so_many_and_nobody_is_removed_twice(tmp_path: Path) -> None:
    cards = opened(tmp_path)
    for number in range(MAX_CARETAKERS):
        cards.add(bytes([number]) * 16, "-")
    with pytest.raises(OperatorError, match="are known already"):
        cards.add(b"x" * 16, "-")
    cards.remove(1)
    with pytest.raises(OperatorError, match="number 1"):
        cards.remove(1)


@pytest.mark.parametrize("content", [b"", b"next 2\nx\n", b"\xff\n", b"next 2\n1 " + b"0" * 99])
def test_a_damaged_file_opens_nothing_and_keeps_nobody_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    cards = opened(tmp_path)
    assert cards.all() == ()
    with pytest.raises(StorageError, match="none of this program's files"):
        cards.add(CARE, "-")
    assert (tmp_path / FILE).read_bytes() == content, "who wonders can still look into it"
    (tmp_path / FILE).unlink()
    assert cards.add(CARE, "-").number == 1


def desk(cards: CaretakerCards, key: bytes, former: bytes | None = None) -> CardDesk:
    return CardDesk({1: KEY}, key, former_key=former, caretakers=cards)


def seen(desk: CardDesk, text: bytes) -> CardSeen:
    found = desk.identify_qr(text, t_ms=0, day=None)
    assert isinstance(found, CardSeen)
    return found


def test_a_caretakers_card_stays_one_when_the_pseudonym_key_is_changed(tmp_path: Path) -> None:
    text = issue(CardBody(key_id=1, random_id=b"r" * 10, last_day=30_000), KEY)
    cards = opened(tmp_path)
    cards.add(seen(desk(cards, OLD), text).own, "-")
    assert seen(desk(cards, OLD), text).caretaker
    assert not seen(desk(cards, NEW), text).caretaker
    assert seen(desk(cards, NEW, OLD), text).caretaker, "while both keys are valid"
    assert seen(desk(opened(tmp_path), NEW), text).caretaker, "and then under the new one alone"


def test_a_number_that_anybody_can_copy_is_no_caretakers(tmp_path: Path) -> None:
    cards = opened(tmp_path)
    shown = desk(cards, OLD).identify_nfc(b"\x04" + b"\x11" * 6, t_ms=0)
    assert isinstance(shown, CardSeen)
    cards.add(shown.own, "-")
    again = desk(cards, OLD).identify_nfc(b"\x04" + b"\x11" * 6, t_ms=0)
    assert isinstance(again, CardSeen) and not again.caretaker


def test_a_lost_caretakers_card_is_refused_before_it_is_anything(tmp_path: Path) -> None:
    class Closed:
        def standing(self, _name: bytes, *, proves: bool = True) -> str:
            return "closed"

    cards = opened(tmp_path)
    text = issue(CardBody(key_id=1, random_id=b"r" * 10, last_day=30_000), KEY)
    cards.add(seen(desk(cards, OLD), text).own, "-")
    closed = CardDesk({1: KEY}, OLD, caretakers=cards, lists=Closed())  # type: ignore[arg-type]
    assert isinstance(closed.identify_qr(text, t_ms=0, day=None), CardRefused)

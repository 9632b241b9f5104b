"""Somebody else's codes: taken where the settings describe them, and no code keeps a reader busy."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core import cards
from kiosk.core.cards import CardBody, CardDesk
from kiosk.core.cards.foreign import MAX_CHARS, Pattern, PatternError
from kiosk.core.events import CardRefused, CardSeen

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
CARD_KEY, NAME_KEY = bytes(range(32)), bytes(range(32, 64))
TODAY = cards.day_of(2026, 11, 24)
LIBRARY = Pattern("[0-9]{7}-?[A-D]")
DESK = CardDesk({1: CARD_KEY}, NAME_KEY, foreign={"library": LIBRARY, "school": Pattern(r"S\d{6}")})


def shown(text: bytes) -> CardSeen | CardRefused:
    return DESK.identify_qr(text, t_ms=4, day=TODAY)


def test_a_librarys_card_identifies_and_does_not_prove() -> None:
    seen = shown(b"1234567-C")
    name = cards.pseudonym(NAME_KEY, "foreign", b"library\x001234567-C")
    assert seen == CardSeen(4, name, "foreign", proves=False)


@pytest.mark.parametrize(
    "text",
    [
        b"https://example.org/?card=1234567-C",
        b"1234567-C\n",
        b" 1234567-C",
        b"1234567-E",
        "１２３４５６７-C".encode(),
        b"S12345",
        b"WIFI:S:hall;T:WPA;P:secret;;",
        b"",
    ],
)
def test_anything_else_is_unknown(text: bytes) -> None:
    assert shown(text) == CardRefused(4, "qr", "unknown")


def test_the_same_number_at_two_places_is_two_people() -> None:
    twice = CardDesk({}, NAME_KEY, foreign={"a": Pattern(r"\d{8}"), "b": Pattern(r"\d{9}")})
    other = CardDesk({}, NAME_KEY, foreign={"b": Pattern(r"\d{8}")})
    first = twice.identify_qr(b"12345678", t_ms=0, day=None)
    second = other.identify_qr(b"12345678", t_ms=0, day=None)
    assert isinstance(first, CardSeen) and isinstance(second, CardSeen)
    assert first.pseudonym != second.pseudonym


def test_a_pattern_that_takes_anything_never_takes_a_town_card_that_is_no_good() -> None:
    greedy = CardDesk({1: CARD_KEY}, NAME_KEY, foreign={"all": Pattern(".{4,64}")})
    body = CardBody(1, cards.day_of(2030, 1, 1), bytes(10))
    forged = cards.issue(body, b"x" * 32)
    other_town = cards.issue(CardBody(9, body.last_day, bytes(10)), b"x" * 32)
    assert greedy.identify_qr(forged, t_ms=0, day=TODAY) == CardRefused(0, "qr", "forged")
    assert greedy.identify_qr(other_town, t_ms=0, day=TODAY) == CardRefused(0, "qr", "unknown")
    assert isinstance(greedy.identify_qr(b"any other code", t_ms=0, day=TODAY), CardSeen)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[0-9]+", "not_known"),
        ("(ab){4}", "not_known"),
        ("abcd|efgh", "not_known"),
        ("^abcd$", "not_known"),
        ("[^0-9]{4}", "not_known"),
        (r"\w{8}", "not_known"),
        ("[0-9]*", "not_known"),
        ("[0-9", "class"),
        ("[]abcd", "class"),
        ("[9-0]{4}", "class"),
        ("[[:digit:]]{4}", "class"),
        ("[0-9]{}", "repeat"),
        ("[0-9]{8", "repeat"),
        ("[0-9]{9,8}", "repeat"),
        ("[0-9]{8,}", "repeat"),
        ("[0-9]{1000}", "repeat"),
        ("[0-9]{4}{4}", "not_known"),
        ("{4}", "not_known"),
        ("[0-9]{3}", "too_short"),
        ("[0-9]{4}x?", None),
        ("[0-9]{0,64}", "too_short"),
        ("[0-9]{60}abcde", "too_long"),
        ("a" * 101, "too_long"),
        ("図書館0001", "not_ascii"),
        ("abc\\", "not_known"),
    ],
)
def test_what_is_no_pattern_is_said_with_its_place(text: str, code: str | None) -> None:
    if code is None:
        Pattern(text)
        return
    with pytest.raises(PatternError) as caught:
        Pattern(text)
    assert caught.value.code == code
    assert 1 <= caught.value.at <= max(1, len(text))


ATOMS = ["a", "B", "7", "-", "/", r"\.", r"\d", ".", "[0-9]", "[A-Fa-f]", "[x.-]", r"[\]\\-]"]
REPEATS = ["", "", "{2}", "{0,3}", "?", "{1,2}", "{5}"]
PATTERNS = st.lists(
    st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)), min_size=1, max_size=8
).map(lambda parts: "".join(atom + repeat for atom, repeat in parts))


@settings(max_examples=400 * SIZE, deadline=None)
@given(PATTERNS, st.data())
def test_a_pattern_means_what_it_means_to_others(text: str, data: st.DataObject) -> None:
    """Beside Python's own, which reads the same language and more."""
    try:
        pattern = Pattern(text)
    except PatternError:
        return
    plain = re.compile(
        text.replace(r"\d", "[0-9]")
        .replace(".", "[ -~]")
        .replace(r"\[ -~]", r"\.")
        .replace("[x[ -~]-]", "[x.-]")
    )
    for code in (
        data.draw(st.from_regex(plain, fullmatch=True)),
        data.draw(st.text("aB7-/.]x9", max_size=20)),
    ):
        if code.isascii():
            assert pattern.matches(code.encode()) == bool(plain.fullmatch(code)), (text, code)


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.text(max_size=40) | st.text("[]{}\\0-9,?.ad", max_size=40), st.binary(max_size=80))
def test_any_text_is_a_pattern_or_says_why_not(text: str, code: bytes) -> None:
    try:
        pattern = Pattern(text)
    except PatternError:
        return
    assert len(code) <= MAX_CHARS or not pattern.matches(code)


def test_the_worst_pattern_is_answered_in_a_bounded_number_of_steps() -> None:
    """Exponential for a backtracking matcher; here places times parts."""
    worst = Pattern("a{0,2}" * 16 + "a" * 4)
    steps = 0

    class Counted(bytes):
        def __getitem__(self, at: object) -> int:  # type: ignore[override]
            nonlocal steps
            steps += 1
            return super().__getitem__(at)  # type: ignore[call-overload, no-any-return]

    assert not worst.matches(Counted(b"a" * 35 + b"b"))
    assert steps <= 20 * MAX_CHARS * 3

"""What one presentation of a card is, whichever reader sees it."""

from __future__ import annotations

from drivers.presence import AWAY_MS, MAX_CARDS, Presence


def test_held_still_is_one_reading_and_held_again_another() -> None:
    presence = Presence()
    assert presence.is_new(b"card", 0)
    assert not any(presence.is_new(b"card", t_ms) for t_ms in range(100, 60_000, 100))
    assert not presence.is_new(b"card", 59_900 + AWAY_MS - 1)
    assert presence.is_new(b"card", 62_000 + AWAY_MS)


def test_many_cards_at_once_are_remembered_up_to_the_bound() -> None:
    presence = Presence()
    assert all(presence.is_new(bytes((card,)), card) for card in range(MAX_CARDS + 1))
    assert not presence.is_new(bytes((MAX_CARDS,)), 50)
    assert presence.is_new(bytes((0,)), 50)


def test_a_reader_that_speaks_seldom_bridges_its_own_pauses() -> None:
    presence = Presence(away_ms=3_000)
    assert presence.is_new(b"card", 0)
    assert not any(presence.is_new(b"card", t_ms) for t_ms in range(2_500, 30_000, 2_500))
    assert presence.is_new(b"card", 27_500 + 3_000)

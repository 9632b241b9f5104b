"""A tariff or a catalogue changes while people are there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hw_sim.days import Day

from kiosk.core.entries import TariffBegun
from kiosk.core.events import TownSaid

ANN, BOB = b"a" * 16, b"b" * 16


@pytest.fixture
def day() -> Day:
    day = Day(1)
    day.run(4_000)
    return day


def another(day: Day, number: int, per_kg: int) -> None:
    """A tariff of the city's comes into force."""
    rules = day.rules
    tariff = replace(rules.tariff, number=number, per_kg=dict.fromkeys(rules.tariff.per_kg, per_kg))
    draft = TariffBegun(number, "city", "", 0)
    day.post(TownSaid(day.t_ms, (draft,), replace(rules, tariff=tariff, catalogue=7)))


def test_a_visit_counts_to_its_end_by_the_tariff_with_which_it_began(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 420)
    day.run(4_000)
    before = day.rules.tariff.number
    another(day, 9, 100)
    day.drop(ANN, "b1", 600)
    day.run(6_000)
    assert [(w.points, w.tariff) for w in day.books.weighings] == [(4, before), (6, before)]
    assert day.books.weighings[-1].catalogue == 7
    day.card(BOB)
    day.run(3_000)
    day.drop(BOB, "b1", 600)
    day.run(6_000)
    last = day.books.weighings[-1]
    assert (last.tariff, round(last.points, -1)) == (9, 60)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 500)
    day.run(6_000)
    last = day.books.weighings[-1]
    assert (last.tariff, last.points) == (before, 5), "who comes back soon goes on with it"
    day.check()

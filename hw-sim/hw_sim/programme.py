"""Who comes when: cycles of visits that hold, within a minute of visits, all that the contract asks.

A cycle is ``CARDED`` visits with a card (one of them takes something out again, one of them a knock
falls into, one goes to two bins without waiting) and one without a card. Every other cycle begins
its last part with a bag change, and has a card that is refused. The order within is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hw_sim.residents import Card, People, Plan, Script

CARDED = 5


def programme(people: People, cards: tuple[Card, ...], rng: Random) -> Iterator[Script]:
    """The scripts in turn, without end. Nobody comes twice in a row."""
    good = [card for card in cards if card.good]
    bad = [card for card in cards if not card.good]
    last: Card | None = None
    cycle = 0
    while True:
        remover, knocked, double = (rng.randrange(CARDED) for _ in range(3))
        for number in range(CARDED):
            last = rng.choice([card for card in good if card is not last])
            plan = Plan(
                card=last,
                drops=2 if number == double else 1,
                takes_out=number == remover,
                knocks=number == knocked,
                hurried=number == double and number != remover,
            )
            yield people.visit(plan)
        if cycle % 2 == 0:
            yield people.bag_change()
        yield people.nameless()
        if cycle % 2 == 1 and bad:
            yield people.refused(rng.choice(bad))
        cycle += 1

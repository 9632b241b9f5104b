"""Seeded worlds: the screen never shows one resident's grams as another's.

Every drop of a world has its own weight, each twice the one before, so that any sum says which drops it is
made of. People show cards while the one before still stands there and what was laid in still settles.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from itertools import combinations

import pytest
from hw_sim.days import Day

from kiosk.core.config import Crowd
from kiosk.core.view import View

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
WORLDS = 8 * SIZE
LEAST_G = 150.0
DROPS = 7
OFF_G = 45
"""So far a sum of three weighings may be off."""
LOOK_MS = 200


class Crowded:
    """One world; after each ``LOOK_MS`` the view is compared with what is true."""

    def __init__(self, seed: int, crowd: Crowd) -> None:
        self.rng = random.Random(seed)
        self.day = Day(seed, crowd=crowd)
        self.day.run(4_000)
        self.crowd = crowd
        self.weights = [LEAST_G * 2**n for n in range(DROPS)]
        self.rng.shuffle(self.weights)
        self.dropped: dict[bytes | None, list[float]] = defaultdict(list)
        self.by_mark: dict[int, bytes] = {}
        self.seen_sums = 0

    def live(self, ms: int) -> None:
        for _ in range(ms // LOOK_MS):
            self.day.run(LOOK_MS)
            self.check(self.day.station.view())

    def live_until_nobody_is_there(self) -> None:
        for _ in range(60):
            if self.day.station.view().visits_open == 0:
                break
            self.live(1_000)

    def card(self, person: bytes) -> None:
        self.day.card(person)
        view = self.day.station.view()
        assert view.greetings, "a card is greeted at once, whatever is being weighed"
        mark = view.greetings[-1]
        if self.crowd == "one_by_one":
            assert view.turn == mark
        self.by_mark[mark] = person
        self.check(view)

    def drop(self, person: bytes | None) -> None:
        grams = self.weights.pop()
        self.dropped[person].append(grams)
        self.day.drop(person, self.rng.choice(sorted(self.day.platforms)), grams)

    def check(self, view: View) -> None:
        if self.crowd == "together":
            assert view.turn is None and view.shown is None and not view.can_claim
            if view.visits_open > 1:
                assert view.visit_g == 0, f"a sum of one among {view.visits_open}: {view}"
            owners = list(self.dropped)
        else:
            owners = [self.by_mark[view.shown] if view.shown is not None else None]
        if view.visit_g:
            self.seen_sums += 1
            assert any(self.made_of(view.visit_g, one) for one in owners), (
                view,
                owners,
                dict(self.dropped),
            )
        if view.phase == "recorded" and view.net_g and view.shown is not None:
            assert self.made_of(view.net_g, owners[0]), view

    def made_of(self, grams: int, person: bytes | None) -> bool:
        """Whether ``grams`` are drops of this person's and nobody else's."""
        mine = self.dropped.get(person, [])
        return any(
            abs(sum(some) - grams) <= OFF_G
            for count in range(1, len(mine) + 1)
            for some in combinations(mine, count)
        )


@pytest.mark.parametrize("crowd", ["one_by_one", "together"])
def test_no_grams_are_ever_shown_as_anothers(crowd: Crowd) -> None:
    sums = 0
    for seed in range(WORLDS):
        world = Crowded(seed, crowd)
        rng = world.rng
        while world.weights:
            person = bytes([1 + rng.randrange(4)]) * 16 if rng.random() < 0.85 else None
            if person is None:
                world.live_until_nobody_is_there()  # else it is the open visit's, as people see it
            if person is not None:
                world.card(person)
                world.live(rng.randrange(2_600, 5_000, LOOK_MS))
            for _ in range(min(len(world.weights), rng.randint(1, 2))):
                world.drop(person)
                # The next card may come while this still moves, settles, or is being told.
                world.live(rng.randrange(0, 7_000, LOOK_MS))
            if person is None:
                world.live(3_000)
            if rng.random() < 0.3:
                world.live(25_000)
        world.live(30_000)
        world.day.check()
        sums += world.seen_sums
    assert sums > 10 * WORLDS

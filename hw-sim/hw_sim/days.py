"""Pure worlds: whole station days against the rules alone, in virtual time, from one seed.

The books are checked after every entry (``day_books``), the truth is known, and quiet hours are skipped, so
hundreds of days run in a test. The wires are not here; ``hw_sim.world`` has them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hw_sim.day_books import BooksError, first_books, usual_rules
from kiosk.core.config import Crowd, ScaleRules
from kiosk.core.effects import Answered, Effect, Record
from kiosk.core.entries import ClockQuality
from kiosk.core.events import CardSeen, CountsBlock, Event, Moment, Tick
from kiosk.core.station import Station

PERIOD_MS = 100
BUSY_SAMPLES = 4
"""So many samples wait for a station that is busy elsewhere; mostly each is taken as it comes."""
COUNTS_PER_GRAM = 43.0
NOISE_COUNTS = 25.0
RAMP_MS = 400
HAND_MS = 500


@dataclass
class Platform:
    """One bin's true load: steps with hands on them, noise, drift; cheap rather than exact (the
    exact platform is ``hw_sim.physics``)."""

    rng: random.Random
    load_g: float = 0.0
    drift_g: float = 0.0
    moves: list[tuple[int, float]] = field(default_factory=list)

    def move(self, t_ms: int, grams: float) -> None:
        """From ``t_ms`` somebody lays ``grams`` in (or takes them out)."""
        self.moves.append((t_ms, grams))

    def settle_moves(self, t_ms: int) -> None:
        if not self.moves:
            return
        done = [m for m in self.moves if t_ms >= m[0] + RAMP_MS + HAND_MS]
        for move in done:
            self.load_g += move[1]
            self.moves.remove(move)

    def counts(self, t_ms: int) -> int:
        self.settle_moves(t_ms)
        grams = self.load_g + self.drift_g
        for began_ms, change_g in self.moves:
            age_ms = t_ms - began_ms
            if age_ms >= 0:
                grams += change_g * min(1.0, age_ms / RAMP_MS)
                grams += self.rng.gauss(0, max(200.0, 0.03 * abs(change_g)))
        return round(grams * COUNTS_PER_GRAM + self.rng.gauss(0, NOISE_COUNTS))


class Day:
    """A station and its people in virtual time. ``clock`` how good its wall clock is."""

    clock: ClockQuality = "synced"

    def __init__(
        self, seed: int, *, bins: int = 4, crowd: Crowd = "one_by_one", block_samples: int = 1
    ) -> None:
        self.rng = random.Random(seed)
        self.block_ms = block_samples * PERIOD_MS
        scale = ScaleRules(60_000, 20, 20, 10.0, counts_per_gram=COUNTS_PER_GRAM)
        self.rules = usual_rules(scale, bins, crowd)
        self.books = first_books(self.rules)
        names = [b.bin for b in self.rules.bins]
        self.platforms = {n: Platform(random.Random(self.rng.random())) for n in names}
        self.true_g: dict[str, float] = dict.fromkeys(names, 0.0)
        self.dropped_g: dict[tuple[bytes, str], float] = defaultdict(float)
        self.t_ms = 10_000
        self.days = 20_000
        self.starts = 0
        self.greeted = 0
        self.answers: list[Answered] = []
        self.station = self._start(same_boot=False)

    # -- the station's side ---------------------------------------------------------------------

    def _start(self, *, same_boot: bool) -> Station:
        self.starts += 1
        memory = self.books.memory(f"w{self.starts}", same_boot=same_boot)
        items = {b.bin: b.item for b in self.rules.bins}
        books = tuple(replace(b, item=items[b.bin]) for b in memory.books)
        station = Station(self.rules, replace(memory, books=books))
        self.station = station
        self.post(Tick(self.t_ms))
        return station

    def post(self, event: Event) -> None:
        now = Moment(self.t_ms, self.t_ms, self.clock, self.days)
        waiting: list[Effect] = list(reversed(self.station.handle(event, now)))
        while waiting:
            effect = waiting.pop()
            if isinstance(effect, Record):
                seqs = self.books.append(effect.items)
                waiting.extend(reversed(self.station.recorded(effect.items, seqs)))
            elif isinstance(effect, Answered):
                self.answers.append(effect)

    def run(self, ms: int) -> None:
        """Life goes on: every bin sampled, ten times a second, and posted in blocks."""
        end_ms = self.t_ms + ms // PERIOD_MS * PERIOD_MS
        while self.t_ms < end_ms:
            from_ms = self.t_ms + PERIOD_MS
            self.t_ms = min(end_ms, self.t_ms + self.block_ms)
            times = tuple(range(from_ms, self.t_ms + 1, PERIOD_MS))
            for name, platform in self.platforms.items():
                self.post(CountsBlock(name, times, tuple(map(platform.counts, times))))
            self.post(Tick(self.t_ms))

    def quiet(self, ms: int) -> None:
        """Nobody is there: skipped, but for the scales' drift, and a little of it lived through."""
        self.t_ms += ms
        self.post(Tick(self.t_ms))
        for platform in self.platforms.values():
            platform.drift_g += self.rng.gauss(0, 1) * (ms / 900_000) ** 0.5
        self.run(2_500)

    def power_cut(self, ms: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        """The hall's main switch: nothing is kept but what was committed."""
        self.t_ms += ms
        for platform in self.platforms.values():
            platform.settle_moves(self.t_ms)
        meanwhile()
        for platform in self.platforms.values():
            platform.settle_moves(self.t_ms + ms)
        self._start(same_boot=False)
        self.run(4_000)

    def restart(self) -> None:
        """Killed and back within a second, in the same boot."""
        self.t_ms += 1_000
        self._start(same_boot=True)

    # -- the people's side ----------------------------------------------------------------------

    def card(self, person: bytes, by: str = "qr", *, formerly: bytes | None = None) -> None:
        before = self.station.view().checkins
        self.post(CardSeen(self.t_ms, person, by, by == "qr", formerly=formerly))
        self.greeted += self.station.view().checkins - before

    def drop(self, person: bytes | None, bin_id: str, grams: float, *, after_ms: int = 0) -> None:
        """Somebody lays ``grams`` into a bin (negative: takes out), its first movement after a while."""
        self.platforms[bin_id].move(self.t_ms + after_ms, grams)
        self.true_g[bin_id] += grams
        if person is not None:
            self.dropped_g[person, bin_id] += grams

    def change_bag(self, bin_id: str) -> None:
        platform = self.platforms[bin_id]
        grams = platform.load_g
        self.drop(None, bin_id, -grams)
        self.run(8_000)

    def usual_visit(self, person: bytes | None) -> None:
        """Card, one to three drops, now and then something taken out again, goodbye."""
        rng = self.rng
        if person is not None:
            self.card(person)
            self.run(rng.randrange(2_500, 5_000, PERIOD_MS))
        for _ in range(rng.randint(1, 3)):
            bin_id = rng.choice(sorted(self.platforms))
            grams = rng.choice((30.0, 120.0, 400.0, 1500.0)) * rng.uniform(0.8, 1.6)
            self.drop(person, bin_id, grams)
            self.run(rng.randrange(5_000, 7_000, PERIOD_MS))
            if rng.random() < 0.05:
                self.drop(person, bin_id, -grams)
                self.run(5_500)
        self.run(2_000)

    # -- the judgement --------------------------------------------------------------------------

    def check(self) -> None:
        """Mass per bin within two divisions and the scale's own drift; nobody has too much; no drop takes
        or gives what a tariff gives for the visit itself."""
        for rules in self.rules.bins:
            name = rules.bin
            off_g = self.books.gross_g[name] - self.platforms[name].load_g
            drift_g = abs(self.platforms[name].drift_g)
            if abs(off_g) > 40 + drift_g:
                raise BooksError(f"{name}: the book is {off_g:.0f} g off")
        for (person, bin_id), (grams, n) in self.books.credited_g().items():
            if grams > self.dropped_g[person, bin_id] + 20 * n:
                raise BooksError(
                    f"{person.hex()} at {bin_id}: {grams} g of {self.dropped_g[person, bin_id]:.0f}"
                )
        for one in self.books.weighings if self.rules.tariff.mode == "visit" else ():
            if one.points != 0:
                raise BooksError(f"{one}: points are the check-in's")


def _block_samples(seed: int) -> int:
    """Every fifth world's samples come one by one; the others', cheaper, come together."""
    return BUSY_SAMPLES if seed % 5 else 1


def usual_day(seed: int, *, visits: int = 30, crowd: Crowd = "one_by_one") -> Day:
    """Thirty visits between ten and four, some without a card; bags changed; a power cut at night."""
    day = Day(seed, crowd=crowd, block_samples=_block_samples(seed))
    day.run(4_000)
    people = [bytes([i]) * 16 for i in range(1, 20)]
    for _ in range(visits):
        day.usual_visit(None if day.rng.random() < 0.15 else day.rng.choice(people))
        day.quiet(day.rng.randrange(60_000, 1_200_000))
        for name, platform in day.platforms.items():
            if platform.load_g > 8_000:
                day.change_bag(name)
        if day.rng.random() < 0.02:
            day.restart()
            day.run(4_000)
        day.check()
    day.power_cut(12 * 3_600_000)
    day.check()
    return day


def saturday(seed: int, crowd: Crowd, *, early_late_ms: int = 2_000) -> Day:
    """Thirteen bins, one reader, six residents in three minutes, each after the other.

    Who waits for his turn drops when the one before has finished, but his first movement may come up
    to ``early_late_ms`` before or after his own card.
    """
    day = Day(seed, bins=13, crowd=crowd, block_samples=_block_samples(seed))
    day.run(4_000)
    rng = day.rng
    for i in range(1, 7):
        person = bytes([i]) * 16
        bins = rng.sample(sorted(day.platforms), rng.randint(2, 4))
        offset_ms = rng.randrange(-early_late_ms, early_late_ms + 1, PERIOD_MS)
        first, *others = bins
        if offset_ms < 0:
            day.drop(person, first, rng.uniform(100, 2_000))
            day.run(-offset_ms)
            day.card(person)
        else:
            day.card(person)
            day.run(offset_ms)
            day.drop(person, first, rng.uniform(100, 2_000))
        day.run(6_000)
        for bin_id in others:
            day.drop(person, bin_id, rng.uniform(100, 2_000))
            day.run(rng.randrange(5_500, 7_500, PERIOD_MS))
    day.run(60_000)
    return day

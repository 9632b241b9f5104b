"""A year of a station: seasons, thirty visits a day, bags, nights without power, caretakers.

The rules are the station's own; the scales are ``cells``. Only the bins that somebody is at are sampled all
the time, the others for a moment each quarter of an hour. The truth is known, and every drop is judged as
soon as it is over (``Judge``): weighed once, of whoever dropped it, within what was stated.

Small things ten at a time are judged by their sum. Each weighing begins at the level where the one before
it ended, so the sum is one change from the first of those levels to the last, and only these two err: it
is held against the uncertainty of that one change, by the budget of every weighing (``uncertainty``).
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hw_sim.cells import NOISE_COUNTS, NOISE_FAST_COUNTS, RATE_SPS, Cell, Errors
from hw_sim.day_books import first_books, usual_rules
from hw_sim.days import COUNTS_PER_GRAM, PERIOD_MS, Day
from kiosk.core import uncertainty
from kiosk.core.adjusted import Adjusted, slope_ncounts
from kiosk.core.config import Crowd, ScaleRules, StationRules
from kiosk.core.events import CardSeen, CountsBlock, ScaleAdjusted, Tick, Warmth, ZeroAsked

MAX_G, DIVISION_G = 60_000, 20
QUARTER_MS = 900_000
DAY_MS = 86_400_000
SPAN_PPM = 500
SMALL = 10
"""So many small things one after another."""


@dataclass
class Judge:
    """What was true, and what was said of it."""

    within: int = 0
    weighings: int = 0
    sums: list[tuple[float, int]] = field(default_factory=list)
    """Of small things: how far each sum was off, and how far it may be (k = 2)."""
    stated_g: list[int] = field(default_factory=list)
    errors_g: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    true_g: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    said_g: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    variance: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    moved_g: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def weighed(self, bin_id: str, true_g: float, net_g: int, uncertainty_g: int) -> None:
        self.weighings += 1
        error_g = net_g - true_g
        self.within += abs(error_g) <= uncertainty_g
        self.stated_g.append(uncertainty_g)
        self.errors_g.append(error_g)
        self.true_g[bin_id] += true_g
        self.said_g[bin_id] += net_g
        self.variance[bin_id] += (uncertainty_g / 2) ** 2
        self.moved_g[bin_id] += abs(true_g)

    @property
    def sums_within(self) -> int:
        """How many sums lie within their own k = 2."""
        return sum(abs(error_g) <= stated_g for error_g, stated_g in self.sums)

    @property
    def coverage(self) -> float:
        return self.within / self.weighings

    @property
    def median_g(self) -> int:
        return sorted(self.stated_g)[len(self.stated_g) // 2]


class Year(Day):
    """A station and its people over many days. ``crowd`` as in the settings."""

    def __init__(
        self,
        seed: int,
        *,
        bins: int = 4,
        crowd: Crowd = "one_by_one",
        learns: bool = False,
        rate_sps: int = RATE_SPS,
    ) -> None:
        self.rng = random.Random(seed)
        self.rate_sps = rate_sps
        scale = ScaleRules(
            MAX_G, DIVISION_G, DIVISION_G, float(rate_sps), COUNTS_PER_GRAM, learns_warmth=learns
        )
        self.rules = usual_rules(scale, bins, crowd)
        self.books = first_books(self.rules)
        names = [b.bin for b in self.rules.bins]
        self.cells = {
            n: Cell(
                random.Random(self.rng.random()),
                COUNTS_PER_GRAM,
                MAX_G,
                Errors.drawn(self.rng),
                noise_counts=NOISE_COUNTS if rate_sps <= RATE_SPS else NOISE_FAST_COUNTS,
                rate_sps=rate_sps,
            )
            for n in names
        }
        self.platforms = {}
        self.true_g = dict.fromkeys(names, 0.0)
        self.dropped_g = defaultdict(float)
        self.t_ms, self.days = 8 * 3_600_000, 20_000
        self.starts = self.greeted = 0
        self.answers = []
        self.judge = Judge()
        self.thermometer = learns
        self._warmest = self.rng.uniform(-2, 2)
        self._weather_c = 0.0
        self._season()
        self.station = self._start(same_boot=False)
        self.look(4_000)

    # -- the weather ----------------------------------------------------------------------------

    def _season(self) -> None:
        """An unheated hall: seasons, days and weather."""
        day = self.t_ms / DAY_MS
        self.days = 20_000 + int(day)
        self._weather_c = 0.995 * self._weather_c + self.rng.gauss(0, 0.2)
        c = 15 + 10 * math.cos(2 * math.pi * (day / 365 + 0.6)) + self._weather_c
        c += 4 * math.cos(2 * math.pi * (day % 1 - 0.6))
        for cell in self.cells.values():
            cell.temperature_c = c
        if self.thermometer and self.starts:
            self.post(Warmth(self.t_ms, round(1000 * c)))

    # -- time -----------------------------------------------------------------------------------

    def look(self, ms: int, bins: Iterable[str] | None = None) -> None:
        """Lives through ``ms``: a block of these bins' samples ten times a second (all by default)."""
        names = list(self.cells if bins is None else bins)
        samples = self.rate_sps * PERIOD_MS // 1000
        for _ in range(ms // PERIOD_MS):
            times = [self.t_ms + PERIOD_MS * (k + 1) // samples for k in range(samples)]
            self.t_ms += PERIOD_MS
            for name in names:
                counts = [self.cells[name].counts(t_ms / 1000) for t_ms in times]
                self.post(CountsBlock(name, tuple(times), tuple(counts)))
            self.post(Tick(self.t_ms))

    def run(self, ms: int) -> None:
        self.look(ms)

    def rest(self, ms: int) -> None:
        """Nobody is there: each quarter of an hour every scale is looked at for a moment."""
        until_ms = self.t_ms + ms
        while self.t_ms < until_ms:
            self.t_ms = min(self.t_ms + QUARTER_MS, until_ms)
            self._season()
            self.look(4_000)

    def night(self, hours: float, *, power: bool) -> None:
        """Until the morning, with or without power."""
        if power:
            self.rest(round(hours * 3_600_000))
            return
        self.t_ms += round(hours * 3_600_000)
        self._season()
        for cell in self.cells.values():
            cell.power_on(self.t_ms / 1000)
        self._start(same_boot=False)
        self.look(5_000)

    # -- people ---------------------------------------------------------------------------------

    def put(self, person: bytes | None, name: str, grams: float, ms: int = 6_000) -> None:
        """Lays it in, waits, and judges what was written."""
        before = len(self.books.weighings)
        self.cells[name].lay(grams)
        self.true_g[name] += grams
        # What no card stands for is written once it has lain still for a while.
        self.look(ms if person is not None else ms + 4_000, [name])
        new = self.books.weighings[before:]
        if person is not None:
            self.dropped_g[person, name] += grams
        if abs(grams) < DIVISION_G * 1.5:
            return  # carried with others; judged by the visit's sum
        where = f"{name} at {self.t_ms}: {grams:.0f} g"
        if len(new) != 1:
            self.judge.faults.append(f"{where} made {len(new)} weighings")
            return
        (weighing,) = new
        visits = self.books.visits
        said = visits.get(weighing.visit or "")
        if person is not None and said != person:
            self.judge.faults.append(f"{where} was credited to {said!r}, not {person!r}")
        self.judge.weighed(name, grams, weighing.net_g, weighing.uncertainty_g)

    def visit(self, person: bytes | None) -> None:
        """Card, some drops, now and then something taken out again."""
        rng, names = self.rng, sorted(self.cells)
        used = [rng.choice(names) for _ in range(rng.randint(1, 3))]
        at = sorted(set(used))  # a set's order is another one in each process
        self.look(20_000, at)
        if person is not None:
            self.post(CardSeen(self.t_ms, person, "qr", True))
        self.look(rng.randrange(2_500, 5_000, PERIOD_MS), at)
        for name in used:
            grams = rng.choice((35.0, 120.0, 400.0, 1_500.0, 4_000.0)) * rng.uniform(0.9, 1.6)
            self.put(person, name, grams)
            if rng.random() < 0.04 and person is not None:
                self.put(person, name, -grams)
            if rng.random() < 0.05:
                self.cells[name].knock()
                self.look(3_000, [name])
        self.look(25_000, at)

    def small_visit(self, person: bytes) -> None:
        """Twenty grams ten times, and letters: what is carried must come out."""
        name = self.rng.choice(sorted(self.cells))
        # A station never stops looking: its level has followed what the skipped quarters drifted.
        self.look(60_000, [name])
        self.post(CardSeen(self.t_ms, person, "qr", True))
        self.look(3_000, [name])
        first = self.station.bins[name].level(self.t_ms)
        before_g = self.books.credited_g().get((person, name), (0, 0))[0]
        grams = self.rng.uniform(15, 25)
        for _ in range(SMALL):
            self.put(person, name, grams, 4_000)
        bin_ = self.station.bins[name]
        last = bin_.base
        self.look(25_000, [name])
        got_g = self.books.credited_g()[person, name][0] - before_g
        where = f"{name} at {self.t_ms}: {got_g} g of {SMALL} times {grams:.1f} g"
        # The last one may stay a remainder; two of them are more than the least change.
        counted = round(got_g / grams)
        if first is None or last is None or not SMALL - 1 <= counted <= SMALL:
            self.judge.faults.append(where)
            return
        may_g = uncertainty.weighing_g(
            got_g, left_sd_g=first.sd_g, after_sd_g=last.sd_g, line=bin_.line
        )
        error_g = got_g - counted * grams
        self.judge.sums.append((error_g, may_g))
        if abs(error_g) > 2 * may_g:  # k = 4: one in 16,000
            self.judge.faults.append(f"{where}, within {may_g} g (k = 2)")

    def change(self, name: str) -> None:
        """A caretaker changes the bag; the new one weighs a little more or less."""
        cell, swaps = self.cells[name], len(self.books.swaps)
        self.look(2_000, [name])
        held_g = cell.load_g
        old_g = self.bag_g.get(name, 0.0)
        cell.lay(-held_g - 40)
        self.true_g[name] -= held_g - old_g
        self.look(self.rng.randrange(5_000, 9_000, PERIOD_MS), [name])
        new_g = self.rng.uniform(-15, 15)
        cell.lay(40 + new_g)
        self.bag_g[name] = new_g
        self.look(45_000, [name])
        new = self.books.swaps[swaps:]
        if len(new) != 1:
            self.judge.faults.append(f"{name} at {self.t_ms}: {len(new)} swaps for one")

    @property
    def bag_g(self) -> dict[str, float]:
        """What each bag weighs beside the first one."""
        bags: dict[str, float] = self.__dict__.setdefault("_bags", {})
        return bags

    def adjust(self, name: str) -> None:
        """A new line for a loaded bin: as good as the old one, and another."""
        cell = self.cells[name]
        self.look(3_000, [name])
        slope = self.rng.gauss(0, 250e-6)
        drawn = 1 + cell.errors.slope - slope
        line = Adjusted(
            slope_ncounts_per_g=slope_ncounts(COUNTS_PER_GRAM * drawn),
            zero_counts=round(cell.zero_g(self.t_ms / 1000) * COUNTS_PER_GRAM),
            span_ppm=SPAN_PPM,
        )
        self.answers.clear()
        self.post(ScaleAdjusted(self.t_ms, name, "r", "two_points", line))
        if [a.code for a in self.answers] != ["done"]:
            self.judge.faults.append(f"{name}: {self.answers}")
        self.look(4_000, [name])

    def zero(self, name: str) -> None:
        self.look(3_000, [name])
        self.post(ZeroAsked(self.t_ms, name, "z"))

    # -- the judgement --------------------------------------------------------------------------

    def verdict(self) -> list[str]:
        """Everything that is wrong; [] for a good year."""
        faults = list(self.judge.faults)
        sums, within = len(self.judge.sums), self.judge.sums_within
        # 95 of 100, less three standard deviations of so many.
        if within < 0.95 * sums - 3 * math.sqrt(sums * 0.95 * 0.05):
            faults.append(f"{within} of {sums} sums of small things within what was stated")
        credited = self.books.credited_g()
        for who, (grams, n) in credited.items():
            if grams > self.dropped_g[who] + DIVISION_G * n:
                faults.append(f"{who}: {grams} g of {self.dropped_g[who]:.0f} g")
        for name in self.cells:
            judge = self.judge
            off_g = judge.said_g[name] - judge.true_g[name]
            line = self.station.bins[name].line.share
            may_g = 2 * math.hypot(math.sqrt(judge.variance[name]), line * judge.moved_g[name])
            if abs(off_g) > may_g:
                faults.append(f"{name}: {off_g:.0f} g off over the year, {may_g:.0f} g stated")
            held_g = self.books.gross_g[name] - self.books.empty_g[name]
            true_g = self.true_g[name]
            if abs(held_g - true_g) > 3 * DIVISION_G + 2e-3 * true_g:
                faults.append(f"{name}: the books hold {held_g} g, {true_g:.0f} g lie there")
        return faults


def year(
    seed: int, days: int, *, visits: int = 30, learns: bool = False, rate_sps: int = RATE_SPS
) -> Year:
    """``days`` of a station's life."""
    life = Year(seed, learns=learns, rate_sps=rate_sps)
    rng = life.rng
    people = [bytes([i]) * 16 for i in range(1, 60)]
    for number in range(days):
        for turn in range(visits):
            person = None if rng.random() < 0.1 else rng.choice(people)
            if turn == 5 and person is not None:
                life.small_visit(person)
            else:
                life.visit(person)
            for name, cell in life.cells.items():
                if cell.load_g > 9_000:
                    life.change(name)
            life.rest(rng.randrange(120_000, 1_400_000))
        if number % 30 == 17:
            life.adjust(rng.choice(sorted(life.cells)))
        hours = (32 * 3_600_000 - life.t_ms % DAY_MS) / 3_600_000 % 24
        life.night(hours, power=rng.random() < 0.5)
    return life


def with_scale(rules: StationRules, **changes: object) -> StationRules:
    """The same station with other scales."""
    bins = []
    for one in rules.bins:
        assert one.scale is not None
        bins.append(replace(one, scale=replace(one.scale, **changes)))  # type: ignore[arg-type]
    return replace(rules, bins=tuple(bins))

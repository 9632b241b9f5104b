"""Pure worlds: whole station days against the rules alone, in virtual time, from one seed.

The books are checked after every entry (``Books``), the truth is known, and quiet hours are skipped, so
hundreds of days run in a test. The wires are not here; ``hw_sim.world`` has them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kiosk.core.adjusted import Adjusted
from kiosk.core.config import BinRules, Crowd, ScaleRules, StationRules, Tariff
from kiosk.core.effects import Answered, Effect, Item, Record
from kiosk.core.entries import (
    Adjustment,
    Alarm,
    Alias,
    BagSwap,
    BinFull,
    Checkin,
    Claim,
    ClockQuality,
    Commanded,
    Unattributed,
    VisitClose,
    Weighing,
)
from kiosk.core.events import CardSeen, CountsBlock, Event, Moment, Tick
from kiosk.core.memory import BinBook, Memory
from kiosk.core.said import ClassBegin, ClassEnd
from kiosk.core.standing import Standing, after, at_bin
from kiosk.core.station import Station

PERIOD_MS = 100
BUSY_SAMPLES = 4
"""So many samples wait for a station that is busy elsewhere; mostly each is taken as it comes."""
COUNTS_PER_GRAM = 43.0
NOISE_COUNTS = 25.0
RAMP_MS = 400
HAND_MS = 500
ITEMS = (
    "pet-bottle", "can-alu", "can-steel", "glass-clear", "glass-brown", "glass-other", "carton",
    "newspaper", "magazine", "cardboard", "tray-white", "plastic-pack", "clothes",
)  # fmt: skip


class BooksError(AssertionError):
    """The books do not add up."""


@dataclass
class Books:
    """A ledger in memory that believes nothing: every entry is checked as it comes."""

    gross_g: dict[str, int]
    bags: dict[str, str]
    empty_g: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seq: int = 1
    visits: dict[str, bytes | None] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    checkins: list[bytes] = field(default_factory=list)
    weighings: list[Weighing] = field(default_factory=list)
    unattributed: list[Unattributed] = field(default_factory=list)
    swaps: list[BagSwap] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    aliases: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Old name and new."""
    orders: Standing = field(default_factory=Standing)
    full: list[BinFull] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    lessons: list[ClassBegin | ClassEnd] = field(default_factory=list)

    def append(self, items: tuple[Item, ...]) -> tuple[int, ...]:
        seqs = []
        for place, item in enumerate(items):
            self.seq += 1
            seqs.append(self.seq)
            self._check(item)
            if isinstance(item.draft, Alias):
                self._tie(item, items[place - item.back])
        return tuple(seqs)

    def _tie(self, item: Item, of: Item) -> None:
        if not isinstance(of.draft, Checkin | Claim) or None in (item.pseudonym, of.pseudonym):
            raise BooksError(f"{item.draft} is of {of.draft}")
        assert item.pseudonym is not None and of.pseudonym is not None
        self.aliases.append((item.pseudonym, of.pseudonym))

    def _check(self, item: Item) -> None:
        draft = item.draft
        visit = getattr(draft, "visit", None)
        if visit in self.closed:
            raise BooksError(f"{draft} after its visit was closed")
        if isinstance(draft, Checkin):
            assert item.pseudonym is not None
            self.checkins.append(item.pseudonym)
            if draft.visit is not None:
                if draft.visit in self.visits:
                    raise BooksError(f"visit {draft.visit} twice")
                self.visits[draft.visit] = item.pseudonym
        elif isinstance(draft, Claim):
            self.visits[draft.visit] = item.pseudonym
        elif isinstance(draft, VisitClose):
            self.closed.add(draft.visit)
        elif isinstance(draft, Weighing | Unattributed | BagSwap):
            self._move(draft)
        elif isinstance(draft, Adjustment):
            self._adjust(draft)
        elif isinstance(draft, Commanded):
            self.orders = after(self.orders, draft)
        elif isinstance(draft, Alarm):
            self.alarms.append(draft)
        elif isinstance(draft, ClassBegin | ClassEnd):
            self.lessons.append(draft)
        elif isinstance(draft, BinFull):
            self.full.append(draft)
        self.orders = at_bin(self.orders, draft)

    def _adjust(self, draft: Adjustment) -> None:
        if not draft.gross_before_g == draft.gross_after_g == self.gross_g[draft.bin]:
            raise BooksError(f"{draft}: the book is {self.gross_g[draft.bin]}")
        if draft.number <= self.number(draft.bin):
            raise BooksError(f"{draft}: its number does not rise")
        self.adjustments.append(draft)
        self.empty_g[draft.bin] = draft.empty_g

    def number(self, bin_id: str) -> int:
        """Of the adjustment in force."""
        return max((a.number for a in self.adjustments if a.bin == bin_id), default=0)

    def adjusted(self, bin_id: str) -> Adjusted | None:
        return next((a.scale for a in reversed(self.adjustments) if a.bin == bin_id), None)

    def _move(self, draft: Weighing | Unattributed | BagSwap) -> None:
        before_g, after_g, net_g = draft.gross_before_g, draft.gross_after_g, draft.net_g
        assert before_g is not None and after_g is not None and net_g is not None
        if before_g != self.gross_g[draft.bin]:
            raise BooksError(f"{draft} begins at {before_g}, the book is {self.gross_g[draft.bin]}")
        sign = -1 if isinstance(draft, BagSwap) else 1
        if net_g != sign * (after_g - before_g):
            raise BooksError(f"{draft}: net is not the difference")
        self.gross_g[draft.bin] = after_g
        if isinstance(draft, Weighing):
            self.weighings.append(draft)
        elif isinstance(draft, Unattributed):
            self.unattributed.append(draft)
            if draft.cause in ("zero", "indicator_zeroed"):
                self.empty_g[draft.bin] += net_g
        else:
            self.swaps.append(draft)
            self.bags[draft.bin] = draft.new_bag

    def memory(self, prefix: str, *, same_boot: bool) -> Memory:
        return Memory(
            prefix=prefix,
            books=tuple(
                BinBook(
                    b,
                    "x",
                    self.bags[b],
                    g,
                    self.empty_g[b],
                    adjustment=self.number(b),
                    adjusted=self.adjusted(b),
                )
                for b, g in self.gross_g.items()
            ),
            same_boot=same_boot,
            open_visits=tuple(v for v in self.visits if v is not None and v not in self.closed),
            orders=self.orders,
        )

    def credited_g(self) -> dict[tuple[bytes, str], tuple[int, int]]:
        """By person and bin: grams credited, and how many weighings made them."""
        out: dict[tuple[bytes, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for w in self.weighings:
            person = self.visits.get(w.visit) if w.visit else None
            if person is not None:
                grams, n = out[person, w.bin]
                out[person, w.bin] = (grams + w.net_g, n + 1)
        return out


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
        linked = crowd == "one_by_one"
        scale = ScaleRules(60_000, 20, 20, 10.0, counts_per_gram=COUNTS_PER_GRAM)
        self.rules = StationRules(
            bins=tuple(BinRules(f"b{i}", ITEMS[i], scale) for i in range(bins)),
            crowd=crowd,
            tariff=Tariff(1, "kg" if linked else "visit", 1, dict.fromkeys(ITEMS, 10)),
            link_days=90 if linked else 0,
            visit_idle_ms=20_000,
        )
        names = [b.bin for b in self.rules.bins]
        self.books = Books(dict.fromkeys(names, 0), {n: f"first-{n}" for n in names})
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
        """Mass per bin within two divisions and the scale's own drift; nobody has too much."""
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

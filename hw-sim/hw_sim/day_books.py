"""The books of a world without wires: a ledger in memory that believes nothing, and usual rules."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from kiosk.core.adjusted import Adjusted
from kiosk.core.config import BinRules, Crowd, ScaleRules, StationRules, Tariff
from kiosk.core.effects import Item
from kiosk.core.entries import (
    Adjustment,
    Alarm,
    Alias,
    BagSwap,
    BinFull,
    Checkin,
    Claim,
    Commanded,
    Unattributed,
    VisitClose,
    Weighing,
)
from kiosk.core.memory import BinBook, Memory
from kiosk.core.said import ClassBegin, ClassEnd
from kiosk.core.standing import Standing, after, at_bin

ITEMS = (
    "pet-bottle", "can-alu", "can-steel", "glass-clear", "glass-brown", "glass-other", "carton",
    "newspaper", "magazine", "cardboard", "tray-white", "plastic-pack", "clothes",
)  # fmt: skip


def usual_rules(scale: ScaleRules, bins: int, crowd: Crowd) -> StationRules:
    """So many bins on scales alike; points by weight where residents take turns, else by visit."""
    linked = crowd == "one_by_one"
    return StationRules(
        bins=tuple(BinRules(f"b{i}", ITEMS[i], scale) for i in range(bins)),
        crowd=crowd,
        tariff=Tariff(1, "kg" if linked else "visit", 1, dict.fromkeys(ITEMS, 10)),
        link_days=90 if linked else 0,
        visit_idle_ms=20_000,
    )


def first_books(rules: StationRules) -> Books:
    """Empty bins, each with its first bag."""
    names = [b.bin for b in rules.bins]
    return Books(dict.fromkeys(names, 0), {n: f"first-{n}" for n in names})


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

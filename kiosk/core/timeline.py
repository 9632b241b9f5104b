"""When was an entry, told by a machine that has no clock of its own? An interval, and how it is known.

Theory. ``seq`` orders a ledger's entries, ``boot_ms`` tells the time between two of one boot, and an
*anchor* (a ``clock`` entry) says that at some ``boot_ms`` it was ``utc_ms``, give or take its uncertainty.
An entry whose boot has a believed anchor is *exact*: the anchor's time and the way between them, within
the uncertainty and DRIFT of that way (a Pi's crystal). Any other is *bounded*: after each believed anchor
before it, before each one behind it. A wall clock is never asked: it may be ten years off.

An anchor lies where the time server did. Two *contradict* each other in one boot where the way between
them is another than they say, and in two boots where the earlier one is certainly the later. Within a
boot nobody knows which lies: none of them is believed. Between boots the one that is clearly outvoted is
not believed, nor is any where it is not clear: each is believed whose opponents all contradict three times
as many as it does. What nothing contradicts is believed: a lie without a witness is found when the next
anchor comes, and a majority that lies is not found at all.

An anchor that was *recovered* into a later ledger lies out of order: it serves its boot and bounds nothing.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

DRIFT = 10_000
"""One millisecond in so many: 100 ppm."""
CLEARLY = 3
MAX_IN_BOOT = 64
"""Anchors of one boot that are looked at; there is one a start of the program."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """At ``boot_ms`` of ``boot`` it was ``utc_ms``, within ``uncertainty_ms`` to either side."""

    seq: int
    boot: str
    boot_ms: int
    utc_ms: int
    uncertainty_ms: int
    recovered: bool = False

    @property
    def earliest_ms(self) -> int:
        return self.utc_ms - self.uncertainty_ms

    @property
    def latest_ms(self) -> int:
        return self.utc_ms + self.uncertainty_ms


@dataclass(frozen=True, slots=True)
class Settled:
    """An anchor among the others: whether it is believed, and what is known at its place in the ledger.

    ``after_ms`` the latest moment that every entry behind it is certainly after, ``before_ms`` the earliest
    that every entry before it is certainly before; None where nothing is known.
    """

    anchor: Anchor
    believed: bool
    after_ms: int | None
    before_ms: int | None


@dataclass(frozen=True, slots=True)
class Interval:
    """From and to, UTC milliseconds; None where nothing bounds it."""

    time: Literal["exact", "bounded"]
    from_ms: int | None
    to_ms: int | None


def drift_ms(way_ms: int) -> int:
    """What a crystal may be off over ``way_ms``."""
    return abs(way_ms) // DRIFT


def contradict_in_boot(one: Anchor, other: Anchor) -> bool:
    """Whether two anchors of one boot cannot both be right."""
    way_ms = other.boot_ms - one.boot_ms
    off_ms = abs((other.utc_ms - one.utc_ms) - way_ms)
    return off_ms > one.uncertainty_ms + other.uncertainty_ms + drift_ms(way_ms) + 1


def settle(anchors: Sequence[Anchor]) -> list[Settled]:
    """All anchors of one ledger, in the order of ``seq``."""
    agreeing = _agreeing_boots(anchors)
    ordered = [one for one in anchors if not one.recovered]
    outvoted = _outvoted(ordered)
    liars = {one.boot for one in ordered if one.seq in outvoted}
    believed = {one.seq: one.boot in agreeing - liars for one in anchors}
    after, before = _bounds(anchors, believed)
    return [
        Settled(one, believed[one.seq], after[place], before[place])
        for place, one in enumerate(anchors)
    ]


def follow(last: Settled | None, same_boot: Iterable[Anchor], new: Anchor) -> Settled | None:
    """One more anchor where nothing was ever doubted; None where all have to be settled anew.

    ``last`` the one before it, ``same_boot`` those of its boot.
    """
    if new.recovered or any(contradict_in_boot(one, new) for one in same_boot):
        return None
    if last is None:
        return Settled(new, True, new.earliest_ms, new.latest_ms)
    if not last.believed or last.anchor.recovered or last.after_ms is None:
        return None
    if new.latest_ms < last.after_ms or new.latest_ms < (last.before_ms or 0):
        return None
    return Settled(new, True, max(last.after_ms, new.earliest_ms), new.latest_ms)


def resolve(
    seq: int, boot: str, boot_ms: int, settled: Sequence[Settled], *, recovered: bool = False
) -> Interval:
    """When the entry was; ``settled`` all anchors of its ledger, in order."""
    own = [
        (one.uncertainty_ms + drift_ms(boot_ms - one.boot_ms), one.seq, one)
        for one in (each.anchor for each in settled if each.believed)
        if one.boot == boot
    ]
    if own:
        doubt_ms, _, anchor = min(own, key=lambda found: found[:2])
        told_ms = anchor.utc_ms + boot_ms - anchor.boot_ms
        return Interval("exact", told_ms - doubt_ms - 1, told_ms + doubt_ms + 1)
    before = [each.after_ms for each in settled if each.anchor.seq < seq]
    behind = [each.before_ms for each in settled if each.anchor.seq > seq]
    from_ms = before[-1] if before and not recovered else None
    return Interval("bounded", from_ms, behind[0] if behind else None)


# --- who is believed ----------------------------------------------------------------------------------


def _agreeing_boots(anchors: Iterable[Anchor]) -> set[str]:
    by_boot: dict[str, list[Anchor]] = defaultdict(list)
    for one in anchors:
        by_boot[one.boot].append(one)
    return {
        boot
        for boot, found in by_boot.items()
        if len(found) <= MAX_IN_BOOT
        and not any(
            contradict_in_boot(one, other)
            for place, one in enumerate(found)
            for other in found[:place]
        )
    }


def _outvoted(ordered: Sequence[Anchor]) -> set[int]:
    """The seqs of those that are contradicted across boots and do not clearly win."""
    points = sorted({ms for one in ordered for ms in (one.earliest_ms, one.latest_ms)})
    ranks = {ms: rank for rank, ms in enumerate(points, 1)}
    counts = [0] * len(ordered)
    for place, found in _opponents(ordered, ranks, [1] * len(ordered), operator.add, 0):
        counts[place] += found
    if not any(counts):
        return set()
    least = [len(ordered)] * len(ordered)
    for place, found in _opponents(ordered, ranks, counts, min, len(ordered)):
        least[place] = min(least[place], found)
    return {
        one.seq
        for place, one in enumerate(ordered)
        if counts[place] and least[place] < CLEARLY * counts[place]
    }


def _opponents(
    ordered: Sequence[Anchor],
    ranks: Mapping[int, int],
    values: Sequence[int],
    join: Callable[[int, int], int],
    nothing: int,
) -> Iterator[tuple[int, int]]:
    """For each place the ``values`` of all that contradict it, joined: of the earlier ones that are
    certainly later, then of the later ones that are certainly earlier. In n log n."""
    top = len(ranks)
    tree = _Tree(top, join, nothing)
    for place, one in enumerate(ordered):
        yield place, tree.below(top - ranks[one.latest_ms])
        tree.put(top - ranks[one.earliest_ms] + 1, values[place])
    tree = _Tree(top, join, nothing)
    for place in reversed(range(len(ordered))):
        yield place, tree.below(ranks[ordered[place].earliest_ms] - 1)
        tree.put(ranks[ordered[place].latest_ms], values[place])


class _Tree:
    """Values at ranks 1 to ``size``, joined over all ranks up to one (P. M. Fenwick, 1994)."""

    def __init__(self, size: int, join: Callable[[int, int], int], nothing: int) -> None:
        self._cells = [nothing] * (size + 1)
        self._join, self._nothing = join, nothing

    def put(self, rank: int, value: int) -> None:
        while rank < len(self._cells):
            self._cells[rank] = self._join(self._cells[rank], value)
            rank += rank & -rank

    def below(self, rank: int) -> int:
        """Of all ranks up to this one, itself among them."""
        found = self._nothing
        while rank > 0:
            found = self._join(found, self._cells[rank])
            rank -= rank & -rank
        return found


def _bounds(
    anchors: Sequence[Anchor], believed: Mapping[int, bool]
) -> tuple[list[int | None], list[int | None]]:
    """The latest earliest moment up to each place, and the earliest latest one from it on."""
    after: list[int | None] = []
    known: int | None = None
    for one in anchors:
        if believed[one.seq] and not one.recovered:
            known = one.earliest_ms if known is None else max(known, one.earliest_ms)
        after.append(known)
    before: list[int | None] = []
    known = None
    for one in reversed(anchors):
        if believed[one.seq] and not one.recovered:
            known = one.latest_ms if known is None else min(known, one.latest_ms)
        before.append(known)
    return after, before[::-1]

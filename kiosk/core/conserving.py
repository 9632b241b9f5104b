"""Conservation of grams, read back from the entries: none lost, none invented.

Invariant: an entry's ``gross_before_g`` is the ``gross_after_g`` of its bin's previous entry (the first
one's: the opening), and ``net_g`` is the difference (``bag_swap`` alone: before - after). Three nulls
are a bin without a scale; null, a weight and no net are a scale that is new to the books.

Theory. What stood in a *hole* (an entry whose text was thinned away, or is not to be believed) can have
moved one bin at most. So a bin that goes on elsewhere than it ended is excused by a hole in between,
and each hole excuses once. Holes go to the bins in the order in which these need them, the oldest first:
where a hole is in nobody's reach any more, nobody could have used it better.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Entry = Mapping[str, Any]
"""A parsed body."""

GRAM_KINDS = frozenset({"weighing", "unattributed", "bag_swap", "adjustment"})
"""The kinds that carry grams of a bin."""

Case = Literal["begins", "net", "ends", "no_gross", "moves"]


@dataclass(frozen=True, slots=True)
class Broken:
    """What does not add up: where it ``begins``, its ``net``, a weight that ``ends`` nowhere, a net weight
    without gross weights (``no_gross``), or an adjustment that ``moves`` grams by itself."""

    case: Case
    before_g: int | None
    after_g: int | None
    net_g: int | None
    book_g: int | None

    def __str__(self) -> str:
        match self.case:
            case "begins":
                return f"begins at {self.before_g} g where the book says {self.book_g} g"
            case "net":
                return f"a net of {self.net_g} g from {self.before_g} g to {self.after_g} g"
            case "ends":
                return "ends nowhere"
            case "no_gross":
                return "a net weight without gross weights"
            case "moves":
                return f"an adjustment that moves {self.before_g} g to {self.after_g} g by itself"


def broken(book_g: int | None, entry: Entry) -> Broken | None:
    """What breaks the invariant in an entry that carries grams, where the book says ``book_g``."""
    case = _case(book_g, entry)
    if case is None:
        return None
    before_g, after_g = entry["gross_before_g"], entry["gross_after_g"]
    return Broken(case, before_g, after_g, entry.get("net_g"), book_g)


def _case(book_g: int | None, entry: Entry) -> Case | None:
    before_g, after_g = entry["gross_before_g"], entry["gross_after_g"]
    if before_g is None and after_g is None:
        return None if entry.get("net_g") is None else "no_gross"
    if before_g != book_g:
        return "begins"
    if after_g is None:
        return "ends"
    if entry["kind"] == "adjustment":
        return None if before_g == after_g else "moves"
    expected = None
    if before_g is not None:
        expected = before_g - after_g if entry["kind"] == "bag_swap" else after_g - before_g
    return None if entry["net_g"] == expected else "net"


class Conservation:
    """The books of a ledger that is read from its beginning."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int | None, int]] = {}
        """By bin: its gross and the seq that said so."""
        self._holes: list[int] = []
        self._lost = True
        """Nothing is known of a bin that was not seen yet: a ledger without its genesis opens nowhere."""

    def open(self, genesis: Entry) -> None:
        """What the bins held when the ledger began."""
        for bin_id, opening in genesis["opening"].items():
            self._last[bin_id] = (opening["gross_g"], 0)
        self._lost = False

    def hole(self, seq: int) -> None:
        """An entry whose text is not known."""
        self._holes.append(seq)

    def lose(self) -> None:
        """Any number of entries is missing: nothing is known of any bin."""
        self._last.clear()
        self._holes.clear()
        self._lost = True

    def see(self, seq: int, entry: Entry) -> Broken | None:
        """What does not add up in the next entry that carries grams."""
        bin_id, before_g = entry["bin"], entry["gross_before_g"]
        book_g, since = self._last.get(bin_id, (before_g if self._lost else None, 0))
        found = broken(book_g, entry)
        if found is not None and found.case == "begins" and self._excused(since):
            found = broken(before_g, entry)
        self._last[bin_id] = (entry["gross_after_g"], seq)
        return found

    def _excused(self, since: int) -> bool:
        oldest = bisect_right(self._holes, since)
        if oldest == len(self._holes):
            return False
        del self._holes[oldest]
        return True

"""One bin: its samples, its plateau, and its page in the books.

Invariant: ``book.gross_g`` is what the ledger's last entry on this bin says (``gross_after_g``), and it
moves only when the ledger has committed. ``level_g`` is what the scale says now. The difference between
the two is always somebody's or something's, and is written with its name before anybody else's drop
is (``docs/contracts.md``, Ledger).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from kiosk.core.config import BinRules, ScaleRules
from kiosk.core.entries import AnyDraft, BagSwap, Cause, Unattributed
from kiosk.core.events import CountsBlock, IndicatorReading
from kiosk.core.memory import BinBook
from kiosk.core.settle import CountsSettler, IndicatorSettler, Motion, Plateau, Sign

Stage = Literal["none", "starting", "gap", "normal", "away", "question"]
"""``none`` without a scale; ``starting`` no stable weight since the start; ``gap`` the scale was lost;
``question`` only a caretaker can say what happened."""

ZERO_LIMIT = 0.04
"""Zero-setting and zero-tracking together, share of Max (R 76, 4.5.1)."""

UNCLEAR_ZERO = 0.04
"""An indicator at about zero where the book says more than this share of Max: ask."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A plateau in whole grams. ``before_g`` the level that was left, None when there was none."""

    bin: str
    began_ms: int
    t_ms: int
    gross_g: int
    before_g: int | None
    uncertainty_g: int


@dataclass(frozen=True, slots=True)
class PendingSwap:
    """A bag seems to have gone; told once the bin has kept still for a moment."""

    settled: Settled
    since_ms: int


class Bin:
    """A bin's state between events. Only ``booked`` moves the book."""

    def __init__(self, rules: BinRules, book: BinBook) -> None:
        self.rules = rules
        self.book = book
        self.stage: Stage = "none"
        self.lost = False
        self.broken = False
        self.said_full = False
        """Somebody touched 「いっぱい」 since the bag was changed."""
        self.lid_open = False
        self.swap: PendingSwap | None = None
        self.swapped_ms: int | None = None
        self.engaged: str | None = None
        """The visit whose changes are being counted here."""
        self.base_g: int | None = None
        """Where that count stands: the level after the last counted (or begun) change."""
        self.asked: Settled | None = None
        self._settler: CountsSettler | IndicatorSettler | None = None
        if rules.scale is not None:
            counts = rules.scale.counts_per_gram is not None
            self._settler = (CountsSettler if counts else IndicatorSettler)(rules.scale)
            self.stage = "starting"

    @property
    def scale(self) -> ScaleRules:
        assert self.rules.scale is not None
        return self.rules.scale

    @property
    def weighs(self) -> bool:
        """Whether a drop here is weighed now."""
        return self.stage in ("normal", "away") and not self.lost and not self.broken

    @property
    def scaleless(self) -> bool:
        """A bin without a scale, by its settings or by a touch: pieces are counted, not weighed."""
        return self.stage == "none" or self.broken

    @property
    def level_g(self) -> int | None:
        level = self._settler.level_g if self._settler else None
        return None if level is None else round(level)

    @property
    def live_g(self) -> int | None:
        live = self._settler.live_g if self._settler else None
        return None if live is None or not self.weighs else round(live)

    @property
    def moving_since_ms(self) -> int | None:
        return self._settler.moving_since_ms if self._settler else None

    @property
    def blind(self) -> bool:
        """Its scale speaks, and has no weight to say."""
        return isinstance(self._settler, IndicatorSettler) and self._settler.blind

    @property
    def quantised(self) -> bool:
        return isinstance(self._settler, IndicatorSettler)

    @property
    def rejected(self) -> int:
        return self._settler.rejected.total() if self._settler else 0

    def feed(self, event: CountsBlock | IndicatorReading) -> list[Motion | Settled]:
        """Samples in, motions and plateaus (whole grams) out, oldest first."""
        signs: list[Sign] = []
        if isinstance(event, IndicatorReading):
            if isinstance(self._settler, IndicatorSettler):
                signs = self._settler.feed(event)
        elif isinstance(self._settler, CountsSettler):
            if event.gap:
                self._settler.doubt()
            for t_ms, counts in zip(event.t_ms, event.counts, strict=True):
                signs += self._settler.feed(t_ms, counts)
        return [self._settled(s) if isinstance(s, Plateau) else s for s in signs]

    def _settled(self, plateau: Plateau) -> Settled:
        return Settled(
            bin=self.rules.bin,
            began_ms=plateau.began_ms,
            t_ms=plateau.t_ms,
            gross_g=round(plateau.gross_g),
            before_g=None if plateau.left_g is None else round(plateau.left_g),
            uncertainty_g=math.ceil(plateau.uncertainty_g),
        )

    def interrupt(self) -> None:
        """The scale is gone or in doubt: the next plateau has to close the gap."""
        if self._settler is None:
            return
        self._settler.interrupt()
        self.swap = None
        self.disengage()
        if self.stage in ("normal", "away"):
            self.stage = "gap"

    def disengage(self) -> None:
        """No visit's count goes on here."""
        self.engaged = self.base_g = None

    def near_empty(self, gross_g: int) -> bool:
        return abs(gross_g - self.book.empty_g) <= self.rules.near_empty_g

    def below_empty(self, gross_g: int) -> bool:
        return gross_g < self.book.empty_g - self.rules.near_empty_g

    def fill_pct(self) -> int | None:
        if self.rules.bag_limit_g is None or self.book.gross_g is None:
            return None
        held_g = max(0, self.book.gross_g - self.book.empty_g)
        return min(100, held_g * 100 // self.rules.bag_limit_g)

    def is_full(self) -> bool:
        """By somebody's word or by weight; until the bag is changed."""
        return self.said_full or (self.fill_pct() or 0) >= 100

    def booked(self, draft: AnyDraft) -> None:
        """The ledger has committed an entry on this bin: the book moves."""
        if isinstance(draft, BagSwap):
            self.book = replace(self.book, bag=draft.new_bag, gross_g=draft.gross_after_g)
            self.said_full = False
        elif isinstance(draft, Unattributed) and draft.cause in ("zero", "indicator_zeroed"):
            empty_g = self.book.empty_g + (draft.net_g or 0)
            self.book = replace(self.book, gross_g=draft.gross_after_g, empty_g=empty_g)
        else:
            after_g = getattr(draft, "gross_after_g", None)
            self.book = replace(self.book, gross_g=after_g)

    def unattributed(
        self, cause: Cause, before_g: int, after_g: int, uncertainty_g: int
    ) -> tuple[Unattributed, ...]:
        """The entry for a difference that is no drop; none where there is no difference."""
        if before_g == after_g:
            return ()
        return (
            Unattributed(
                bin=self.rules.bin,
                item=self.rules.item,
                bag=self.book.bag,
                cause=cause,
                net_g=after_g - before_g,
                gross_before_g=before_g,
                gross_after_g=after_g,
                uncertainty_g=uncertainty_g,
            ),
        )

    def flush(self, base_g: int, visit: str | None = None) -> tuple[Unattributed, ...]:
        """Before a drop of ``visit`` is counted from ``base_g``: the book is brought there, with the
        cause."""
        book_g = self.book.gross_g
        assert book_g is not None
        others = self.engaged is not None and self.engaged != visit
        cause: Cause = "remainder" if others else self.quiet_cause(book_g, base_g)
        return self.unattributed(cause, book_g, base_g, self.scale.division_g)

    def quiet_cause(self, before_g: int, after_g: int) -> Cause:
        """What a slow change of nobody's is: zero tracking at an empty bin, else drift."""
        limit_g = ZERO_LIMIT * self.scale.max_g
        d = self.scale.division_g
        at_zero = abs(before_g - self.book.empty_g) <= d and abs(after_g - before_g) <= d
        within = abs(self.book.empty_g + after_g - before_g) <= limit_g
        return "zero" if at_zero and within else "drift"

    def bag_swap(self, new_bag: str, before_g: int | None, after_g: int | None) -> BagSwap:
        return BagSwap(
            bin=self.rules.bin,
            item=self.rules.item,
            bag=self.book.bag,
            new_bag=new_bag,
            net_g=None if before_g is None or after_g is None else before_g - after_g,
            gross_before_g=before_g,
            gross_after_g=after_g,
        )

    def first_stable(
        self, settled: Settled, *, same_boot: bool, after_gap: bool, new_bag: str
    ) -> tuple[AnyDraft, ...] | None:
        """The entry that joins the book to the first stable weight; None when somebody must be asked.

        design.md, Weights: near empty is a new bag, up to a division is drift, anything else happened
        while nobody looked.
        """
        book_g = self.book.gross_g
        if book_g is None:
            # The scale is new to this bin's books: what is in it now was never weighed.
            return (
                Unattributed(
                    bin=self.rules.bin,
                    item=self.rules.item,
                    bag=self.book.bag,
                    cause="unscaled",
                    net_g=None,
                    gross_before_g=None,
                    gross_after_g=settled.gross_g,
                    uncertainty_g=settled.uncertainty_g,
                ),
            )
        change_g = settled.gross_g - book_g
        if self.near_empty(settled.gross_g) and not self.near_empty(book_g):
            power_went = after_gap or not same_boot
            held = book_g - self.book.empty_g > UNCLEAR_ZERO * self.scale.max_g
            if self.scale.zeroes_itself and power_went and held:
                return None
            return (self.bag_swap(new_bag, book_g, settled.gross_g),)
        if abs(change_g) <= self.scale.division_g:
            cause: Cause = self.quiet_cause(book_g, settled.gross_g)
        elif after_gap:
            cause = "unscaled"
        else:
            cause = "restart" if same_boot else "while_off"
        return self.unattributed(cause, book_g, settled.gross_g, settled.uncertainty_g)

"""One bin: its samples, its plateau, and its page in the books.

Invariant: ``book.gross_g`` is what the ledger's last entry on this bin says (``gross_after_g``), and it
moves only when the ledger has committed. ``level_g`` is what the scale says now. The difference between
the two is always somebody's or something's, and is written with its name before anybody else's drop
is (``docs/contracts.md``, Ledger).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Literal

from kiosk.core import limits, uncertainty, warmth
from kiosk.core.adjusted import Adjusted
from kiosk.core.config import BinRules, ScaleRules
from kiosk.core.entries import Adjustment, AnyDraft, BagSwap, BinFull, Cause, FullBy, Unattributed
from kiosk.core.events import CountsBlock, IndicatorReading
from kiosk.core.filling import Filling
from kiosk.core.memory import BinBook
from kiosk.core.nights import Nights
from kiosk.core.settle import CountsSettler, IndicatorSettler, Motion, Plateau, Sign
from kiosk.core.settled import Level, PendingSwap, Settled, Watched
from kiosk.core.view import Full
from kiosk.core.warmth_line import WarmthLine

Stage = Literal["none", "starting", "gap", "normal", "away", "over", "service", "question"]
"""``none`` without a scale; ``starting`` no stable weight since the start; ``gap`` the scale was lost;
``away`` less than empty; ``over`` above Max + 9 e; ``service`` somebody adjusts it; ``question`` only a
caretaker can say what happened."""

SCATTER_BLOCKS = 50
"""Blocks over which samples' scatter around a level is averaged."""
OVER_MS = 1_000
"""An indicator may say overload for a moment when something is thrown in."""


class Bin:
    """A bin's state between events. Only ``booked`` moves the book."""

    def __init__(self, rules: BinRules, book: BinBook, *, cold: bool = True) -> None:
        self.rules = rules
        self.book = book
        self.stage: Stage = "none"
        self.lost = False
        self.broken = False
        self.full_by: set[FullBy] = set()
        """By whose word it is full, since the bag was changed."""
        self.filling = Filling()
        self.lid_open = False
        self.swap: PendingSwap | None = None
        self.doubted: Settled | None = None
        """A small change of nobody's that has to lie still first (``doubts``)."""
        self.swapped_ms: int | None = None
        self.engaged: str | None = None
        """The visit whose changes are being counted here."""
        self.base: Level | None = None
        """Where that count stands: the level after the last counted (or begun) change."""
        self.watched: Watched | None = None
        """For loads that come slowly (``slow``)."""
        self.put_back: tuple[str, int] | None = None
        """While a change is being written: the visit, and how much only comes back (``putback``)."""
        self.tracked_ms = 0
        """When the empty weight was last moved by tracking."""
        self.asked: Settled | None = None
        self.still_since_ms = 0
        """When the plateau that holds was told, or its weight last written."""
        self.weighed = False
        """Something was weighed since the start: initial zero-setting is over."""
        self.zero_from_g = 0
        """Zero-setting and tracking are bounded around this (initial zero-setting moves it)."""
        self.warmth: WarmthLine | None = None
        self.nights: Nights | None = None
        """What warmth does to the scale, where that is to be learned."""
        self.taught_ms = self.looked_ms = self.learned_ms = 0
        self.lay_g = 0
        self._settler: CountsSettler | IndicatorSettler | None = None
        self._on_since_ms: int | None = None if cold else 0
        self._told_ms = 0
        self._told_sd_g = 0.0
        self._over_since_ms: int | None = None
        self.overloaded: Settled | None = None
        """How it came to lie there, while more lies on it than it can weigh (``gaps``)."""
        self._scatter_g2 = 0.0
        if rules.scale is not None:
            if abs(book.empty_g) > limits.zero_range_g(rules.scale):
                self.zero_from_g = book.empty_g
            self._weigh_by(book.adjusted if book.adjustment >= rules.scale.adjustment else None)
            self.stage = "starting"
            if rules.scale.learns_warmth and self.counts:
                self.nights = Nights(rules.scale.max_g, rules.scale.division_g)

    def _weigh_by(self, adjusted: Adjusted | None) -> None:
        """Puts a line in force: the ledger's where it has one, else that of the settings."""
        scale = self.scale
        if adjusted is not None and adjusted.counts_per_gram is not None:
            assert adjusted.zero_counts is not None
            scale = replace(
                scale,
                counts_per_gram=adjusted.counts_per_gram,
                zero_counts=adjusted.zero_counts,
            )
            self.rules = replace(self.rules, scale=scale)
        self.line = uncertainty.Line.of(adjusted, max_g=scale.max_g)
        temperature_mc = None if self.warmth is None else self.warmth.now_mc
        self.warmth = WarmthLine(scale, adjusted, temperature_mc)
        self._settler = (CountsSettler if self.counts else IndicatorSettler)(scale)

    @property
    def counts(self) -> bool:
        """Whether its grams are made here, of a converter's counts."""
        return self.rules.scale is not None and self.rules.scale.counts_per_gram is not None

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
    def says_gross(self) -> bool | None:
        """Whether the telegrams that made the newest level said that it is gross; None without any."""
        settler = self._settler
        return settler.says_gross if isinstance(settler, IndicatorSettler) else None

    @property
    def refusals(self) -> Counter[str]:
        """Samples or telegrams that held no weight, by reason."""
        return self._settler.rejected if self._settler else Counter()

    @property
    def rejected(self) -> int:
        return self.refusals.total()

    def feed(self, event: CountsBlock | IndicatorReading) -> list[Motion | Settled]:
        """Samples in, motions and plateaus (whole grams) out, oldest first."""
        signs: list[Sign] = []
        if isinstance(event, IndicatorReading):
            if isinstance(self._settler, IndicatorSettler):
                self._switched_on(event.t_ms)
                self._overload_said(event)
                signs = self._settler.feed(event)
        elif isinstance(self._settler, CountsSettler) and self.warmth is not None:
            settler, corrected = self._settler, self.warmth.corrected
            if event.gap:
                settler.doubt()
            if event.t_ms:
                self._switched_on(event.t_ms[0])
            for t_ms, counts in zip(event.t_ms, event.counts, strict=True):
                if not self.warmth.awaits(t_ms):
                    signs += settler.feed(t_ms, corrected(counts))
            level_g = settler.level_g
            if level_g is not None and event.counts:
                self._watch_scatter(level_g, corrected(event.counts[-1]))
        return [self._settled(s) if isinstance(s, Plateau) else s for s in signs]

    def _watch_scatter(self, level_g: float, counts: int) -> None:
        """How far samples lie from a level that holds: a block's last one stands for them."""
        scale = self.scale
        assert scale.counts_per_gram is not None
        off_g = (counts - scale.zero_counts) / scale.counts_per_gram - level_g
        off_g = min(float(scale.division_g), abs(off_g))  # a drop is no scatter
        self._scatter_g2 += (off_g * off_g - self._scatter_g2) / SCATTER_BLOCKS

    def _switched_on(self, t_ms: int) -> None:
        if self._on_since_ms is None:
            self._on_since_ms = t_ms

    def _overload_said(self, reading: IndicatorReading) -> None:
        if reading.status != "overload":
            self._over_since_ms = None
        elif self._over_since_ms is None:
            self._over_since_ms = reading.t_ms

    def is_over(self, t_ms: int) -> bool:
        """Whether the indicator has said overload for longer than a throw."""
        return self._over_since_ms is not None and t_ms - self._over_since_ms >= OVER_MS

    def _settled(self, plateau: Plateau) -> Settled:
        d = float(self.scale.division_g)
        sd_g = plateau.uncertainty_g / uncertainty.K
        left_sd_g = self.level_sd_g(plateau.began_ms)
        still_sd_g = warmth.still_sd_g(plateau.began_ms - self.still_since_ms, d)
        self._told_ms, self._told_sd_g = plateau.t_ms, sd_g
        self.still_since_ms = plateau.t_ms
        return Settled(
            bin=self.rules.bin,
            began_ms=plateau.began_ms,
            t_ms=plateau.t_ms,
            after=Level(plateau.gross_g, sd_g, plateau.says_gross),
            before=(
                None
                if plateau.left_g is None
                else Level(plateau.left_g, left_sd_g, plateau.left_says_gross)
            ),
            left_sd_g=left_sd_g,
            extra_sd_g=math.hypot(self._cold_sd_g(plateau.t_ms), still_sd_g),
            late_g=plateau.late_g,
        )

    def level_sd_g(self, t_ms: int) -> float:
        """How well the level is known now (standard uncertainty)."""
        if not self.counts:
            return self._told_sd_g
        return uncertainty.refined_sd_g(
            self._told_sd_g,
            math.sqrt(self._scatter_g2),
            age_ms=t_ms - self._told_ms,
            division_g=self.scale.division_g,
        )

    def level(self, t_ms: int) -> Level | None:
        """The stable level as it is known now; None in motion."""
        exact_g = self._settler.level_g if self._settler else None
        if exact_g is None:
            return None
        return Level(exact_g, self.level_sd_g(t_ms), bool(self.says_gross))

    def as_settled(self, t_ms: int, level: Level, before: Level) -> Settled:
        """The plateau that holds, as a change that came slowly."""
        cold_sd_g = self._cold_sd_g(t_ms)
        return Settled(self.rules.bin, t_ms, t_ms, level, before, before.sd_g, cold_sd_g)

    def _cold_sd_g(self, t_ms: int) -> float:
        return warmth.cold_sd_g(t_ms - (self._on_since_ms or 0), float(self.scale.division_g))

    def interrupt(self) -> None:
        """The scale is gone or in doubt: the next plateau has to close the gap."""
        if self._settler is None:
            return
        self._settler.interrupt()
        self.swap = self.doubted = None
        self._over_since_ms = None
        if self.lost:
            self._on_since_ms = None  # unplugged: it comes back cold
        self.disengage()
        if self.stage in ("normal", "away", "over"):
            self.stage = "gap"

    def disengage(self) -> None:
        """No visit's count goes on here."""
        self.engaged = self.base = self.watched = None

    def near_empty(self, gross_g: int) -> bool:
        return abs(gross_g - self.book.empty_g) <= self.rules.near_empty_g

    def below_empty(self, gross_g: int) -> bool:
        return gross_g < self.book.empty_g - self.rules.near_empty_g

    def fill_pct(self) -> int | None:
        if self.rules.bag_limit_g is None or self.book.gross_g is None:
            return None
        held_g = max(0, self.book.gross_g - self.book.empty_g)
        return min(100, held_g * 100 // self.rules.bag_limit_g)

    def full(self) -> Full | None:
        """What says that it is full, until the bag is changed: somebody's word first, who has looked."""
        if "touch" in self.full_by:
            return "said"
        if "sensor" in self.full_by:
            return "sensor"
        return "limit" if (self.fill_pct() or 0) >= 100 else None

    def booked(self, draft: AnyDraft) -> None:
        """The ledger has committed an entry on this bin: the book moves."""
        if isinstance(draft, BagSwap):
            self.book = replace(self.book, bag=draft.new_bag, gross_g=draft.gross_after_g)
            self.full_by.clear()
        elif isinstance(draft, BinFull):
            (self.full_by.add if draft.full else self.full_by.discard)(draft.by)
        elif isinstance(draft, Adjustment):
            self.book = replace(
                self.book,
                empty_g=draft.empty_g,
                adjustment=draft.number,
                adjusted=draft.scale,
            )
            self._adjusted(draft)
        elif isinstance(draft, Unattributed) and draft.cause in ("zero", "indicator_zeroed"):
            empty_g = self.book.empty_g + (draft.net_g or 0)
            self.book = replace(self.book, gross_g=draft.gross_after_g, empty_g=empty_g)
        else:
            after_g = getattr(draft, "gross_after_g", None)
            self.book = replace(self.book, gross_g=after_g)

    def _adjusted(self, draft: Adjustment) -> None:
        """The next plateau is by the new line; there is no level until then."""
        self._weigh_by(draft.scale)
        self.swap = self.doubted = None
        self.disengage()
        self._told_ms, self._told_sd_g = 0, 0.0
        self.zero_from_g = draft.empty_g if abs(draft.empty_g) > self._zero_range_g() else 0

    def _zero_range_g(self) -> float:
        return limits.zero_range_g(self.scale)

    def zero_allowed(self, empty_g: int) -> bool:
        """Whether the empty weight may be there (R 76, 4.5.1)."""
        return abs(empty_g - self.zero_from_g) <= self._zero_range_g()

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
        return self.unattributed(cause, book_g, base_g, self.quiet_uncertainty_g())

    def quiet_uncertainty_g(self) -> int:
        """Of a difference between two levels of one plateau, or of two (k = 2)."""
        sd_g = self._told_sd_g
        return uncertainty.difference_g(sd_g, sd_g)

    def quiet_cause(self, before_g: int, after_g: int) -> Cause:
        """What a slow change of nobody's is: zero tracking at an empty bin, else drift."""
        d = self.scale.division_g
        at_zero = abs(before_g - self.book.empty_g) <= d and abs(after_g - before_g) <= d
        allowed = self.zero_allowed(self.book.empty_g + after_g - before_g)
        return "zero" if at_zero and allowed else "drift"

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

    def first_weight(self, gross_g: int) -> Unattributed:
        """The scale is new to this bin's books: what is in it now was never weighed."""
        return Unattributed(
            bin=self.rules.bin,
            item=self.rules.item,
            bag=self.book.bag,
            cause="unscaled",
            net_g=None,
            gross_before_g=None,
            gross_after_g=gross_g,
            uncertainty_g=self.quiet_uncertainty_g(),
        )

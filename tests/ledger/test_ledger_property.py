"""Random lives of a ledger, from a seed: whatever happens, the projections are the ledger's sum."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest
from ledger_site import DAY_MS, ITEMS, Site, checkin, close_visit, projected

from kiosk.core.adjusted import Adjusted
from kiosk.core.effects import Item
from kiosk.core.entries import Adjustment, BagSwap, ItemCount, Unattributed, Weighing
from kiosk.ledger import Ledger, projections
from kiosk.ledger.verify import verify

CAUSES = ("removal", "drift", "remainder", "zero", "restart", "unscaled", "indicator_zeroed",
          "adjustment")  # fmt: skip


class Life:
    """Draws drafts whose grams join on, as the rules would."""

    def __init__(self, seed: int, ledger: Ledger) -> None:
        self.draw = random.Random(seed)
        self.gross_g = {book.bin: book.gross_g for book in ledger.memory().books}
        self.adjustments = 1
        self.visits: list[str] = []
        """Those that are open; a name is never used twice."""
        self.named = 0

    def item(self) -> Item:
        bin_id = self.draw.choice(sorted(ITEMS))
        before_g = self.gross_g[bin_id]
        after_g = None if self.draw.random() < 0.05 else self.draw.randint(-50, 40_000)
        visit = self.draw.choice([*self.visits, None])
        kind = self.draw.randrange(8)
        if kind == 0:
            return checkin(bytes([self.draw.randint(65, 90)]), visit=self.begin(), points=kind % 2)
        if kind == 1 and visit is not None:
            self.visits.remove(visit)
            return close_visit(visit)
        if kind == 2:
            return Item(ItemCount("lamp", None, visit, count=self.draw.randint(1, 9)))
        if after_g is None:
            before_g = None
        net_g = None if before_g is None or after_g is None else after_g - before_g
        self.gross_g[bin_id] = after_g
        if kind == 3:
            swapped_g = None if net_g is None else -net_g
            return Item(
                BagSwap(bin_id, ITEMS[bin_id], "bag-1", "bag-2", swapped_g, before_g, after_g)
            )
        if kind == 4 and net_g is not None:
            self.adjustments += 1
            self.gross_g[bin_id] = before_g
            return Item(
                Adjustment(
                    bin_id, self.adjustments, "two_points", before_g, before_g, 5, Adjusted()
                )
            )
        if kind < 7 or net_g is None or before_g is None or after_g is None:
            cause = self.draw.choice(CAUSES)
            return Item(
                Unattributed(bin_id, ITEMS[bin_id], "bag-1", cause, net_g, before_g, after_g, None)  # type: ignore[arg-type]
            )
        return Item(
            Weighing(
                bin_id, ITEMS[bin_id], "bag-1", visit, net_g, before_g, after_g,
                10, 20, 1, "estimate", 1, 1, 0,
            )
        )  # fmt: skip

    def begin(self) -> str | None:
        """A new visit's name; None for a check-in that is not linked."""
        if self.draw.random() < 0.2:
            return None
        self.named += 1
        self.visits.append(f"v-{self.named}")
        return self.visits[-1]


@pytest.mark.parametrize("seed", range(6))
def test_projections_are_what_the_ledger_adds_up_to(site: Site, seed: int) -> None:
    ledger = site.open()
    life = Life(seed, ledger)
    for _ in range(60):
        ledger.append([life.item() for _ in range(life.draw.randint(1, 5))])
        site.clock.utc_ms += life.draw.randint(0, DAY_MS // 4)
        if life.draw.random() < 0.1:
            ledger.forget_due(link_days=2)
        if life.draw.random() < 0.1:
            ledger.accept_ack(site.ack(ledger, life.draw.randint(0, ledger.head[0])))
        if life.draw.random() < 0.1:
            ledger.close()
            ledger = site.open()
    ledger.close()

    assert not verify(
        site.folder, city_key=site.city.public_key, station_key=site.signer.public_key
    ).findings
    with closing(sqlite3.connect(site.database, isolation_level=None)) as db:
        kept = projected(db)
        projections.rebuild(db, lambda utc_ms: utc_ms // DAY_MS)
        assert projected(db) == kept
        assert {row[0]: row[3] for row in kept["book"]} == life.gross_g
        assert kept["counter"]

"""The yard's books over random lives: they are what the ledger says, to the gram, and show nobody.

The model here reads the ledger's bodies and adds up by itself; it shares no line with the projections.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from ledger_site import DAY_MS, ITEMS, Site, projected, thin
from test_ledger_property import Life

from kiosk.core import stock
from kiosk.core.canonical import parse_canonical
from kiosk.core.effects import Item
from kiosk.core.entries import ItemCount
from kiosk.core.shared import GROUP
from kiosk.core.stock import ItemStock
from kiosk.core.yard import Pickup, Sale, StockVoid
from kiosk.ledger import Ledger, projections, stocked

CODES = (*ITEMS.values(), "lamp")


class YardLife(Life):
    """As residents and the rules, and a caretaker at the yard."""

    seq = 1

    def item(self) -> Item:
        kind = self.draw.randrange(10)
        code = self.draw.choice(CODES)
        if kind == 0:
            bags = self.draw.randint(1, 4)
            net_g = self.draw.choice([None, self.draw.randint(1, 90_000)])
            return Item(Pickup(code, bags, net_g, self.draw.choice([None, "古紙組合"])))
        if kind == 1:
            return Item(
                Sale(code, self.draw.randint(1, 90_000), self.draw.randint(0, 9_000), None, None)
            )
        if kind == 2:
            return Item(StockVoid(self.draw.randint(2, self.seq + 1), "まちがい"))
        if kind == 3:
            visit = self.draw.choice([*self.visits, None])
            return Item(ItemCount("lamp", None, visit, count=self.draw.randint(1, 3)))
        return super().item()


def adds_up(one: ItemStock) -> bool:
    """The invariant of ``kiosk.core.stock``."""
    return one.taken_in.g + one.other_g == one.bins_g + one.stored.g + one.picked.g


def live(site: Site, seed: int, rounds: int = 50) -> None:
    """A life in its ledger, with restarts, days, and hours whose clock nobody knows."""
    ledger = site.open()
    life = YardLife(seed, ledger)
    for _ in range(rounds):
        life.seq = ledger.head[0]
        ledger.append([life.item() for _ in range(life.draw.randint(1, 5))])
        site.clock.utc_ms += life.draw.randint(0, DAY_MS // 3)
        site.clock.clock = "synced" if life.draw.random() < 0.8 else "unsynced"
        if life.draw.random() < 0.1:
            ledger.close()
            ledger = site.open()
    ledger.close()


def entries(db: sqlite3.Connection) -> list[dict[str, Any]]:
    found = db.execute("SELECT CAST(body AS BLOB) FROM ledger ORDER BY seq")
    return [parse_canonical(body) for (body,) in found]


def by_hand(written: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """What each item's books have to say, by adding up a second time in another way."""
    sums = {
        code: dict.fromkeys(("in", "bins", "yard", "picked", "sold", "yen"), 0) for code in CODES
    }
    voids = [one for one in written if one["kind"] == "stock_void"]
    counting = {
        (of, min(one["seq"] for one in voids if one["of"] == of < one["seq"]))
        for of in {one["of"] for one in voids if one["of"] < one["seq"]}
    }
    bags: dict[str, list[list[int | None]]] = {
        code: [] for code in CODES
    }  # [grams, pickup or None]
    for one in written:
        match one["kind"]:
            case "weighing":
                sums[one["item"]]["in"] += one["net_g"]
            case "bag_swap" if one["net_g"] is None or one["net_g"] > 0:
                bags[one["item"]].append([one["net_g"], None])
            case "pickup":
                here = [bag for bag in bags[one["item"]] if bag[1] is None][: one["bags"]]
                for bag in here:
                    bag[1] = one["seq"]
            case "sale":
                sums[one["item"]]["sold"] += one["net_g"]
                sums[one["item"]]["yen"] += one["yen"]
            case "stock_void" if (one["of"], one["seq"]) in counting:
                for of in [other for other in written if other["seq"] == one["of"]]:
                    if of["kind"] == "sale":
                        sums[of["item"]]["sold"] -= of["net_g"]
                        sums[of["item"]]["yen"] -= of["yen"]
                for bag in [bag for several in bags.values() for bag in several]:
                    bag[1] = None if bag[1] == one["of"] else bag[1]
    for code, several in bags.items():
        sums[code]["yard"] = sum(bag[0] or 0 for bag in several if bag[1] is None)
        sums[code]["picked"] = sum(bag[0] or 0 for bag in several if bag[1] is not None)
    return sums


@pytest.mark.parametrize("seed", range(3))
def test_the_yards_books_are_the_ledgers_sum_to_the_gram(site: Site, seed: int) -> None:
    live(site, seed)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as db:
        kept, known, written = projected(db), stocked.read(db), entries(db)
        projections.rebuild(db, lambda utc_ms: utc_ms // DAY_MS)
        assert projected(db) == kept, "rebuilt equals incremental"
        books = projections.read_books(db)
    expected = by_hand(written)
    for code in ITEMS.values():
        of, now = expected[code], known.get(code, ItemStock())
        bins_g = sum(
            book.gross_g - book.empty_g
            for book in books.values()
            if book.item == code and book.gross_g is not None
        )
        assert (now.taken_in.g, now.bins_g) == (of["in"], bins_g)
        assert (now.stored.g, now.picked.g) == (of["yard"], of["picked"])
        assert (now.sold_g, now.yen) == (of["sold"], of["yen"])
        assert adds_up(now)
    assert any(one.picked.bags for one in known.values()) and any(
        one.sales for one in known.values()
    )


@pytest.mark.parametrize("seed", range(2))
def test_what_is_shown_changes_by_a_groups_drops_and_never_by_ones(site: Site, seed: int) -> None:
    live(site, seed + 100)
    with closing(sqlite3.connect(site.database)) as db:
        written = entries(db)
    for code in CODES:
        shown, now, visits = 0, ItemStock(), set[str]()
        for one in written:
            drop = stock.amount_of(one)
            if drop is None or one["item"] != code:
                continue
            now = stock.dropped(now, drop, one["visit"], None, None)
            visits |= {one["visit"]} - {None}
            if now.ever.shown.weighings + now.ever.shown.counts != shown:
                shown = now.ever.shown.weighings + now.ever.shown.counts
                assert len(visits) >= GROUP
                visits.clear()


def test_a_ledger_whose_bodies_were_thinned_goes_on_counting(site: Site) -> None:
    live(site, 7)
    ledger: Ledger = site.open()
    with closing(sqlite3.connect(site.database)) as db:
        before = stocked.read(db)
        of = next(
            one for one in stocked.moves(db, 1_000) if one.kind == "pickup" and not one.voided
        )
    thin(site, ledger, *range(2, ledger.head[0]))
    ledger.append([Item(StockVoid(of.seq, "別の日でした"))])
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db:
        after = stocked.read(db)
    assert after[of.item].pickups == before[of.item].pickups - 1
    assert after[of.item].beyond == before[of.item].beyond - of.beyond
    assert all(adds_up(one) for one in after.values())


@pytest.mark.parametrize("seed", range(2))
def test_a_new_ledger_goes_on_with_what_the_old_one_knew(site: Site, seed: int) -> None:
    live(site, seed + 50)
    with closing(sqlite3.connect(site.database)) as db:
        old = stocked.read(db)
    ledger = site.open()
    head = ledger.head[0]
    ledger.close()
    site.folder.joinpath("ack.json").write_bytes(site.ack(ledger, head + 9, head=b"\7" * 32))
    ledger = site.open()
    assert ledger.turn_over is not None
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db:
        new = stocked.read(db)
    for code, one in old.items():
        now = new[code]
        assert (now.taken_in.g, now.stored, now.picked) == (one.taken_in.g, one.stored, one.picked)
        assert (now.sales, now.sold_g, now.yen) == (one.sales, one.sold_g, one.yen)
        assert adds_up(now)

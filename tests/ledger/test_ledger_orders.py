"""What stands of the orders: in step with the ledger, through restarts and into the next ledger."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from ledger_site import DAY_MS, Site, projected, weighing

from kiosk.core.effects import Item
from kiosk.core.entries import BagSwap, BinFull, Commanded, ScaleBroken
from kiosk.core.orders import AnyOrder, Close, Identify, LockBin, Message, Open, UnlockBin
from kiosk.core.standing import Standing
from kiosk.ledger import Ledger, projections
from kiosk.ledger.resending import Resending
from kiosk.ledger.verify import verify


def command(
    order: AnyOrder,
    name: str | None = None,
    end_ms: int = 20_001 * DAY_MS,
    known_ms: int | None = 20_000 * DAY_MS,
) -> Item:
    end = None if name is None else end_ms
    return Item(Commanded("caretaker" if name is None else "city", name, end, known_ms, order))


def test_what_was_ordered_stands_after_a_night_and_a_rebuild_says_the_same(
    site: Site, ledger: Ledger
) -> None:
    orders = [LockBin("b2"), LockBin("b1"), UnlockBin("b2"), Close({"ja": "休み"})]
    ledger.append([command(order, f"c{n}") for n, order in enumerate(orders)])
    ledger.append([command(Message({"ja": "あ"}, 7)), command(Identify(3), "last")])
    ledger.close()
    again = site.open()
    standing = again.memory().orders
    assert standing.locked == ("b1",)
    assert (standing.closed, standing.closed_by) == ({"ja": "休み"}, "city")
    assert standing.message == Message({"ja": "あ"}, 7)
    assert set(standing.done) == {"c0", "c1", "c2", "c3", "last"}
    again.close()
    with closing(sqlite3.connect(site.database, isolation_level=None)) as db:
        before = projected(db)
        projections.rebuild(db, lambda utc_ms: utc_ms // DAY_MS)
        assert projected(db) == before
    assert verify(site.folder).findings == ()


def test_ids_are_forgotten_when_their_time_is_certainly_past(site: Site, ledger: Ledger) -> None:
    ledger.append([command(Identify(), "old")])
    ledger.append([command(Identify(), "newer", 30_001 * DAY_MS, None)])
    assert set(standing_of(site).done) == {"old", "newer"}, "who knows no time forgets nothing"
    ledger.append([command(Identify(), "newest", 30_001 * DAY_MS, 30_000 * DAY_MS)])
    assert set(standing_of(site).done) == {"newer", "newest"}


def standing_of(site: Site) -> Standing:
    with closing(sqlite3.connect(site.database)) as db:
        (data,) = db.execute("SELECT data FROM standing").fetchone()
    return Standing(**json.loads(data))


def test_a_new_ledger_says_again_what_stood_and_does_nothing_twice(site: Site) -> None:
    ledger = site.open()
    ledger.append([command(Close(None), "once"), command(LockBin("b1"), "locked")])
    ledger.append([weighing(0, 100)])
    ledger.close()
    site.station = "hall-9"  # the station was given another name: its ledger ends
    again = site.open()
    assert again.turn_over is not None
    orders = again.memory().orders
    assert (orders.closed, orders.closed_by, orders.locked) == ({}, "station", ("b1",))
    assert set(orders.done) == {"once", "locked"}, "the old ledger still knows them"
    again.append([command(Open())])
    again.close()
    later = site.open()
    assert (later.memory().orders.closed, later.memory().orders.locked) == (None, ("b1",))
    assert set(later.memory().orders.done) == {"once", "locked"}
    later.close()


# --- the uplink goes back, the watermark does not ----------------------------------------------------


def test_a_resend_ends_at_the_watermark_and_no_draw_from_elsewhere_ends_it() -> None:
    again = Resending()
    again.begin(0)
    assert again.told(30) == 0
    again.drew(30, 31, 30)  # something new came before the uplink had heard
    assert again.told(30) == 0
    again.drew(0, 10, 30)
    assert again.told(30) == 0, "drawn, and nobody knows that it was sent"
    again.drew(10, 20, 30)
    assert again.told(30) == 10
    again.answered(30)
    assert again.told(30) == 20
    again.drew(20, 30, 30)
    again.drew(0, 10, 30)  # from the beginning, by an uplink that was started anew
    assert again.told(30) == 20
    again.drew(20, 30, 30)
    again.answered(30)
    assert again.told(30) == 30


def test_a_second_wish_begins_further_back_and_cuts_nothing_short() -> None:
    again = Resending()
    again.begin(10)
    again.drew(10, 20, 30)
    again.begin(5)
    assert again.told(30) == 5
    again.begin(20)
    assert again.told(30) == 5


def next_ledger(site: Site) -> Ledger:
    """What the one before knows is the same counted anew; then the station has another name."""
    with closing(sqlite3.connect(site.database, isolation_level=None)) as db:
        before = projected(db)
        projections.rebuild(db, lambda utc_ms: utc_ms // DAY_MS)
        assert projected(db) == before
    site.station = "hall-9"
    again = site.open()
    assert again.turn_over is not None
    return again


def test_a_scale_set_aside_is_so_after_a_restart_and_in_the_next_ledger(site: Site) -> None:
    ledger = site.open()
    ledger.append([Item(ScaleBroken("b2", True)), Item(ScaleBroken("b1", True))])
    ledger.append([Item(ScaleBroken("b2", False)), Item(ScaleBroken("b1", True))])
    ledger.close()
    again = next_ledger(site)
    assert again.memory().orders.broken == ("b1",)
    again.append([Item(ScaleBroken("b1", False))])
    again.close()
    later = site.open()
    assert later.memory().orders.broken == ()
    later.close()
    assert verify(site.folder).findings == ()


def test_a_full_bin_is_full_after_a_restart_and_in_the_next_ledger_until_its_bag_is_changed(
    site: Site,
) -> None:
    ledger = site.open()
    bag = {book.bin: book.bag for book in ledger.memory().books}["b1"]
    ledger.append([Item(BinFull("b1", "pet-bottle", bag, "touch", True))])
    ledger.append([Item(BinFull("b1", "pet-bottle", bag, "sensor", True))])
    ledger.close()
    again = next_ledger(site)
    assert again.memory().orders.full == {"b1": ("touch", "sensor")}
    again.append([Item(BinFull("b1", "pet-bottle", bag, "sensor", False))])
    again.close()
    later = site.open()
    assert later.memory().orders.full == {"b1": ("touch",)}
    later.append([Item(BagSwap("b1", "pet-bottle", bag, "new", 0, 0, 0))])
    later.close()
    last = site.open()
    assert last.memory().orders.full == {}
    last.close()
    assert verify(site.folder).findings == ()

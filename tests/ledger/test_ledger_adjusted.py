"""A scale's adjustment lives in the ledger: over nights, over an update, over a new ledger."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ledger_site import Site, drop_many, unattributed, weighing

from kiosk.core.adjusted import Adjusted, Point
from kiosk.core.effects import Item
from kiosk.core.entries import Adjustment
from kiosk.core.memory import BinBook
from kiosk.ledger import Ledger
from kiosk.ledger.verify import verify

LINE = Adjusted(
    slope_ncounts_per_g=43_210_000_001,
    zero_counts=-84_321,
    span_ppm=2_400,
    gravity_um_per_s2=9_797_900,
    points=(Point(load_mg=2_031_000, uncertainty_mg=5_000, counts=3_437),),
)


def adjustment(number: int, gross_g: int, empty_g: int = 0, scale: Adjusted = LINE) -> Item:
    return Item(Adjustment("b1", number, "two_points", gross_g, gross_g, empty_g, scale))


def book(ledger: Ledger) -> BinBook:
    return next(book for book in ledger.memory().books if book.bin == "b1")


def test_the_last_adjustment_is_in_force_after_a_night(site: Site) -> None:
    ledger = site.open()
    ledger.append([weighing(0, 900), unattributed(900, 912, "adjustment"), adjustment(2, 912)])
    ledger.append([weighing(912, 1_000), adjustment(3, 1_000, 7, Adjusted(zero_counts=5))])
    ledger.close()
    again = site.open()
    assert book(again) == BinBook("b1", "pet-bottle", "bag-1", 1_000, 7, 3, Adjusted(zero_counts=5))
    again.close()


def test_a_ledger_from_before_adjustments_goes_on(site: Site) -> None:
    """Its book has no place for one; the update gives it one, and counts the ledger through again."""
    ledger = site.open()
    ledger.append([weighing(0, 900)])
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("ALTER TABLE book DROP COLUMN scale")
        db.execute("UPDATE projected SET version = 1")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_adjusted'")
        db.execute("PRAGMA user_version = 1")
    again = site.open()
    assert (book(again).gross_g, book(again).adjusted) == (900, None)
    again.append([adjustment(2, 900)])
    again.close()
    later = site.open()
    assert later.turn_over is None and book(later).adjusted == LINE
    later.close()


def test_a_restored_backup_weighs_by_the_adjustment_that_it_knew(
    site: Site, tmp_path: Path
) -> None:
    ledger = site.open()
    drop_many(ledger, 3)
    gross_g = 300
    ledger.append([adjustment(2, gross_g, -30)])
    ledger.close()
    shutil.copytree(site.folder, tmp_path / "backup")
    ledger = site.open()
    ledger.append([weighing(gross_g, gross_g + 500)])
    ledger.accept_ack(site.ack(ledger))
    ledger.close()
    ack = (site.folder / "ack.json").read_bytes()
    shutil.rmtree(site.folder)
    shutil.copytree(tmp_path / "backup", site.folder)
    (site.folder / "ack.json").write_bytes(ack)

    fresh = site.open()
    assert fresh.turn_over is not None and fresh.turn_over.reason == "ack_beyond_head"
    assert (book(fresh).adjustment, book(fresh).adjusted) == (2, LINE)
    assert (book(fresh).gross_g, book(fresh).empty_g) == (gross_g, -30)
    fresh.close()
    checked = verify(site.folder, city_key=site.city.public_key, station_key=site.signer.public_key)
    assert not checked.findings

"""Mornings: the same ledger goes on, and what is not the whole of it ends and is continued."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ledger_site import (
    DAY_MS,
    ITEMS,
    Site,
    bag_swap,
    checkin,
    close_visit,
    drop_many,
    unattributed,
    weighing,
)

from kiosk.core.earned import Earned
from kiosk.core.errors import OperatorError
from kiosk.core.memory import BinBook
from kiosk.ledger import Ledger
from kiosk.ledger.schema import SCHEMA
from kiosk.ledger.show import show
from kiosk.ledger.verify import verify
from sync.messages import AckError
from sync.signing import Signer


def book(ledger: Ledger, bin_id: str = "b1") -> BinBook:
    return next(book for book in ledger.memory().books if book.bin == bin_id)


def well(site: Site, folder: Path | None = None) -> bool:
    return not verify(
        folder or site.folder,
        city_key=site.city.public_key,
        station_key=site.signer.public_key,
    ).findings


def restored(site: Site, copy: Path) -> None:
    """The folder as the backup ``copy`` had it."""
    shutil.rmtree(site.folder)
    shutil.copytree(copy, site.folder)


def test_a_restart_knows_what_was(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"A", visit="v-1"), weighing(0, 900), checkin(b"B", visit="v-2")])
    ledger.append([bag_swap(900, 10), close_visit("v-2"), checkin(b"C", points=0)])
    first = ledger.memory().prefix
    ledger.close()

    again = site.open()
    memory = again.memory()
    again.close()
    assert memory.books[0] == BinBook("b1", "pet-bottle", "bag-2", 10, 0, 1)
    assert memory.books[1].gross_g == 0
    assert memory.open_visits == ("v-1",)
    assert memory.earned == {b"A" * 16: Earned(20_000, 1, 1), b"B" * 16: Earned(20_000, 1, 1)}
    assert memory.same_boot
    assert memory.prefix != first
    assert again.turn_over is None


def test_a_reboot_in_the_night_is_another_boot(site: Site) -> None:
    site.open().close()
    site.clock.boot = "1" * 32
    again = site.open()
    assert not again.memory().same_boot
    again.close()


def test_the_ledger_is_no_business_of_other_users(site: Site) -> None:
    before = os.umask(0)
    try:
        ledger = site.open()
        ledger.append([checkin(b"A")])
        beyond = site.ack(ledger, 9, head=b"c" * 32)
        modes = {path.name: path.stat().st_mode & 0o077 for path in site.folder.glob("*.db*")}
        ledger.close()
        (site.folder / "ack.json").write_bytes(beyond)
        site.open().close()
        modes |= {path.name: path.stat().st_mode & 0o077 for path in site.folder.glob("*.db*")}
    finally:
        os.umask(before)
    assert len(modes) >= 3 and not any(modes.values()), modes


def test_a_second_daemon_is_told_so(site: Site, ledger: Ledger) -> None:
    with pytest.raises(OperatorError) as refused:
        site.open()
    assert refused.value.code == "already_running"
    ledger.append([weighing(0, 100)])


def test_a_failed_start_lets_the_next_one_in(site: Site) -> None:
    site.open().close()
    with closing(sqlite3.connect(site.database)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(OperatorError) as refused:
        site.open()
    assert refused.value.code == "newer_ledger"
    with closing(sqlite3.connect(site.database)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA}")
    site.open().close()


def test_projections_of_another_version_are_made_anew(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"A", visit="v-1"), weighing(0, 900)])
    known = ledger.memory()
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("UPDATE projected SET version = 0")
        db.execute("DELETE FROM book")
        db.execute("DELETE FROM held_seal")

    again = site.open()
    assert book(again).gross_g == 900
    assert again.memory().earned == {b"A" * 16: Earned(20_000, 1, 1)}
    assert known.books[0].gross_g == 0
    again.close()


def test_a_restored_backup_never_continues_its_ledger(site: Site, tmp_path: Path) -> None:
    """The city has more than the backup: it is told from there on, with the backup's weights."""
    ledger = site.open()
    drop_many(ledger, 3)
    ledger.accept_ack(site.ack(ledger))
    ledger.close()
    shutil.copytree(site.folder, tmp_path / "backup")
    ledger = site.open()
    drop_many(ledger, 4)
    ledger.accept_ack(site.ack(ledger))
    old, old_head = ledger.ledger_id, ledger.head
    city_word = (site.folder / "ack.json").read_bytes()
    ledger.close()
    restored(site, tmp_path / "backup")

    again = site.open()
    verdict = again.accept_ack(city_word)
    again.append([weighing(300, 350)])
    assert (verdict.accepted, verdict.reason, verdict.restart) == (False, "unknown_seq", True)
    again.close()

    fresh = site.open()
    assert fresh.turn_over is not None
    assert fresh.turn_over.reason == "ack_beyond_head"
    assert fresh.turn_over.recovered == 1, (
        "the drop after the restore: the city's entry 5 is another"
    )
    (genesis,) = show(site.folder, kinds=["genesis"])
    assert genesis["continues"] == {
        "ledger": old, "seq": old_head[0], "head": old_head[1].hex()
    }  # fmt: skip
    assert genesis["ledger"] == fresh.ledger_id != old
    assert genesis["opening"]["b1"]["gross_g"] == 350
    assert (book(fresh).gross_g, fresh.watermark) == (350, 0)
    kept = site.folder / f"ledger-{old[:12]}.db"
    assert kept.stat().st_mode & 0o222 == 0
    assert (site.folder / f"ledger-{old[:12]}.ack.json").read_bytes() == city_word
    assert not (site.folder / "ack.json").exists()
    fresh.close()

    later = site.open()
    assert later.turn_over is None
    assert well(site)
    later.close()


def test_who_had_todays_points_has_had_them_in_the_ledger_that_continues(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"A"), checkin(b"B", points=0)])
    ledger.accept_ack(site.ack(ledger))
    beyond = site.ack(ledger, 9, head=b"c" * 32)
    ledger.close()
    (site.folder / "ack.json").write_bytes(beyond)

    fresh = site.open()
    assert fresh.turn_over is not None
    assert fresh.memory().earned == {b"A" * 16: Earned(20_000, 1, 1)}
    assert not list(site.folder.glob("ledger-*-shm")), "the old file is read, and left alone"
    site.clock.utc_ms += DAY_MS
    fresh.append([checkin(b"A"), checkin(b"C")])
    second = site.ack(fresh, 9, head=b"d" * 32)
    fresh.close()
    (site.folder / "ack.json").write_bytes(second)

    later = site.open()
    assert later.turn_over is not None
    assert later.memory().earned == {n * 16: Earned(20_001, 1, 1) for n in (b"A", b"C")}
    later.close()
    again = site.open()
    assert again.turn_over is None, "a restart the same day"
    assert again.memory().earned == {n * 16: Earned(20_001, 1, 1) for n in (b"A", b"C")}
    again.close()


def test_a_restored_folder_that_kept_its_newer_acknowledgement(site: Site, tmp_path: Path) -> None:
    ledger = site.open()
    ledger.close()
    shutil.copy(site.database, tmp_path / "ledger.db")
    ledger = site.open()
    drop_many(ledger, 2)
    ledger.accept_ack(site.ack(ledger))
    ledger.close()
    shutil.copy(tmp_path / "ledger.db", site.database)

    fresh = site.open()
    assert fresh.turn_over is not None
    assert fresh.turn_over.reason == "ack_beyond_head"
    fresh.close()


def test_a_new_card_with_only_the_acknowledgement_kept(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 2)
    ledger.accept_ack(site.ack(ledger))
    old, head = ledger.ledger_id, ledger.head
    ledger.close()
    site.database.unlink()

    fresh = site.open()
    assert fresh.turn_over is not None
    assert (fresh.turn_over.reason, fresh.turn_over.kept) == ("no_database", None)
    (genesis,) = show(site.folder, kinds=["genesis"])
    assert genesis["continues"] == {"ledger": old, "seq": head[0], "head": head[1].hex()}
    fresh.close()


def test_a_ledger_that_ended_forgets_at_the_same_time_as_the_one_in_use(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"A"), checkin(b"B", visit="v-1")])
    site.clock.utc_ms += DAY_MS
    assert ledger.accept_ack(site.ack(ledger, 3, head=b"h" * 32)).restart
    ledger.close()
    with closing(site.open()) as fresh:
        assert fresh.forget_ended(link_days=90) == 1
        assert fresh.forget_ended(link_days=90) == 0
        assert fresh.turn_over is not None and fresh.turn_over.kept is not None
        kept = site.folder / fresh.turn_over.kept
        assert not verify(kept, station_key=site.signer.public_key).findings
        assert b"A" * 16 not in kept.read_bytes()
        assert b"B" * 16 in kept.read_bytes()
        site.clock.utc_ms += 90 * DAY_MS
        assert fresh.forget_ended(link_days=90) == 1
        assert b"B" * 16 not in kept.read_bytes()
        kept.chmod(0o600)
        kept.write_bytes(kept.read_bytes()[:5000])
        assert fresh.forget_ended(link_days=0) == 0


def test_an_acknowledgement_that_nobody_signed_ends_nothing(site: Site) -> None:
    ledger = site.open()
    forged = site.ack(ledger, 500, head=b"x" * 32, signer=Signer(b"z" * 32))
    old = ledger.ledger_id
    ledger.close()
    (site.folder / "ack.json").write_bytes(forged)

    again = site.open()
    assert (again.ledger_id, again.watermark) == (old, 0)
    again.close()


def test_another_history_than_the_citys_goes_on_from_the_citys(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 3)
    verdict = ledger.accept_ack(site.ack(ledger, 3, head=b"h" * 32))
    assert (verdict.reason, verdict.restart) == ("head_differs", True)
    ledger.close()

    fresh = site.open()
    assert fresh.turn_over is not None
    assert (fresh.turn_over.reason, fresh.turn_over.recovered) == ("head_differs", 3)
    (genesis,) = show(site.folder, kinds=["genesis"])
    assert genesis["continues"]["head"] == (b"h" * 32).hex()
    fresh.close()


@pytest.mark.parametrize("alone", [2, 6])
def test_an_old_image_that_went_on_alone_brings_the_city_all_that_it_lacks(
    site: Site, tmp_path: Path, alone: int
) -> None:
    """Shorter or longer than what the city has by now: below its number nothing was its own."""
    ledger = site.open()
    drop_many(ledger, 3)
    ledger.accept_ack(site.ack(ledger))
    ledger.close()
    shutil.copytree(site.folder, tmp_path / "image")
    ledger = site.open()
    drop_many(ledger, 4)
    city_word, again_said = site.ack(ledger), site.ack(ledger, error=AckError("fork", 5))
    ledger.close()
    restored(site, tmp_path / "image")

    image = site.open()
    image.append([weighing(300, 340)] + [weighing(340 + n, 341 + n) for n in range(alone - 1)])
    for word in (city_word, again_said):
        assert image.accept_ack(word).restart, "whichever of the receivers says it, and how often"
    image.close()

    fresh = site.open()
    assert fresh.turn_over is not None
    recovered = show(site.folder, kinds=["recovered"])
    assert [entry["of"]["seq"] for entry in recovered] == list(range(5, 5 + alone))
    assert recovered[0]["entry"]["net_g"] == 40
    assert sorted(path.name for path in site.folder.glob("ack*")) == []
    fresh.close()
    assert well(site)


def test_a_word_of_the_citys_earlier_life_says_nothing_of_this_one(site: Site) -> None:
    """The city's database was restored to before entry 4, and then told another history."""
    ledger = site.open()
    drop_many(ledger, 5)
    ledger.accept_ack(site.ack(ledger, 4))
    ledger.accept_ack(site.ack(ledger, 5, epoch=2, head=b"h" * 32))
    ledger.close()

    fresh = site.open()
    recovered = show(site.folder, kinds=["recovered"])
    assert [entry["of"]["seq"] for entry in recovered] == [2, 3, 4, 5, 6]
    fresh.close()


def test_a_cut_tail_is_noticed_before_the_city_ever_saw_it(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 5)
    ledger.accept_ack(site.ack(ledger, 2))
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("DELETE FROM ledger WHERE seq > 4")

    fresh = site.open()
    assert fresh.turn_over is not None
    assert (fresh.turn_over.reason, fresh.turn_over.recovered) == ("damaged", 2)
    assert book(fresh).gross_g == 300
    recovered = show(site.folder, kinds=["recovered"])
    assert [entry["of"]["seq"] for entry in recovered] == [3, 4]
    assert recovered[0]["entry"]["net_g"] == 100
    fresh.close()
    assert well(site)


def test_one_rotten_entry_costs_one_entry(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 9)
    ledger.append([unattributed(900, 5, "indicator_zeroed")])
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("UPDATE ledger SET body = 'rotten' WHERE seq = 6")

    fresh = site.open()
    assert fresh.turn_over is not None
    assert fresh.turn_over.missing == ((6, 6),)
    assert fresh.turn_over.recovered == 9
    assert (book(fresh).gross_g, book(fresh).empty_g) == (5, -895)
    fresh.append([bag_swap(5, -890)])
    fresh.close()
    assert well(site)


def test_a_database_of_garbage_still_opens_the_station(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 2)
    ledger.accept_ack(site.ack(ledger))
    old, head = ledger.ledger_id, ledger.head
    ledger.close()
    site.database.write_bytes(os.urandom(40_000))

    fresh = site.open()
    assert fresh.turn_over is not None
    assert fresh.turn_over.reason == "damaged"
    assert fresh.turn_over.missing == ((1, head[0]),)
    (genesis,) = show(site.folder, kinds=["genesis"])
    assert genesis["continues"]["ledger"] == old
    fresh.append([weighing(0, 70)])
    fresh.close()


def test_pages_torn_in_the_middle_leave_the_rest(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 200)
    ledger.close()
    data = bytearray(site.database.read_bytes())
    page = data.rindex(b'"gross_after_g":10000,') // 4096 * 4096
    data[page : page + 4096] = bytes(4096)
    site.database.write_bytes(data)

    fresh = site.open()
    assert fresh.turn_over is not None
    lost = sum(last - first + 1 for first, last in fresh.turn_over.missing)
    assert 0 < lost < 40
    assert fresh.turn_over.recovered == 200 - lost
    assert book(fresh).gross_g == 20_000
    fresh.close()


def test_another_key_begins_another_ledger(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 2)
    old = ledger.ledger_id
    ledger.close()
    site.signer = Signer(b"n" * 32)

    fresh = site.open()
    assert fresh.turn_over is not None
    assert (fresh.turn_over.reason, fresh.turn_over.recovered) == ("key_changed", 2)
    (genesis,) = show(site.folder, kinds=["genesis"])
    assert genesis["key"] == site.signer.public_key.hex()
    assert genesis["continues"]["ledger"] == old
    fresh.close()
    assert well(site)


@pytest.mark.parametrize("step", ["made", "named twice", "wal taken", "put in place"])
def test_a_power_cut_within_a_turn_over_loses_nothing(
    site: Site, tmp_path: Path, step: str
) -> None:
    """Each state of the folder that the steps pass through, met by the next start."""
    ledger = site.open()
    drop_many(ledger, 4)
    old, head = ledger.ledger_id, ledger.head
    beyond = site.ack(ledger, 9, head=b"c" * 32)
    ledger.close()
    kept = site.folder / f"ledger-{old[:12]}.db"
    if step == "put in place":
        shutil.copytree(site.folder, tmp_path / "before")
        (site.folder / "ack.json").write_bytes(beyond)
        site.open().close()
        # All done but the acknowledgement's own move.
        (site.folder / f"ledger-{old[:12]}.ack.json").rename(site.folder / "ack.json")
    else:
        (site.folder / "ack.json").write_bytes(beyond)
        (site.folder / "ledger.new").write_bytes(b"half a ledger")
        if step != "made":
            os.link(site.database, kept)
        if step == "wal taken":
            assert not (site.folder / "ledger.db-wal").exists()

    fresh = site.open()
    (genesis,) = show(site.folder, kinds=["genesis"])
    assert genesis["continues"]["seq"] == 9
    assert book(fresh).gross_g == 400
    assert fresh.watermark == 0
    fresh.close()
    assert len(list(site.folder.glob("ledger-*.db"))) == 1
    assert show(kept, last=1)[0]["seq"] == head[0]
    again = site.open()
    assert again.turn_over is None
    again.close()


def test_a_bin_that_is_new_in_the_settings_begins_unweighed(site: Site) -> None:
    site.open().close()
    ITEMS["b9"] = "bottle"
    try:
        ledger = site.open()
        new = f"{ledger.memory().prefix}-new-3"
        assert len(new) <= 32
        assert book(ledger, "b9") == BinBook("b9", "bottle", new, None)
        ledger.close()
    finally:
        del ITEMS["b9"]


def test_genesis_gives_every_bag_a_name_of_its_own(site: Site, ledger: Ledger) -> None:
    (genesis,) = show(site.folder)
    bags = [opening["bag"] for opening in genesis["opening"].values()]
    assert len(set(bags)) == len(bags) == 2
    assert all(0 < len(bag) <= 32 for bag in bags)
    assert json.loads(json.dumps(genesis)) == genesis

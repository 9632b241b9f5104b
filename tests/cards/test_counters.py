"""What chips have counted: kept before a card counts, whatever becomes of the power and the disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from counter_site import can_record, cuts, record

from kiosk.cards import counters
from kiosk.cards.counters import CounterFile
from kiosk.core.errors import DeviceError

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
NAME = bytes(range(16))


def test_a_chip_counts_on_and_never_back(tmp_path: Path) -> None:
    with closing(CounterFile(tmp_path / "counters.db")) as kept:
        assert kept.count(NAME, 5) == "fresh"
        assert kept.count(NAME, 5) == "replayed"
        assert kept.count(NAME, 4) == "copied"
        assert kept.count(bytes(16), 1) == "fresh"
        assert kept.count(NAME, 0xFFFFFF) == "fresh"


def test_what_was_counted_is_known_after_a_restart(tmp_path: Path) -> None:
    with closing(CounterFile(tmp_path / "counters.db")) as kept:
        kept.count(NAME, 5)
    with closing(CounterFile(tmp_path / "counters.db")) as kept:
        assert kept.count(NAME, 5) == "replayed"
        assert kept.count(NAME, 6) == "fresh"


def test_a_message_shown_at_two_readers_at_once_counts_at_one(tmp_path: Path) -> None:
    with closing(CounterFile(tmp_path / "counters.db")) as kept:
        told: list[str] = []

        def reader() -> None:
            told.extend(kept.count(NAME, counter) for counter in range(20))

        threads = [threading.Thread(target=reader) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert told.count("fresh") <= 20
        assert kept.count(NAME, 19) == "replayed"


def test_nothing_tells_when_or_in_which_order_cards_were_shown(tmp_path: Path) -> None:
    path = tmp_path / "counters.db"
    with closing(CounterFile(path)) as kept:
        for name in (b"z" * 16, b"a" * 16, b"m" * 16):
            kept.count(name, 1)
        beside = {one.name: one.stat().st_size for one in tmp_path.iterdir()}
    assert beside.pop("counters.db") > 0
    assert set(beside.values()) <= {0}
    with closing(sqlite3.connect(path)) as read:
        assert [row[0][:1] for row in read.execute("SELECT * FROM counter")] == [b"a", b"m", b"z"]


def test_more_cards_than_a_town_has_displace_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_CARDS", 10)
    path = tmp_path / "counters.db"
    with closing(CounterFile(path)) as kept:
        for turn in range(30):
            assert kept.count(bytes([turn * 37 % 256]) * 16, 1) == "fresh"
        assert kept.count(bytes([29 * 37 % 256]) * 16, 1) == "replayed"
    with closing(CounterFile(path)) as kept:
        assert kept.count(b"\xff" * 16, 1) == "fresh"
    with closing(sqlite3.connect(path)) as read:
        assert read.execute("SELECT count(*) FROM counter").fetchone() == (10,)


def test_a_file_that_is_none_is_put_aside_once_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "counters.db"
    path.write_bytes(b"This is no database" * 500)
    with closing(CounterFile(path)) as kept:
        with pytest.raises(DeviceError) as caught:
            kept.count(NAME, 5)
        assert caught.value.code == "counters_damaged"
        assert kept.count(NAME, 5) == "fresh"
        assert kept.count(NAME, 5) == "replayed"
    assert (tmp_path / "counters.db.damaged").exists()


def test_a_page_that_went_bad_is_noticed_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "counters.db"
    with closing(CounterFile(path)) as kept:
        for turn in range(400):
            kept.count(turn.to_bytes(16, "big"), 1)
    whole = path.read_bytes()
    dice = Random(1)
    codes = set()
    for _ in range(30):
        at = dice.randrange(0, len(whole), 4096)
        path.write_bytes(whole[:at] + dice.randbytes(4096) + whole[at + 4096 :])
        with closing(CounterFile(path)) as kept:
            for turn in range(0, 400, 7):
                try:
                    kept.count(turn.to_bytes(16, "big"), 2)
                except DeviceError as error:
                    codes.add(error.code)
    assert codes == {"counters_damaged"}


def test_where_nothing_can_be_written_no_card_counts(tmp_path: Path) -> None:
    with closing(CounterFile(tmp_path / "gone" / "counters.db")) as kept:
        for _ in range(2):
            with pytest.raises(DeviceError) as caught:
                kept.count(NAME, 5)
            assert caught.value.code == "card_counters"
        (tmp_path / "gone").mkdir()
        assert kept.count(NAME, 5) == "fresh"


@pytest.mark.skipif(not can_record(), reason="needs strace, and leave to watch a process")
def test_after_a_power_cut_at_any_moment_nothing_counted_is_fresh(tmp_path: Path) -> None:
    turns = 12
    calls = record(tmp_path, turns)
    dice = Random(7)
    states = 0
    for cut, (said, files) in enumerate(cuts(calls)):
        for variant in range(2 + 2 * SIZE):
            folder = tmp_path / f"cut-{cut}-{variant}"
            folder.mkdir()
            for name, file in files.items():
                (folder / name).write_bytes(file.left(dice, all_of_it=variant == 0))
            with closing(CounterFile(folder / "counters.db")) as kept:
                for turn in range(said):
                    assert kept.count(bytes([turn % 5]) * 16, turn + 1) != "fresh", (cut, variant)
                assert kept.count(NAME, 1) == "fresh"
            states += 1
    assert said == turns
    assert states > 100

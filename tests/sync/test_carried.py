"""A SIM expires: the ledger goes to the city on a stick, and the city's word comes back on it."""

from __future__ import annotations

import json
import os
import random
import resource
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from carried_site import Site
from city_site import CityDatabase, Mosquitto, eventually, receiver, uplink
from sync_site import CITY, STATION, TOPIC, relayed

from sync import stick
from sync.receiver.arriving import Delivery
from sync.receiver.database import opened
from sync.receiver.registry import new_epoch
from sync.receiver.store import take
from sync.receiver.verify import verify_all

SEARCH = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))


@pytest.fixture
def site(tmp_path: Path, city_url: str) -> Iterator[Site]:
    """On either database."""
    with _site(tmp_path, city_url) as site:
        yield site


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Site]:
    """On SQLite, where the database has no say in the story."""
    with _site(tmp_path, f"sqlite:///{tmp_path / 'city.db'}") as site:
        yield site


@contextmanager
def _site(folder: Path, url: str) -> Iterator[Site]:
    site = Site(folder, url)
    yield site
    site.station.ledger.end_waits()
    site.station.stop()


def test_the_sim_expires_and_the_caretaker_carries_the_ledger(
    site: Site, tmp_path: Path, broker: Mosquitto
) -> None:
    """Weighings without a network, a stick there and back, and then the network again: nothing twice."""
    station = site.station
    station.know_the_time()
    station.check_in()
    site.drop(1_500)
    site.receiver("cards", "close", "ab" * 16, "--city", CITY)
    assert site.receiver("cards", "publish", "--city", CITY, "--key", site.city_key).code == 0

    (told,), answer = site.answered(site.export())
    assert (told["watermark_before"], told["watermark"], told["error"]) == (0, 1503, None)
    assert station.lists.standing(bytes.fromhex("ab" * 16)) == "good"

    said = site.kiosk("sync", "import", answer)
    assert said.code == 0, said.out + said.err
    assert (
        "0 番まで → 1503 番まで" in said.out
        and "新しくなりました：使えないカードの一覧" in said.out
    )
    assert station.ledger.watermark == 1503
    assert station.lists.standing(bytes.fromhex("ab" * 16)) == "closed"

    site.drop(10)
    database = CityDatabase(site.url)
    city = receiver(tmp_path / "receiver.log", site.url, broker.port, key=site.city_key)
    carrier = uplink(tmp_path / "uplink.log", station.socket, broker.port)
    try:
        eventually(lambda: station.ledger.watermark == 1513, "the network brings the rest")
    finally:
        carrier.kill()
        city.kill()
    with closing(database):
        assert database.count("entry") == 1513
        assert database.rows("SELECT sum(net_g) FROM weighing_resolved") == [(151_000,)]
        assert (database.count("parked"), database.count("quarantine")) == (0, 0)
    with opened(site.url) as engine, engine.connect() as connection:
        assert not any(each.faults for each in verify_all(connection))


def test_a_stick_taken_in_again_or_late_changes_nothing(site: Site) -> None:
    site.drop(5)
    first = site.export().read_bytes()
    site.drop(5)
    later = site.export()
    (told,), answer = site.answered(later)
    assert told["watermark"] == 11
    old = site.stick / "old.jsonl"
    old.write_bytes(first)
    (told, again), _ = site.answered(old, later)
    assert [told["watermark"], told["error"], again["watermark"], again["error"]] == [
        11, None, 11, None,
    ]  # fmt: skip
    assert site.kiosk("sync", "import", answer).code == 0
    assert "前と同じ" in site.kiosk("sync", "import", answer).out
    assert json.loads(site.export().read_text().splitlines()[-1]) == {
        "kiosk_export_end": {"batches": 0, "last": 11}
    }


def test_a_station_that_does_not_run_takes_the_answer_in_all_the_same(one: Site) -> None:
    one.drop(3)
    one.receiver("cards", "close", "ab" * 16, "--city", CITY)
    one.receiver("cards", "publish", "--city", CITY, "--key", one.city_key)
    one.station.stop()
    _, answer = one.answered(one.export())
    said = one.kiosk("sync", "import", answer, "--json")
    assert (said.code, said.value["watermark"], said.value["running"]) == (0, 4, False)
    one.station.start()
    assert one.station.ledger.watermark == 4
    assert one.station.lists.standing(bytes.fromhex("ab" * 16)) == "closed"


def test_standard_output_is_the_whole_ledger_and_a_city_takes_it(one: Site) -> None:
    one.drop(3)
    file = one.stick / "all.jsonl"
    file.write_text(one.kiosk("ledger", "export").out, encoding="utf-8")
    assert one.receiver("import", file).code == 0
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert (lines[0]["after"], lines[-1]["kiosk_export_end"]["last"]) == (0, 4)
    assert [entry["seq"] for entry in lines[1]["entries"]] == [1, 2, 3, 4]


# --- the medium ---------------------------------------------------------------------------------------


def test_a_stick_pulled_out_half_way_is_gone_on_with(one: Site) -> None:
    one.drop(1_500)
    whole = one.export()
    data = whole.read_bytes()
    whole.unlink()
    part = whole.with_name(whole.name + ".part")
    part.write_bytes(data[: len(data) * 2 // 3])
    assert one.receiver("import", part, "--json").value[0]["error"] == "torn"
    said = one.kiosk("ledger", "export", "--to", one.stick, "--json").value
    assert (said["resumed"], said["first"], said["last"]) == (True, 1, 1_501)
    assert whole.read_bytes() == data and not part.exists()


def test_what_was_begun_for_another_history_is_begun_anew(one: Site) -> None:
    one.drop(5)
    whole = one.export()
    data = whole.read_bytes()
    whole.unlink()
    part = whole.with_name(whole.name + ".part")
    part.write_bytes(data[:-60].replace(b'"gross_after_g":100', b'"gross_after_g":900'))
    said = one.kiosk("ledger", "export", "--to", one.stick, "--json").value
    assert not said["resumed"] and whole.read_bytes() == data


def test_a_full_stick_is_said_and_leaves_nothing(one: Site) -> None:
    one.drop(1_500)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        said = one.kiosk("ledger", "export", "--to", one.stick)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert said.code == 1 and "USB がいっぱい" in said.err
    assert list(one.stick.iterdir()) == []


def test_somebody_elses_file_stays(one: Site) -> None:
    one.drop(1)
    photo = one.stick / "holiday.jpg"
    photo.write_bytes(b"\xff\xd8\xff")
    said = one.kiosk("ledger", "export", "--to", photo)
    assert said.code == 2 and "別のファイル" in said.err
    other = one.export()
    other.write_text(other.read_text().replace(f'"{STATION}"', '"hall-2"'), encoding="utf-8")
    said = one.kiosk("ledger", "export", "--to", other)
    assert (said.code, photo.read_bytes()) == (2, b"\xff\xd8\xff")
    assert one.kiosk("ledger", "export", "--to", one.stick / "no/such").code == 2


def test_a_stick_that_is_not_there_is_no_file_on_the_stations_own_disk(
    one: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its name where it should appear, nor the empty folder on which it is mounted."""
    one.drop(1)
    for nothing in ("", " "):  # a variable that nobody set is no working folder
        said = one.kiosk("ledger", "export", "--to", nothing)
        assert said.code == 2 and "--to" in said.err
    media = one.home / "media"
    media.mkdir()
    said = one.kiosk("ledger", "export", "--to", media / "usb")
    assert said.code == 2 and f"{media / 'usb'} というフォルダーがありません" in said.err
    assert list(media.iterdir()) == []
    (media / "usb").mkdir()
    monkeypatch.setattr(stick, "MOUNTS", (media,))
    for target in (media / "usb", media / "usb" / "out.jsonl", media / "usb.jsonl"):
        said = one.kiosk("ledger", "export", "--to", target)
        assert said.code == 2 and "に USB がありません" in said.err
    assert [path.name for path in media.rglob("*")] == ["usb"]
    monkeypatch.setattr(stick, "MOUNTS", (Path("/dev"),))
    assert stick.place(Path("/dev/shm"), "a.jsonl") == Path("/dev/shm/a.jsonl")  # mounted
    assert one.kiosk("ledger", "export", "--to", one.stick / "named.jsonl").code == 0


def test_the_file_is_its_owners_alone_where_the_medium_can(one: Site) -> None:
    assert stat.S_IMODE(one.export().stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_reads_as_the_stations_user_and_writes_where_root_may() -> None:
    """Not below ``tmp_path``: its folders are root's alone, and another run may shut them again."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _site(folder, f"sqlite:///{folder / 'city.db'}") as one:
            one.drop(1)
            for path in (one.home, *one.home.rglob("*")):
                os.chown(path, 65_534, 65_534)
            one.stick.chmod(0o700)
            file = one.export()
            assert file.stat().st_uid == 0
            assert {path.stat().st_uid for path in one.home.glob("ledger*")} == {65_534}


# --- what is not believed -----------------------------------------------------------------------------


def test_an_answer_for_another_station_is_refused_in_words(one: Site) -> None:
    one.drop(1)
    _, answer = one.answered(one.export())
    text = one.settings.read_text(encoding="utf-8")
    one.settings.write_text(text.replace(f'id = "{STATION}"', 'id = "hall-2"'), encoding="utf-8")
    said = one.kiosk("sync", "import", answer)
    assert said.code == 2 and f"{CITY}/{STATION} への返事" in said.err
    assert one.station.ledger.watermark == 0


def test_an_answer_of_the_citys_earlier_life_is_refused_in_words(one: Site) -> None:
    one.drop(1)
    _, old = one.answered(one.export())
    kept = old.rename(one.stick / "old")
    with opened(one.url) as engine, engine.begin() as connection:
        new_epoch(connection)
    _, new = one.answered(one.export())
    assert one.kiosk("sync", "import", new).code == 0
    said = one.kiosk("sync", "import", kept)
    assert said.code == 2 and "古い返事" in said.err
    one.station.stop()
    assert "古い返事" in one.kiosk("sync", "import", kept).err
    one.station.start()


@pytest.mark.parametrize("made", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_and_not_waited_for(
    one: Site, made: Callable[[Path], None]
) -> None:
    """A pipe that nobody writes, a folder: neither end takes it for a file that was brought."""
    thing = one.stick / "kiosk-1"
    made(thing)
    said = one.receiver("import", thing, "--json")
    assert (said.code, said.value["error"]["code"]) == (2, "file_unreadable")
    said = one.kiosk("sync", "import", thing)
    assert said.code == 2 and "読めません" in said.err


def test_a_damaged_answer_changes_nothing(one: Site) -> None:
    """Any byte of it, at any place; cut anywhere; or signed by somebody else."""
    one.drop(1)
    one.receiver("cards", "close", "ab" * 16, "--city", CITY)
    one.receiver("cards", "publish", "--city", CITY, "--key", one.city_key)
    _, answer = one.answered(one.export())
    good = answer.read_bytes()
    random_ = random.Random(5)
    for turn in range(40 * SEARCH):
        at = random_.randrange(len(good))
        bad = bytearray(good)
        bad[at] ^= 1 << random_.randrange(8)
        answer.write_bytes(bad if turn % 2 else good[:at])
        said = one.kiosk("sync", "import", answer, "--json")
        assert said.code == 2, bytes(bad)
        assert said.value["error"]["code"] in ("answer_damaged", "answer_other_station")
    assert (one.station.ledger.watermark, one.station.lists.in_force()) == (0, ())
    answer.write_bytes(good)
    assert one.kiosk("sync", "import", answer).code == 0


def test_a_damaged_export_brings_what_proves_itself_and_says_the_rest(one: Site) -> None:
    one.drop(1_500)
    file = one.export()
    good = file.read_bytes()
    lines = good.splitlines(keepends=True)
    random_ = random.Random(6)
    for turn in range(10 * SEARCH):
        at = random_.randrange(len(lines[0]), len(good))
        bad = bytearray(good)
        bad[at] ^= 1 << random_.randrange(8)
        file.write_bytes(bad if turn % 2 else good[:at])
        said = one.receiver("import", file, "--json")
        assert said.code == 1 and said.value[0]["error"]
        assert CityDatabase(one.url).count("parked") == 0
    with opened(one.url) as engine, engine.connect() as connection:
        assert not any(each.faults for each in verify_all(connection))
    file.write_bytes(good)
    (told,), answer = one.answered(file)
    assert (told["watermark"], told["error"]) == (1_501, None)
    assert one.kiosk("sync", "import", answer).code == 0


def test_a_stranger_stores_nothing_and_gets_no_answer(site: Site) -> None:
    site.drop(1)
    file = site.export()
    assert site.receiver("station", "revoke", STATION, "--city", CITY).code == 0
    said = site.receiver("import", file, "--answer", site.stick, "--json")
    assert (said.code, said.value[0]["error"], said.value[0]["answer"]) == (1, "unknown_key", None)
    database = CityDatabase(site.url)
    with closing(database):
        assert database.count("entry") == 0


def test_a_fork_on_a_stick_is_set_aside_and_told_to_the_station(site: Site, tmp_path: Path) -> None:
    """Two machines with copies of one card: the one whose stick comes second hears it."""
    site.drop(1)
    site.station.stop()
    copy = site.home / "ledger.db"
    before = copy.read_bytes()
    site.station.start()
    site.drop(2)
    site.answered(site.export())
    site.station.stop()
    copy.write_bytes(before)
    site.station.start()
    site.station.check_in()
    site.station.check_in()
    (told,), answer = site.answered(site.export())
    assert (told["error"], told["watermark"]) == ("fork", 4)
    said = site.kiosk("sync", "import", answer, "--json")
    assert said.code == 1 and said.value["error"] == "fork"


def test_a_city_that_was_restored_gets_the_whole_again_by_hand(one: Site, tmp_path: Path) -> None:
    """The file after the restore begins too far on: the answer takes the station back."""
    one.drop(5)
    _, answer = one.answered(one.export())
    one.kiosk("sync", "import", answer)
    one.drop(5)
    (tmp_path / "city.db").unlink()
    for beside in tmp_path.glob("city.db-*"):
        beside.unlink()
    with opened(one.url) as engine, engine.begin() as connection:
        new_epoch(connection)
    one.register()
    (told,), answer = one.answered(one.export())
    assert told["error"] == "gap"
    assert one.kiosk("sync", "import", answer, "--json").value["watermark"] == 0
    (told,), answer = one.answered(one.export())
    assert (told["error"], told["watermark"]) == (None, 11)
    assert one.kiosk("sync", "import", answer).code == 0
    assert one.station.ledger.watermark == 11


def test_what_a_carrier_took_out_comes_by_hand(one: Site) -> None:
    """A line that is not to be trusted: the whole ledger on a stick fills in what it kept."""
    one.station.check_in()
    one.drop(3)
    batch = relayed(one.station.ledger.batch(0) or b"", thin=(2, 4))
    with opened(one.url) as engine:
        take(engine, [Delivery(TOPIC, batch)], 1_000)
    whole = one.kiosk("ledger", "export", "--all", "--to", one.stick, "--json").value["file"]
    for filled in (3, 0):
        ((told,), _) = one.answered(whole)
        assert (told["error"], told["watermark"], told["filled"]) == (None, 5, filled)
    with closing(CityDatabase(one.url)) as database:
        assert database.rows("SELECT sum(net_g) FROM weighing_resolved") == [(300,)]
        assert database.count("seal") == 1


def test_an_import_beside_the_wire_stores_each_entry_once(site: Site) -> None:
    site.drop(1_500)
    file = site.export()
    batch = site.station.ledger.batch(0)
    assert batch is not None
    with opened(site.url) as engine:
        take(engine, [Delivery(f"kiosk/v1/{CITY}/{STATION}/ledger", batch)], 1_000)
    (told,), _ = site.answered(file)
    assert told["watermark_before"] > 0 and told["watermark"] == 1_501

"""A ledger at rest, looked at from the command line: good, cut, and changed by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from cli_site import Site

from kiosk.cli.texts import LANGUAGES, Words
from kiosk.core.effects import Item
from kiosk.core.entries import At, BagSwap, Clock, Opening, Unattributed
from kiosk.ledger import Ledger
from kiosk.ledger.finding import Code, Gap
from sync.messages import Ack
from sync.messages.ack import encode_ack
from sync.signing import Signer

NOON_MS = 1_790_000_000_000


def drift(before_g: int, after_g: int) -> Item:
    return Item(
        Unattributed(
            bin="b1",
            item="pet-bottle",
            bag="bag-1",
            cause="drift",
            net_g=after_g - before_g,
            gross_before_g=before_g,
            gross_after_g=after_g,
            uncertainty_g=20,
        )
    )


def opened(site: Site, city: Signer, at: dict[str, Any] | None = None) -> Ledger:
    """``at`` the boot and its milliseconds, as they are at each entry."""
    told = {"boot": "0" * 32, "boot_ms": 1_000} if at is None else at
    return Ledger.open(
        site.folder,
        station="demo-1",
        city="demo",
        signer=Signer.load(site.folder / "keys/station.key"),
        city_key=city.public_key,
        software="0.1.0",
        openings={"b1": Opening(gross_g=0, bag="bag-1", adjustment=1)},
        items={"b1": "pet-bottle"},
        clock=lambda: At(utc_ms=NOON_MS, clock="unsynced", **told),
        day_of=lambda utc_ms: utc_ms // 86_400_000,
    )


@pytest.fixture
def city(site: Site) -> Signer:
    """The city, its key in the settings."""
    signer = Signer.generate(site.folder / "city.key")
    text = site.file.read_text(encoding="utf-8")
    old = text.partition('public_key = "')[2][:64]
    site.file.write_text(text.replace(old, signer.public_key.hex()), encoding="utf-8")
    return signer


@pytest.fixture
def acked(site: Site, city: Signer) -> Path:
    """Five entries, all of which the city has signed for; its word in a file of its own."""
    ledger = opened(site, city)
    for step in range(4):
        ledger.append([drift(step * 20, step * 20 + 20)])
    seq, head = ledger.head
    payload = encode_ack(
        Ack(ledger=ledger.ledger_id, epoch=1, seq=seq, head=head, error=None), city
    )
    assert ledger.accept_ack(payload).accepted
    ledger.close()
    file = site.folder / "kept.json"
    file.write_bytes(payload)
    return file


def change(site: Site, statement: str) -> None:
    with closing(sqlite3.connect(site.folder / "ledger.db")) as db, db:
        db.execute(statement)


def test_a_good_ledger_is_said_to_be_good(site: Site, acked: Path) -> None:
    said = site.kiosk("ledger", "verify")
    assert said.code == 0, said.out
    assert "書かれたときのまま" in said.out
    said = site.kiosk("ledger", "verify", "--ack", str(acked), "--json")
    assert said.value == {"good": True, "findings": [], "unchecked": []}


def test_a_changed_entry_and_a_cut_tail_are_exit_1_and_named(site: Site, acked: Path) -> None:
    change(site, "DELETE FROM ledger WHERE seq = 6")
    said = site.kiosk("ledger", "verify", "--ack", str(acked), "--json")
    assert said.code == 0, "there is no entry 6"
    change(site, "DELETE FROM ledger WHERE seq = 5")
    said = site.kiosk("ledger", "verify", "--ack", str(acked), "--json")
    assert said.code == 1
    assert "ack_beyond_head" in {one["code"] for one in said.value["findings"]}
    change(site, "UPDATE ledger SET body = replace(body, 'drift', 'zero') WHERE seq = 3")
    said = site.kiosk("ledger", "verify")
    assert said.code == 1 and "3 番の記録が書き換えられています" in said.out


def test_the_text_says_as_much_as_the_json(site: Site, acked: Path) -> None:
    change(site, "DELETE FROM ledger WHERE seq = 4")
    said = site.kiosk("ledger", "verify", "--lang", "en")
    assert said.out.splitlines() == [
        "Entry 4 is missing.",
        "1 thing does not fit. Call for help, and leave the files as they are.",
    ]
    change(site, "DELETE FROM ledger WHERE seq = 3")
    (finding,) = site.kiosk("ledger", "verify", "--lang", "en", "--json").value["findings"]
    assert finding == {
        "code": "entry_missing",
        "seq": 3,
        "until": 4,
        "words": "Entries 3 to 4 are missing.",
    }
    assert finding["words"] in site.kiosk("ledger", "verify", "--lang", "en").out


def test_what_verify_could_not_check_is_said(site: Site, acked: Path) -> None:
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text(text.replace("[city]\npublic_key", "# public_key"), encoding="utf-8")
    said = site.kiosk("ledger", "verify")
    assert said.code == 0 and "受領書の署名は見ていません" in said.out
    (site.folder / "ack.json").unlink()
    (site.folder / "keys/station.key").chmod(0o600)
    said = site.kiosk("ledger", "verify", "--json")
    assert [one["code"] for one in said.value["unchecked"]] == ["no_ack"]
    assert "ack.json" in site.kiosk("ledger", "verify", "--lang", "easy").out


def test_a_deleted_ledger_is_no_station_without_one(site: Site, acked: Path) -> None:
    (site.folder / "ledger.db").unlink()
    said = site.kiosk("ledger", "verify", "--lang", "en")
    assert said.code == 1 and "signed for one up to entry 5" in said.out
    (finding,) = site.kiosk("doctor", "ledger", "--json").value["findings"]
    assert (finding["level"], finding["case"]) == ("ERR", "gone")


def test_doctor_and_status_read_the_books_of_a_station_at_rest(site: Site, acked: Path) -> None:
    found = site.kiosk("status", "--json").value
    assert (found["head_seq"], found["watermark"], found["queue"]) == (5, 5, 0)
    assert "5 件のうち 5 件" in site.kiosk("sync", "status").out
    assert "送信待ちはありません" in site.kiosk("sync", "status").out
    change(site, "UPDATE ledger SET body = replace(body, 'drift', 'zero') WHERE seq = 3")
    said = site.kiosk("doctor", "ledger", "--json")
    assert said.code == 1
    assert [one["case"] for one in said.value["findings"]] == ["broken"]


def test_a_ledger_held_by_another_process_is_told(site: Site, city: Signer) -> None:
    ledger = opened(site, city)
    said = site.kiosk("doctor", "ledger", "--json")
    assert said.value["findings"] == []
    (found,) = site.kiosk("doctor", "station", "--json").value["findings"]
    assert (found["level"], found["case"]) == ("WARN", "busy")
    for command in (("status",), ("sync", "status")):
        assert site.kiosk(*command, "--json").value["busy"]
        for language, words in (("ja", "始まるところ"), ("en", "is starting")):
            assert words in site.kiosk(*command, "--lang", language).out
    assert site.kiosk("status").code == 1
    ledger.close()


def test_entries_are_shown_with_their_local_time_and_its_doubt(site: Site, acked: Path) -> None:
    said = site.kiosk("ledger", "show", "--kind", "unattributed", "--count", "2")
    lines = said.out.splitlines()
    assert len(lines) == 3
    assert "2026-09-21 23:13:20（時計未確認）" in lines[1]
    assert lines[2].endswith("+20 g") and "人によらない変化" in lines[2]
    seqs = [one["seq"] for one in site.kiosk("ledger", "show", "--json").lines]
    assert seqs == [1, 2, 3, 4, 5]
    assert site.kiosk("ledger", "show", "--bin", "b9").out == "当てはまる記録はありません。\n"


def test_an_export_is_json_lines_and_nothing_else(site: Site, acked: Path) -> None:
    lines = site.kiosk("ledger", "export").lines
    assert (lines[0]["kiosk_export"], lines[0]["after"]) == (2, 0)
    assert [entry["seq"] for entry in lines[1]["entries"]] == [1, 2, 3, 4, 5]
    assert lines[2] == {"kiosk_export_end": {"batches": 1, "last": 5}}


def test_when_an_entry_was_is_said_as_what_is_certain(site: Site, city: Signer) -> None:
    """A boot that never learned the time is bounded; one that did is known to the second."""
    at = {"boot": "0" * 32, "boot_ms": 1_000}
    ledger = opened(site, city, at=at)
    ledger.append([drift(0, 20)])
    at |= {"boot": "1" * 32, "boot_ms": 5_000}
    ledger.append([drift(20, 40)])
    at["boot_ms"] = 15_000
    ledger.append([Item(Clock(utc_ms=NOON_MS, uncertainty_ms=50, source="ntp"))])
    ledger.close()
    said = site.kiosk("ledger", "show", "--when", "--kind", "unattributed", "--json")
    assert [one["when"] for one in said.lines] == [
        {"time": "bounded", "from_ms": None, "to_ms": NOON_MS + 50},
        {"time": "exact", "from_ms": NOON_MS - 10_052, "to_ms": NOON_MS - 9_948},
    ]
    text = site.kiosk("ledger", "show", "--when", "--lang", "en").out
    assert (
        "— to 2026-09-21 23:13:20" in text and "2026-09-21 23:13:09 to 2026-09-21 23:13:10" in text
    )


@pytest.mark.parametrize("command", ["verify", "export", "show"])
def test_a_station_without_a_ledger_says_so(site: Site, command: str) -> None:
    said = site.kiosk("ledger", command)
    assert said.code == 2 and "記録簿がまだありません" in said.err


def test_every_finding_of_the_verifier_has_its_words() -> None:
    for language in LANGUAGES:
        texts = Words(language).all()
        for code in get_args(Code):
            assert any(
                key == f"verify.{code}" or key.startswith(f"verify.{code}_") for key in texts
            )
        for gap in get_args(Gap):
            assert f"unchecked.{gap}" in texts


def test_a_bag_swap_shows_what_left(site: Site, city: Signer) -> None:
    ledger = opened(site, city)
    ledger.append([drift(0, 900)])
    swap = BagSwap(
        bin="b1",
        item="pet-bottle",
        bag="bag-1",
        new_bag="bag-2",
        net_g=900,
        gross_before_g=900,
        gross_after_g=0,
    )
    ledger.append([Item(swap)])
    ledger.close()
    assert "袋の交換" in site.kiosk("ledger", "show", "--kind", "bag_swap").out

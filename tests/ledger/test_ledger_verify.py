"""What a checker finds in a ledger that somebody, or a card, has changed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ledger_site import Site, checkin, close_visit, drop_many, thin, weighing

from kiosk.core.canonical import canonical
from kiosk.core.chain import ZERO, digest, link
from kiosk.core.effects import Item
from kiosk.core.entries import Forget
from kiosk.core.errors import OperatorError
from kiosk.ledger.export import exporting
from kiosk.ledger.show import show
from kiosk.ledger.verify import verify
from sync.messages import batch_message, decode_batch, verify_batch
from sync.messages.carried import ExportEnd, export_end, export_head
from sync.signing import Signer

Db = sqlite3.Connection
ACKED = 12
OWN = Site(Path()).signer
THIEF = Signer(b"a-key-that-is-not-the-station's!")


@pytest.fixture
def kept(site: Site) -> Path:
    """A folder with 20 entries, sealed check-ins among them, acknowledged up to 12."""
    ledger = site.open()
    drop_many(ledger, 10)
    ledger.append([checkin(b"A", visit="v-2"), checkin(b"B")])
    ledger.batch(0)
    ledger.append([close_visit("v-2")])
    ledger.accept_ack(site.ack(ledger, ACKED))
    ledger.append([checkin(bytes([letter])) for letter in b"CDEFGH"])
    ledger.close()
    return site.folder


def exported(site: Site, path: Path) -> list[bytes]:
    with exporting(path, site.signer, site.city.public_key, whole=True) as export:
        return list(export.lines())


def check(site: Site, folder: Path) -> set[str]:
    verdict = verify(folder, city_key=site.city.public_key, station_key=site.signer.public_key)
    return {finding.code for finding in verdict.findings}


def rechain(db: Db, signer: Signer) -> None:
    """Digests, hashes and signatures computed anew, so that the ledger agrees with itself."""
    before = ZERO
    ledger = ""
    for seq, body, own in db.execute(
        "SELECT seq, body, digest FROM ledger ORDER BY seq"
    ).fetchall():
        ledger = ledger or json.loads(body)["ledger"]
        own = own if body is None else digest(body.encode())
        before = link(before, own)
        db.execute("UPDATE ledger SET digest = ?, hash = ? WHERE seq = ?", (own, before, seq))
        db.execute(
            "UPDATE batch_sig SET sig = ? WHERE last_seq = ?",
            (signer.sign(batch_message(ledger, seq, before)), seq),
        )


def change_a_body(db: Db) -> None:
    db.execute(
        "UPDATE ledger SET body = replace(body, '\"net_g\":100', '\"net_g\":900') WHERE seq = 5"
    )


def change_a_body_and_its_digest(db: Db) -> None:
    change_a_body(db)
    (body,) = db.execute("SELECT body FROM ledger WHERE seq = 5").fetchone()
    db.execute("UPDATE ledger SET digest = ? WHERE seq = 5", (digest(body.encode()),))


def flip_a_hash(db: Db) -> None:
    db.execute("UPDATE ledger SET hash = ? WHERE seq = 7", (os.urandom(32),))


def remove_one(db: Db) -> None:
    db.execute("DELETE FROM ledger WHERE seq = 6")


def remove_one_and_close_the_gap(db: Db) -> None:
    remove_one(db)
    for seq in range(7, 21):
        db.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (seq - 1, seq))


def swap_two(db: Db) -> None:
    for old, new in ((4, 100), (5, 4), (100, 5)):
        db.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (new, old))


def swap_two_bodies(db: Db) -> None:
    rows = db.execute("SELECT body, digest FROM ledger WHERE seq IN (4, 5) ORDER BY seq").fetchall()
    for seq, row in zip((5, 4), rows, strict=True):
        db.execute("UPDATE ledger SET body = ?, digest = ? WHERE seq = ?", (*row, seq))


def cut_the_tail(db: Db) -> None:
    db.execute("DELETE FROM ledger WHERE seq > 9")


def cut_the_tail_with_its_signatures(db: Db) -> None:
    cut_the_tail(db)
    db.execute("DELETE FROM batch_sig WHERE last_seq > 9")


def write_anew_with_the_stations_own_key(db: Db) -> None:
    db.execute("DELETE FROM ledger WHERE seq > 9")
    db.execute("DELETE FROM batch_sig")
    db.execute("UPDATE ledger SET body = replace(body, '\"pet-bottle\"', '\"can\"')")
    for last in range(10, 21):
        body = {"kind": "visit_close", "reason": "idle", "seq": last, "visit": "v-9"}
        text = canonical(body | {"at": {}}).decode()
        db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?)", (last, text, ZERO, ZERO))
    db.execute("INSERT INTO batch_sig VALUES (20, ?)", (bytes(64),))
    db.execute("DELETE FROM seal")
    rechain(db, OWN)


def write_anew_under_another_key(db: Db) -> None:
    db.execute(
        "UPDATE ledger SET body = replace(body, ?, ?) WHERE seq = 1",
        (Site(Path()).signer.public_key.hex(), THIEF.public_key.hex()),
    )
    rechain(db, THIEF)


def put_anothers_pseudonym_in(db: Db) -> None:
    db.execute("UPDATE seal SET pseudonym = ? WHERE seq = 12", (b"X" * 16,))


def forge_the_last_signature(db: Db) -> None:
    db.execute("UPDATE batch_sig SET sig = ? WHERE last_seq = 20", (bytes(64),))


def invent_grams(db: Db) -> None:
    db.execute(
        "UPDATE ledger SET body = replace(body, '\"gross_after_g\":400',"
        " '\"gross_after_g\":700') WHERE seq = 5"
    )
    rechain(db, OWN)


def rewrite(db: Db, place: int, /, **fields: object) -> None:
    """An entry with other fields (those that are ``...`` taken out), signed by the station itself."""
    (text,) = db.execute("SELECT body FROM ledger WHERE seq = ?", (place,)).fetchone()
    body = {k: v for k, v in (json.loads(text) | fields).items() if v is not ...}
    db.execute("UPDATE ledger SET body = ? WHERE seq = ?", (canonical(body).decode(), place))
    rechain(db, OWN)


def begin_a_visit_twice(db: Db) -> None:
    rewrite(db, 13, visit="v-2")


def add_to_a_closed_visit(db: Db) -> None:
    rewrite(db, 15, visit="v-2", kind="claim")


def leave_out_the_time(db: Db) -> None:
    rewrite(db, 7, at=...)


def leave_out_a_field(db: Db) -> None:
    rewrite(db, 7, bag=...)


def begin_a_second_time(db: Db) -> None:
    (text,) = db.execute("SELECT body FROM ledger WHERE seq = 1").fetchone()
    rewrite(db, 16, **(json.loads(text) | {"seq": 16}))


def take_a_text_away(db: Db) -> None:
    db.execute("UPDATE ledger SET body = NULL WHERE seq = 5")


def take_the_beginning_away(db: Db) -> None:
    db.execute("UPDATE ledger SET body = NULL WHERE seq = 1")


def take_all_texts_away(db: Db) -> None:
    db.execute("UPDATE ledger SET body = NULL WHERE seq > 1")


def write_a_signature_as_text(db: Db) -> None:
    db.execute("UPDATE batch_sig SET sig = 'no signature' WHERE last_seq = 20")


Tampering = Callable[[Db], None]


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        (change_a_body, {"body_changed"}),
        (change_a_body_and_its_digest, {"chain_broken", "books_broken"}),
        (flip_a_hash, {"chain_broken"}),
        (remove_one, {"entry_missing"}),
        (remove_one_and_close_the_gap, {"chain_broken", "seq_differs", "tail_cut"}),
        (swap_two, {"chain_broken", "seq_differs", "books_broken"}),
        (swap_two_bodies, {"chain_broken", "seq_differs", "books_broken"}),
        (cut_the_tail, {"tail_cut", "ack_beyond_head"}),
        (cut_the_tail_with_its_signatures, {"head_unsigned", "ack_beyond_head"}),
        (write_anew_with_the_stations_own_key, {"ack_head_differs"}),
        (write_anew_under_another_key, {"key_differs", "ack_head_differs"}),
        (put_anothers_pseudonym_in, {"seal_differs"}),
        (forge_the_last_signature, {"signature_bad"}),
        (invent_grams, {"books_broken", "ack_head_differs"}),
        (begin_a_visit_twice, {"visit_twice"}),
        (add_to_a_closed_visit, {"after_close"}),
        (leave_out_the_time, {"incomplete"}),
        (leave_out_a_field, {"incomplete"}),
        (begin_a_second_time, {"second_genesis"}),
        (take_a_text_away, {"thinned"}),
        (take_the_beginning_away, {"no_genesis", "thinned"}),
        (take_all_texts_away, {"thinned"}),
        (write_a_signature_as_text, {"signature_bad"}),
    ],
)
def test_tampering_is_found(site: Site, kept: Path, tamper: Tampering, codes: set[str]) -> None:
    with closing(sqlite3.connect(site.database)) as db, db:
        tamper(db)
    found = check(site, kept)
    assert codes <= found, found


@pytest.mark.parametrize(
    ("tamper", "code"),
    [(change_a_body, "body_changed"), (take_a_text_away, "thinned"), (remove_one, "entry_missing")],
)
def test_one_thing_that_is_wrong_is_one_finding(
    site: Site, kept: Path, tamper: Tampering, code: str
) -> None:
    with closing(sqlite3.connect(site.database)) as db, db:
        tamper(db)
    verdict = verify(kept, city_key=site.city.public_key)
    assert [finding.code for finding in verdict.findings] == [code]


def test_without_its_genesis_no_weight_is_called_wrong(site: Site, kept: Path) -> None:
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute(
            "UPDATE ledger SET body = replace(body, '\"genesis\"', '\"begin\"') WHERE seq = 1"
        )
    assert check(site, kept) == {"no_genesis", "body_changed"}


def test_a_check_that_could_not_go_on_says_so_and_misses_no_acknowledgement(
    site: Site, kept: Path
) -> None:
    site.database.write_bytes(b"a letter" * 1_000)
    verdict = verify(kept, city_key=site.city.public_key, station_key=site.signer.public_key)
    assert [finding.code for finding in verdict.findings] == ["unreadable"]
    assert [one.code for one in verdict.unchecked] == ["cut_short"]


def test_bodies_thinned_behind_a_snapshot_are_well_and_told(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 6)
    ledger.append([checkin(b"A")])
    thin(site, ledger, 3, 4, 8)
    ledger.append([weighing(600, 700)])
    ledger.accept_ack(site.ack(ledger))
    ledger.close()
    verdict = verify(site.folder, city_key=site.city.public_key, station_key=site.signer.public_key)
    assert not verdict.findings
    assert [(one.code, one.values) for one in verdict.unchecked] == [("thinned", {"count": 3})]

    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("UPDATE snapshot SET data = 'another'")
    assert check(site, site.folder) == {"snapshot_differs", "thinned"}


def test_what_is_younger_than_the_snapshot_and_what_always_stays_is_not_thinned(
    site: Site,
) -> None:
    ledger = site.open()
    drop_many(ledger, 3)
    ledger.append([Item(Forget(count=0))])
    thin(site, ledger, 3, 5)
    ledger.append([weighing(300, 400)])
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("UPDATE ledger SET body = NULL WHERE seq = 7")
    ledger.close()
    found = verify(site.folder).findings
    assert [(one.code, one.seq) for one in found] == [("thinned", 7), ("thinned_kept_kind", None)]
    assert found[1].values == {"kind": "forget"}


def test_a_hole_excuses_one_bin_and_no_more(site: Site) -> None:
    """Each thinned entry can have moved one bin; grams are still told where there is no such excuse."""
    ledger = site.open()
    drop_many(ledger, 2)
    ledger.append([weighing(0, 50, bin_id="b2")])
    thin(site, ledger, 3)
    ledger.append([weighing(200, 300)])
    ledger.append([weighing(50, 90, bin_id="b2")])
    ledger.close()
    assert not verify(site.folder).findings

    with closing(sqlite3.connect(site.database)) as db, db:
        rewrite(db, 6, gross_before_g=205, gross_after_g=305)
        rewrite(db, 7, gross_before_g=55, gross_after_g=95)
    broken = [one for one in verify(site.folder).findings if one.code == "books_broken"]
    assert [(one.seq, one.values["bin"]) for one in broken] == [(7, "b2")]


def test_what_could_not_be_checked_is_told(site: Site, kept: Path) -> None:
    def gaps(**more: object) -> list[str]:
        return [one.code for one in verify(kept, **more).unchecked]  # type: ignore[arg-type]

    keys = {"city_key": site.city.public_key, "station_key": site.signer.public_key}
    assert gaps(**keys) == []
    assert gaps() == ["no_city_key", "no_station_key"]
    (kept / "ack.json").unlink()
    assert gaps(**keys) == ["no_ack"]


def test_an_older_acknowledgement_does_not_hide_the_folders_own(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 10)
    older = site.folder / "older.json"
    older.write_bytes(site.ack(ledger, 5))
    ledger.accept_ack(site.ack(ledger))
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db, db:
        cut_the_tail_with_its_signatures(db)
    verdict = verify(site.folder, ack=older, city_key=site.city.public_key)
    assert {one.code for one in verdict.findings} == {"head_unsigned", "ack_beyond_head"}
    assert "ack_older" in [one.code for one in verdict.unchecked]


def test_a_ledger_that_was_deleted_is_missed_by_the_citys_word(site: Site, kept: Path) -> None:
    site.database.unlink()
    (finding,) = verify(kept, city_key=site.city.public_key).findings
    assert (finding.code, finding.values) == ("ledger_gone", {"signed": ACKED})


def test_an_untouched_ledger_is_well(site: Site, kept: Path) -> None:
    assert check(site, kept) == set()


def test_a_forgotten_seal_is_no_fault(site: Site, kept: Path) -> None:
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("DELETE FROM seal WHERE seq IN (12, 15)")
    assert check(site, kept) == set()


def test_rewriting_under_another_key_needs_no_key_file_to_be_seen(site: Site, kept: Path) -> None:
    with closing(sqlite3.connect(site.database)) as db, db:
        write_anew_under_another_key(db)
    codes = {one.code for one in verify(kept, city_key=site.city.public_key).findings}
    assert codes == {"ack_head_differs"}


def test_an_acknowledgement_that_the_city_did_not_sign(site: Site, kept: Path) -> None:
    ack = json.loads((kept / "ack.json").read_text())
    (kept / "ack.json").write_text(json.dumps(ack | {"seq": 5}))
    assert check(site, kept) == {"ack_bad_signature"}
    (kept / "ack.json").write_text("{}")
    assert check(site, kept) == {"ack_malformed"}


def test_a_copy_of_a_running_stations_files(site: Site, tmp_path: Path) -> None:
    ledger = site.open()
    drop_many(ledger, 5)
    ledger.accept_ack(site.ack(ledger))
    copy = tmp_path / "stick"
    copy.mkdir()
    for name in ("ledger.db", "ledger.db-wal", "ack.json"):
        shutil.copy(site.folder / name, copy / name)
    ledger.close()

    assert check(site, copy) == set()
    assert [entry["seq"] for entry in show(copy, last=2)] == [5, 6]


def test_any_changed_byte_of_the_file_is_seen_or_changes_no_entry(
    site: Site, kept: Path, tmp_path: Path
) -> None:
    whole = site.database.read_bytes()
    said = exported(site, site.database)
    unnoticed = 0
    for offset in range(17, len(whole), 977):
        copy = tmp_path / "copy.db"
        copy.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x10]) + whole[offset + 1 :])
        findings = verify(
            copy,
            ack=kept / "ack.json",
            city_key=site.city.public_key,
            station_key=site.signer.public_key,
        ).findings
        if not findings:
            unnoticed += 1
            assert exported(site, copy) == said
    assert unnoticed


def test_no_ledger_at_all_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as refused:
        verify(tmp_path)
    assert refused.value.code == "no_ledger"
    (tmp_path / "ledger.db").write_text("This is a letter, not a ledger.\n" * 50)
    assert [one.code for one in verify(tmp_path).findings] == ["unreadable"]


def test_an_export_proves_itself_without_the_database(site: Site, kept: Path) -> None:
    head, *lines = exported(site, kept)
    batches = [decode_batch(line[:-1]) for line in lines[:-1]]
    assert all(verify_batch(batch, site.signer.public_key) for batch in batches)
    before = ZERO
    for batch in batches:
        assert batch.prev == before
        before = batch.head
    assert (export_head(head).after, export_end(lines[-1])) == (0, ExportEnd(len(batches), 20))
    assert batches[-1].last == 20
    assert len([seal for batch in batches for seal in batch.seals]) == 8


def test_entries_are_shown_by_kind_and_bin(kept: Path) -> None:
    assert [entry["seq"] for entry in show(kept, kinds=["weighing"], last=3)] == [9, 10, 11]
    assert show(kept, bin_id="b2") == []
    assert len(show(kept, kinds=["weighing", "genesis"], last=100)) == 11

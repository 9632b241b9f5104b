"""What is recorded: numbered, chained, sealed, signed, and never a gram lost."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ledger_site import Site, bag_swap, checkin, unattributed, weighing

from kiosk.core.adjusted import Adjusted
from kiosk.core.chain import link
from kiosk.core.effects import Item
from kiosk.core.entries import Adjustment, ItemCount
from kiosk.ledger import Ledger
from kiosk.ledger.writing import BooksBroken
from sync.signing import verify


def rows(site: Site, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(site.database)) as db:
        return db.execute(sql).fetchall()


def test_a_first_start_begins_with_genesis(site: Site, ledger: Ledger) -> None:
    ((seq, body),) = rows(site, "SELECT seq, body FROM ledger")
    genesis = json.loads(str(body))

    assert seq == genesis["seq"] == 1
    assert genesis["kind"] == "genesis"
    assert genesis["ledger"] == ledger.ledger_id
    assert genesis["key"] == site.signer.public_key.hex()
    assert genesis["continues"] is None
    assert {bin_id: o["gross_g"] for bin_id, o in genesis["opening"].items()} == {"b1": 0, "b2": 0}
    assert ledger.progress.head_seq == 1


def test_entries_are_chained_exactly_as_the_contract_says(site: Site, ledger: Ledger) -> None:
    assert ledger.append([weighing(0, 340), weighing(340, 320)]) == (2, 3)

    before = bytes(32)
    for body, digest, after in rows(site, "SELECT body, digest, hash FROM ledger ORDER BY seq"):
        assert isinstance(body, str)
        assert json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")) == body
        assert hashlib.sha256(body.encode()).digest() == digest
        assert isinstance(digest, bytes)
        assert hashlib.sha256(b"kiosk-ledger-v1" + before + digest).digest() == after
        assert isinstance(after, bytes)
        before = after
    assert ledger.head == (3, before)


def test_the_body_of_a_drop_is_this_text(site: Site, ledger: Ledger) -> None:
    ledger.append([weighing(0, 340)])

    ((body,),) = rows(site, "SELECT body FROM ledger WHERE seq = 2")
    assert body == (
        '{"adjustment":1,"at":{"boot":"00000000000000000000000000000000","boot_ms":60000,'
        '"clock":"synced","utc_ms":1728000000000},"bag":"bag-1","bin":"b1","catalogue":1,'
        '"division_g":20,"gross_after_g":340,"gross_before_g":0,"item":"pet-bottle",'
        '"kind":"weighing","mode":"estimate","net_g":340,"points":0,"seq":2,"tariff":1,'
        '"uncertainty_g":10,"visit":"v-1"}'
    )


def test_the_golden_entry_and_its_link(site: Site, ledger: Ledger) -> None:
    """Worked out once with sha256 alone; another implementation has to come to the same."""
    ledger.append([weighing(0, 340)])
    ((own,),) = rows(site, "SELECT lower(hex(digest)) FROM ledger WHERE seq = 2")
    assert own == "89f69ce09169012c36afbf89dbdb880862df0e113a2bf63dd17bcc6763ed23fb"
    assert link(bytes(range(32)), bytes.fromhex(str(own))).hex() == (
        "7a9e34fbe7fbcee75835b142139a16fe60774c09ff2319c43c0aff85cfe83b4b"
    )


def test_only_the_head_and_what_left_in_a_batch_stay_signed(site: Site, ledger: Ledger) -> None:
    ledger.append([weighing(0, 100)])
    ledger.append([weighing(100, 200)])
    assert ledger.batch(0) is not None
    ledger.append([weighing(200, 300)])
    ledger.append([weighing(300, 400)])

    kept = {str(seq): sig for seq, sig in rows(site, "SELECT * FROM batch_sig")}
    assert sorted(kept) == ["3", "5"]
    message = f"kiosk-batch-v1\n{ledger.ledger_id}\n5\n{ledger.head[1].hex()}".encode()
    signature = kept["5"]
    assert isinstance(signature, bytes)
    assert verify(site.signer.public_key, signature, message)


def test_an_entry_holds_a_seal_and_never_a_pseudonym(site: Site, ledger: Ledger) -> None:
    ledger.append([checkin(b"A"), checkin(b"A")])

    found = rows(site, "SELECT body, salt, pseudonym FROM ledger JOIN seal USING (seq)")
    assert len(found) == 2
    for body, salt, pseudonym in found:
        assert isinstance(body, str)
        assert isinstance(salt, bytes)
        assert isinstance(pseudonym, bytes)
        assert (b"A" * 16).hex() not in body
        assert json.loads(body)["seal"] == hashlib.sha256(salt + pseudonym).hexdigest()
    assert found[0][0] != found[1][0]


def test_a_counted_piece_says_nothing_of_millilitres(site: Site, ledger: Ledger) -> None:
    ledger.append([Item(ItemCount(item="lamp", bin=None, visit=None, count=1))])

    ((body,),) = rows(site, "SELECT body FROM ledger WHERE seq = 2")
    counted = json.loads(str(body))
    assert counted["count"] == 1
    assert "ml" not in counted


@pytest.mark.parametrize(
    "draft",
    [
        weighing(10, 100),
        unattributed(5, 0),
        bag_swap(300, 0),
        unattributed(0, None),
    ],
)
def test_grams_that_do_not_add_up_are_our_own_bug(site: Site, ledger: Ledger, draft: Item) -> None:
    with pytest.raises(BooksBroken):
        ledger.append([weighing(0, 200), weighing(200, 0), draft])

    assert ledger.head[0] == 1
    assert ledger.append([weighing(0, 50)]) == (2,)


def test_a_bin_without_a_scale_then_with_one(ledger: Ledger) -> None:
    ledger.append([bag_swap(None, None)])
    ledger.append([unattributed(None, 5_000, "unscaled"), weighing(5_000, 5_030)])
    assert ledger.head[0] == 4


def test_the_empty_weight_goes_with_the_zero_and_with_an_adjustment(
    site: Site, ledger: Ledger
) -> None:
    ledger.append([weighing(0, 5_000), unattributed(5_000, 10, "indicator_zeroed")])
    ledger.append(
        [
            Item(Adjustment("b1", 2, "bottle", 10, 10, -4_970, Adjusted())),
            unattributed(10, 25, "adjustment"),
        ]
    )
    ledger.close()

    again = site.open()
    book = next(book for book in again.memory().books if book.bin == "b1")
    again.close()
    assert (book.gross_g, book.empty_g, book.adjustment) == (25, -4_970, 2)


def test_a_start_with_a_ledger_there_does_not_wait_for_sqlite_utils(site: Site) -> None:
    site.open().close()
    program = (
        "import sys; from pathlib import Path; from ledger_site import Site;"
        "Site(Path(sys.argv[1])).open().close(); print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, site.folder],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"

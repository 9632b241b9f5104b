"""While a backlog drains the disk is spared, and nothing is lost that cannot be had again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from ledger_site import Site, drop_many, weighing

from kiosk.ledger import Ledger
from kiosk.ledger.grouped import MOST
from kiosk.ledger.verify import verify
from sync.messages import AckError, decode_ack

DRAINS = """
import os, sys
from pathlib import Path
from ledger_site import Site, drop_many
site = Site(Path(sys.argv[1]))
ledger = site.open()
drop_many(ledger, 40)
for seq in range(1, 40):
    assert ledger.batch(seq - 1, 1) is not None
    assert ledger.accept_ack(site.ack(ledger, seq)).watermark == seq
os.kill(os.getpid(), 9)
"""


def kept(site: Site) -> int:
    """How far the city is, by the file."""
    return decode_ack((site.folder / "ack.json").read_bytes())[0].seq


def signed(site: Site) -> set[int]:
    with closing(sqlite3.connect(site.database)) as db:
        return {
            last
            for (last,) in db.execute("SELECT last_seq FROM sent JOIN batch_sig USING (last_seq)")
        }


def test_the_word_on_the_last_entry_is_kept_at_once(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 30)
    for seq in range(1, 32):
        ledger.accept_ack(site.ack(ledger, seq))
        assert ledger.watermark == seq, "known at once, whatever the file says"
    assert kept(site) == 31


def test_an_error_and_a_newer_epoch_are_kept_at_once(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 30)
    ledger.accept_ack(site.ack(ledger, 5))
    ledger.accept_ack(site.ack(ledger, 9, error=AckError("gap", 10)))
    assert kept(site) == 9
    ledger.accept_ack(site.ack(ledger, 4, epoch=2))
    assert kept(site) == 4


def test_what_waits_is_kept_at_the_end(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 30)
    for seq in (5, 9, 12):
        ledger.batch(seq - 1, 1)
        ledger.accept_ack(site.ack(ledger, seq))
    ledger.close()
    assert kept(site) == 12
    assert {5, 9, 12} <= signed(site)


def test_a_contradiction_finds_the_last_word_that_counted(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 30)
    ledger.accept_ack(site.ack(ledger, 5))
    ledger.accept_ack(site.ack(ledger, 9))
    assert ledger.accept_ack(site.ack(ledger, 50, head=b"x" * 32)).restart
    (own,) = site.folder.glob("ack*own*")
    assert decode_ack(own.read_bytes())[0].seq == 9


def test_signatures_that_left_go_with_the_next_entrys_commit(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 10)
    for after in range(5):
        ledger.batch(after, 1)
    ledger.batch(0)  # and with it the head's own, which the next append would take away
    head = ledger.head[0]
    ledger.append([weighing(1_000, 1_100)])
    assert signed(site) == {1, 2, 3, 4, 5, head}


def test_no_more_wait_than_may(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, MOST + 10)
    for after in range(MOST):
        ledger.batch(after, 1)
    assert len(signed(site)) >= MOST


def test_a_drain_that_a_power_cut_ends_begins_a_little_earlier(site: Site) -> None:
    """The file is behind what was known; the city's word comes again and counts, the ledger verifies."""
    drained = subprocess.run(
        [sys.executable, "-c", DRAINS, site.folder], env={"PYTHONPATH": str(Path(__file__).parent)}
    )
    assert drained.returncode == -9
    ledger = site.open()
    assert ledger.turn_over is None
    assert 1 <= ledger.watermark <= 39
    assert ledger.accept_ack(site.ack(ledger, 39)).watermark == 39
    ledger.batch(39)
    ledger.close()
    assert not verify(site.folder, station_key=site.signer.public_key).findings

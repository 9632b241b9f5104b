"""Kills at random between the ledger and the city's table: nothing lost, nothing twice.

``KIOSK_SEARCH_SIZE`` multiplies the kills; 100 makes the thousand. A long run with its own options is
``hw-sim chaos --kills 1000``.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hw_sim.chaos.books import compare
from hw_sim.chaos.plan import KINDS, RECEIVERS, plan
from hw_sim.chaos.run import Wish, run
from hw_sim.postgres import NoPostgres, programs

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
KILLS = 10 * SIZE


def has_postgres() -> bool:
    try:
        programs()
    except NoPostgres:
        return False
    return True


def test_whatever_is_killed_the_city_holds_what_the_ledger_holds() -> None:
    """PostgreSQL where there is one, else SQLite."""
    result = run(Wish(KILLS, seed=SIZE, each_s=0.25, postgres=has_postgres()))
    assert result.findings == []
    assert result.kills.total() == KILLS
    assert min(result.kills[kind] for kind in KINDS) >= KILLS // 5
    assert result.compared.entries > KILLS
    assert result.compared.promised > 0


@pytest.mark.parametrize("kills", [1, 7, 20, 1000])
def test_each_kind_has_its_share_of_the_kills_and_both_receivers_die(kills: int) -> None:
    planned = plan(kills, 0.9, Random(kills))
    kinds = Counter("receivers" if k.victim in RECEIVERS else k.victim for k in planned)
    assert kinds.total() == kills
    assert min(kinds[kind] for kind in KINDS) >= kills // 5
    if kills == 1000:
        assert set(RECEIVERS) < {kill.victim for kill in planned}


def test_two_ends_that_differ_are_told_apart(tmp_path: Path) -> None:
    """A row changed, a row missing, a seal too many, a commit that is not there, something parked."""
    station, city, committed = tmp_path / "ledger.db", tmp_path / "city.db", tmp_path / "committed"
    genesis = '{"ledger":"a1"}'
    rows = [(1, genesis, b"d", b"h1"), (2, "{}", b"d", b"h2"), (3, "{}", b"d", b"h3")]
    with closing(sqlite3.connect(station)) as db:
        db.execute("CREATE TABLE ledger (seq, body, digest, hash)")
        db.execute("CREATE TABLE seal (seq, salt, pseudonym)")
        db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", rows)
        db.commit()
    with closing(sqlite3.connect(city)) as db:
        db.execute("CREATE TABLE entry (ledger, seq, body, digest, hash)")
        db.execute("CREATE TABLE seal (ledger, seq, salt, pseudonym)")
        db.execute("CREATE TABLE parked (ledger)")
        db.execute("CREATE TABLE quarantine (ledger)")
        db.executemany("INSERT INTO entry VALUES ('a1', ?, ?, ?, ?)", rows)
        db.commit()
    committed.write_text("".join(f"{seq} {entry_hash.hex()}\n" for seq, _, _, entry_hash in rows))
    url = f"sqlite:///{city}"
    same = compare([station], url, committed)
    assert (same.entries, same.promised, same.findings) == (3, 3, [])
    with closing(sqlite3.connect(city)) as db:
        db.execute("UPDATE entry SET body = '{ }' WHERE seq = 2")
        db.execute("DELETE FROM entry WHERE seq = 3")
        db.execute(
            "INSERT INTO entry SELECT 'b2', seq, body, digest, hash FROM entry WHERE seq = 1"
        )
        db.execute("INSERT INTO seal VALUES ('a1', 2, x'00', x'01')")
        db.execute("INSERT INTO parked VALUES ('a1')")
        db.commit()
    committed.write_text("4 00\n")
    codes = Counter(finding.code for finding in compare([station], url, committed).findings)
    assert codes == {
        "entry_differs": 2,
        "seal_differs": 1,
        "stray_ledger": 1,
        "parked": 1,
        "committed_lost": 1,
    }

"""The ledger's length costs nothing: the same questions to a short and to a long one, their work counted.

Counted are SQLite's own steps (its virtual machine's instructions), not time;
``tests/benchmarks/big_ledger.py`` measures time with ten million entries.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledger_site import DAY_MS, Site, checkin, weighing

from kiosk.ledger import Ledger

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from filled_ledger import fill

SHORT, LONG = 9 * 502, 123 * 502
"""Entries: the short one is longer than the tail that a start reads anew, and both end with a
day's first visit (a start reads what cards have earned on the last day)."""
STEPS_AT_ONCE = 10
SLACK = 300
"""Steps: one more level of a tree here and there."""


class Counted:
    """Every connection that is made counts its steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._steps = 0
        connect = sqlite3.connect

        def counting(*args: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*args, **options)
            connection.set_progress_handler(self._step, STEPS_AT_ONCE)
            return connection

        monkeypatch.setattr(sqlite3, "connect", counting)

    def _step(self) -> int:
        self._steps += STEPS_AT_ONCE
        return 0

    def of(self, work: Callable[[], Any]) -> int:
        before = self._steps
        work()
        return self._steps - before


def questions(site: Site, counted: Counted) -> dict[str, int]:
    """Steps of a start, an append, the state, batches, and a day's end."""
    opened: list[Ledger] = []
    steps = {"start": counted.of(lambda: opened.append(site.open()))}
    (ledger,) = opened
    gross_g = next(book.gross_g for book in ledger.memory().books if book.bin == "b1")
    assert gross_g is not None
    visit = [checkin(b"A", visit="v-now"), weighing(gross_g, gross_g + 500, visit="v-now")]
    steps["append"] = counted.of(lambda: ledger.append(visit))
    steps["state"] = counted.of(lambda: ledger.progress)
    steps["ack"] = counted.of(lambda: ledger.accept_ack(site.ack(ledger, ledger.head[0] - 1_000)))
    steps["first_batch"] = counted.of(lambda: ledger.batch(0, 100))
    steps["batch"] = counted.of(lambda: ledger.batch(ledger.watermark, 100))
    steps["forget"] = counted.of(lambda: ledger.forget_due(100 * 366))
    ledger.close()
    return steps


def forgotten(site: Site) -> None:
    """Every second seal was forgotten long ago, and the city knows."""
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("INSERT INTO unseal SELECT seq, (seq / 1000 + 1) * 1000 FROM seal WHERE seq % 2")
        for table in ("seal", "held_seal"):
            db.execute(f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM unseal)")


def test_a_long_ledger_is_no_more_work_than_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = []
    for entries in (SHORT, LONG):
        site = Site(tmp_path / str(entries))
        site.folder.mkdir()
        fill(site, entries)
        forgotten(site)
        site.clock.utc_ms += (entries // 100) * DAY_MS  # (the check-in's day is not the seals')
        sites.append(site)
    counted = Counted(monkeypatch)
    short, long = (questions(site, counted) for site in sites)
    for what, steps in long.items():
        assert steps <= 1.1 * short[what] + SLACK, (what, short, long)

"""What happens in the demo, one plain line each: what people do, and what has reached the city."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

POLL_S = 0.5
MAX_ENTRIES = 500
"""Told in one look; the rest comes with the next."""

Say = Callable[[str], None]


def of_world(event: Mapping[str, Any]) -> str | None:
    """A line for what the world tells; None for what is no news."""
    who = event.get("card") or "somebody without a card"
    where = f"{event.get('bin')} ({event['item']})" if "item" in event else event.get("bin")
    match event["what"]:
        case "comes" if event["card"] is None:
            return "somebody comes without a card"
        case "comes":
            return f"{who} comes and shows a card ({event['by']})"
        case "not_greeted":
            return f"{who} was not greeted and shows the card again"
        case "station_was_dead":
            return f"{who} saw the station die and shows the card again"
        case "wrongly_greeted":
            return f"{who} was greeted although the card is no good"
        case "drop":
            return f"{who} drops {event['grams']} g into {where}"
        case "taken_out":
            return f"{who} takes {-event['grams']} g out of {where}"
        case "knock":
            return f"somebody knocks against {where}"
        case "swap":
            return f"a caretaker changes the bag of {where} ({-event['grams']} g)"
        case "leaves" if not event["served"]:
            return f"{who} leaves"
    return None


def of_entry(body: Mapping[str, Any]) -> str | None:
    """A line for a ledger entry that the city has; None for housekeeping."""
    whose = f" of {body['visit']}" if body.get("visit") else ""
    match body["kind"]:
        case "weighing":
            return f"{body['net_g']:+} g {body['item']}{whose}, {body['points']} points"
        case "unattributed":
            return f"{_change(body['net_g'])} {body['item']}, nobody's ({body['cause']})"
        case "bag_swap":
            held = "" if body["net_g"] is None else f" with {body['net_g']} g"
            return f"bag {body['bag']} of {body['bin']}{held} changed"
        case "item_count":
            many = f"{body['ml']} ml" if body["count"] is None else f"{body['count']} ×"
            return f"{many} {body['item']}{whose}"
        case "checkin":
            return f"check-in by {body['by']}{whose}"
    return None


def _change(net_g: int | None) -> str:
    return "unweighed" if net_g is None else f"{net_g:+} g"


class CityWatch:
    """Tells what the city has stored, soon after it has; reads the database and nothing else."""

    def __init__(self, database: Path, say: Say) -> None:
        self._uri = f"{database.resolve().as_uri()}?mode=ro"
        self._say = say
        self._told = self._newest()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="city-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Idempotent; what came last is told first."""
        self._stop.set()
        self._thread.join(4 * POLL_S)

    def _run(self) -> None:
        while not self._stop.wait(POLL_S):
            self._look()

    def _newest(self) -> int:
        """What an earlier run left is not told again."""
        newest: int = self._rows("SELECT coalesce(max(rowid), 0) FROM entry")[0][0]
        return newest

    def _look(self) -> None:
        query = "SELECT rowid, seq, body FROM entry WHERE rowid > ? ORDER BY rowid LIMIT ?"
        try:
            rows = self._rows(query, self._told, MAX_ENTRIES)
        except sqlite3.OperationalError:
            return  # locked, or its receiver was killed just now: the next look has it
        for rowid, seq, body in rows:
            self._told = rowid
            line = of_entry(msgspec.json.decode(body))
            if line is not None:
                self._say(f"          city has {seq:>4}: {line}")

    def _rows(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._uri, uri=True, timeout=POLL_S)) as db:
            return db.execute(query, values).fetchall()


def stamped(line: str) -> str:
    return f"{time.strftime('%H:%M:%S')}  {line}"

"""The machine's limit: the same rows over the same broker into the same columns, and nothing checked."""

from __future__ import annotations

import json
import queue
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

if TYPE_CHECKING:
    from drain_city import City

AT_ONCE = 370
"""Rows in a message: what fits 128 KiB."""
MESSAGES_AT_ONCE = 16
TOPIC = "raw/rows"


def raw(city: City, database: Path) -> dict[str, Any]:
    """Rows a second from a sender's start to the last commit."""
    city.stop_receivers()
    target = city.url.replace("postgresql+psycopg", "postgresql").removeprefix("sqlite:///")
    receiver = subprocess.Popen(
        [sys.executable, __file__, "receive", str(city.broker.port), target],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert receiver.stdout is not None
    assert receiver.stdout.readline().strip() == "ready"
    with closing(sqlite3.connect(database)) as db:
        (count,) = db.execute("SELECT max(seq) FROM ledger").fetchone()
    began_s = time.monotonic()
    sender = subprocess.Popen(
        [sys.executable, __file__, "send", str(city.broker.port), str(database), str(count)]
    )
    while int(receiver.stdout.readline()) < count:
        pass
    took_s = time.monotonic() - began_s
    sender.wait()
    receiver.kill()
    receiver.wait()
    return {"entries": count, "seconds": round(took_s, 2), "entries_per_s": round(count / took_s)}


def _client(port: int) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def send(port: int, database: str, count: int) -> None:
    client = _client(port)
    waiting: list[paho.MQTTMessageInfo] = []
    with closing(sqlite3.connect(database)) as db:
        for first in range(1, count + 1, AT_ONCE):
            rows = db.execute(
                "SELECT seq, body, hex(digest), hex(hash) FROM ledger WHERE seq >= ? AND seq < ?",
                (first, first + AT_ONCE),
            ).fetchall()
            waiting.append(client.publish(TOPIC, json.dumps(rows), qos=1))
            while len(waiting) >= MESSAGES_AT_ONCE:
                waiting.pop(0).wait_for_publish(60)
    for each in waiting:
        each.wait_for_publish(60)
    client.disconnect()


def receive(port: int, target: str) -> None:
    inbox: queue.Queue[bytes] = queue.Queue(64)
    store = _copy(target) if target.startswith("postgresql") else _insert(target)
    client = _client(port)
    client.on_message = lambda _client, _data, message: inbox.put(message.payload)
    client.on_subscribe = lambda *_: say("ready")
    client.subscribe(TOPIC, qos=1)
    stored = 0
    while True:
        payloads = [inbox.get()]
        while len(payloads) < MESSAGES_AT_ONCE and not inbox.empty():
            payloads.append(inbox.get())
        rows = [
            ("raw", seq, "hall-1", None, body, bytes.fromhex(digest), bytes.fromhex(own))
            for payload in payloads
            for seq, body, digest, own in json.loads(payload)
        ]
        store(rows)
        stored += len(rows)
        say(stored)


_COLUMNS = (
    "ledger TEXT, seq BIGINT, station TEXT, kind TEXT, body TEXT, digest {0}, hash {0},"
    " PRIMARY KEY (ledger, seq)"
)


def _copy(url: str) -> Any:
    db = psycopg.connect(url)
    db.execute(f"CREATE TABLE raw_entry ({_COLUMNS.format('BYTEA')})")
    db.commit()

    def store(rows: list[tuple[Any, ...]]) -> None:
        with db.cursor().copy("COPY raw_entry FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        db.commit()

    return store


def _insert(path: str) -> Any:
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(f"CREATE TABLE raw_entry ({_COLUMNS.format('BLOB')})")

    def store(rows: list[tuple[Any, ...]]) -> None:
        with db:
            db.executemany("INSERT INTO raw_entry VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    return store


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        receive(int(sys.argv[2]), sys.argv[3])

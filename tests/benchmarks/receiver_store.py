"""Storing prepared signed batches in the city's database, from the message's bytes to the commit.

    python tests/benchmarks/receiver_store.py [--entries N] [--at-once N]

One station's weighings, and a bag change for each 65, in compressed batches as its uplink sends them; the
receiver's ``take`` inflates, checks canonical form, chain and signature, stores entries and projections,
and commits; into SQLite and into a real PostgreSQL (its own server). Beside each, in the same run, the
machine's limit: the same entries, ready made, into a table like ``entry`` with nothing else, COPY
(PostgreSQL) or ``executemany`` (SQLite), with as many commits. ``us`` are of processor time for one entry,
of the receiver and of the database's own processes; entries/s are of the clock, on a machine that may be
doing other work.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "sync"))

import psycopg
import sqlalchemy as sa
from hw_sim.postgres import NoPostgres, Postgres
from sync_site import CITY, STATION, STATION_KEY, TOPIC, Book, weighing_fields

from sync.messages import CONTENT_ZLIB, decode_batch, deflate
from sync.receiver import copying
from sync.receiver.arriving import Delivery
from sync.receiver.database import opened
from sync.receiver.registry import add_station
from sync.receiver.store import take

PER_BATCH = 330
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    wall_s: float
    own_s: float
    database_s: float


def deliveries(entries: int) -> list[Delivery]:
    """A ledger's batches, ready to arrive."""
    chance, book, gross_g = random.Random(5), Book(), 0
    while book.head < entries:
        if gross_g > 30_000:
            book.add(
                "bag_swap", bin="b1", item="pet-bottle", bag="bag-1", new_bag="bag-2", net_g=gross_g,
                gross_before_g=gross_g, gross_after_g=0,
            )  # fmt: skip
            gross_g = 0
            continue
        net_g = chance.randint(30, 900)
        visit = f"{chance.getrandbits(48):012x}"
        book.add("weighing", **weighing_fields(gross_g, gross_g + net_g) | {"visit": visit})
        gross_g += net_g
    made = []
    for after in range(0, entries, PER_BATCH):
        kind, payload = deflate(book.batch(after, min(after + PER_BATCH, entries)))
        assert kind == CONTENT_ZLIB
        made.append(Delivery(TOPIC, payload, kind))
    return made


def groups(made: list[Any], at_once: int) -> Iterator[list[Any]]:
    return (made[start : start + at_once] for start in range(0, len(made), at_once))


def measure(name: str, work: Callable[[], None], database_s: Callable[[], float]) -> Measured:
    wall_s, own_s, other_s = time.perf_counter(), time.process_time(), database_s()
    work()
    return Measured(
        name,
        time.perf_counter() - wall_s,
        time.process_time() - own_s,
        database_s() - other_s,
    )


def receiver(engine: sa.Engine, made: list[Delivery], at_once: int) -> Callable[[], None]:
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)

    def work() -> None:
        for some in groups(made, at_once):
            outcome = take(engine, some, time.time_ns() // 1_000_000)
            assert not outcome.refusals
            assert outcome.answers[0].ack.error is None

    return work


def copy_loop(server: Postgres, packed: list[bytes]) -> Callable[[], None]:
    def work() -> None:
        with psycopg.connect(host=str(server.folder), user="city", dbname="raw") as raw:
            raw.execute(
                "CREATE TABLE entry (ledger TEXT, seq BIGINT, station TEXT, kind TEXT, body TEXT,"
                " digest BYTEA, hash BYTEA, PRIMARY KEY (ledger, seq))"
            )
            for data in packed:
                with (
                    raw.cursor() as cursor,
                    cursor.copy("COPY entry FROM STDIN (FORMAT BINARY)") as copy,
                ):
                    copy.write(data)
                raw.commit()

    return work


def insert_loop(file: Path, rows: list[list[tuple[Any, ...]]]) -> Callable[[], None]:
    def work() -> None:
        raw = sqlite3.connect(file, isolation_level=None)
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute(
            "CREATE TABLE entry (ledger TEXT, seq BIGINT, station TEXT, kind TEXT, body TEXT,"
            " digest BLOB, hash BLOB, PRIMARY KEY (ledger, seq))"
        )
        for some in rows:
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", some)
            raw.execute("COMMIT")
        raw.close()

    return work


def plain(made: list[Delivery], at_once: int) -> Iterator[list[Any]]:
    """The batches of each transaction, decoded."""
    for some in groups(made, at_once):
        yield [decode_batch(zlib.decompress(each.payload)) for each in some]


def server_s(server: Postgres) -> Callable[[], float]:
    """Processor time of the server and of all that it started, those that ended as well."""

    def spent() -> float:
        ticks = 0
        for pid in server.pids():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:  # it has just ended; the server has its time
                continue
            ticks += int(fields[11]) + int(fields[12])
            if pid == server.pids()[0]:
                ticks += int(fields[13]) + int(fields[14])
        return ticks / TICKS

    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=99_000, help="a multiple of 330")
    parser.add_argument("--at-once", type=int, default=16, help="batches in one transaction")
    asked = parser.parse_args()
    made = deliveries(asked.entries)
    size = sum(len(each.payload) for each in made) / asked.entries
    say(f"{asked.entries} entries in {len(made)} batches, {size:.1f} bytes each on the wire")
    with tempfile.TemporaryDirectory() as name:
        in_sqlite(Path(name), made, asked.at_once)
    try:
        server = Postgres()
    except NoPostgres as error:
        say(str(error))
        return
    try:
        in_postgres(server, made, asked.at_once)
    finally:
        server.close()


def in_sqlite(folder: Path, made: list[Delivery], at_once: int) -> None:
    rows = [
        [
            (batch.ledger, seq, STATION, *columns)
            for batch in some
            for seq, columns in enumerate(
                zip(
                    batch.kinds, [str(body, "utf-8") for body in batch.bodies], batch.digests,
                    batch.hashes, strict=True,
                ),
                batch.first,
            )
        ]
        for some in plain(made, at_once)
    ]  # fmt: skip
    with opened(f"sqlite:///{folder / 'city.db'}") as engine:
        ours = measure("SQLite", receiver(engine, made, at_once), lambda: 0.0)
    show(
        ours,
        measure("executemany", insert_loop(folder / "raw.db", rows), lambda: 0.0),
        len(made) * PER_BATCH,
    )


def in_postgres(server: Postgres, made: list[Delivery], at_once: int) -> None:
    server.create("raw")
    packed = [
        b"".join(
            [copying.HEADER]
            + [piece for batch in some for piece in copying.pack_entries(STATION, batch, 0)]
            + [copying.END]
        )
        for some in plain(made, at_once)
    ]
    spent = server_s(server)
    with opened(server.url()) as engine:
        ours = measure("PostgreSQL", receiver(engine, made, at_once), spent)
    limit = measure("COPY", copy_loop(server, packed), spent)
    show(ours, limit, len(made) * PER_BATCH)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(ours: Measured, limit: Measured, entries: int) -> None:
    for each in (ours, limit):
        say(
            f"{each.name:12} {entries / each.wall_s:10,.0f} entries/s"
            f"  receiver {each.own_s / entries * 1e6:6.2f} us"
            f"  database {each.database_s / entries * 1e6:6.2f} us"
        )
    spent = [each.own_s + each.database_s for each in (ours, limit)]
    say(
        f"{'':12} {ours.name} takes {ours.wall_s / limit.wall_s:.2f} times as long as {limit.name},"
        f" and {spent[0] / spent[1]:.2f} times the processor"
    )


if __name__ == "__main__":
    main()

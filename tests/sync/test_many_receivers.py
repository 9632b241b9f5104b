"""Several receivers on one database: in any order, at the same time, and while it is away."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_site import Listener, Mosquitto, Program, eventually, receiver
from hw_sim.postgres import Postgres
from sync_site import CITY, Book

from sync.ending import Ending
from sync.messages import Ack, decode_ack
from sync.receiver.arriving import Delivery
from sync.receiver.database import open_database, opened
from sync.receiver.patience import Patience
from sync.receiver.registry import add_station
from sync.receiver.store import take
from sync.receiver.verify import verify_all
from sync.signing import Signer

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
STATIONS = {f"hall-{n}": Signer(b"key-of-station-%d-of-tests-32byte" % n) for n in range(1, 4)}


def topic(station: str) -> str:
    return f"kiosk/v1/{CITY}/{station}/ledger"


def written(station: str, number: int, entries: int) -> Book:
    book = Book(ledger=f"{number:032x}", signer=STATIONS[station], station=station)
    for _ in range(entries // 4):
        book.check_in(b"p")
        book.weigh(2)
        book.add("visit_close", visit="v1", reason="idle")
    return book


def cut(book: Book, chosen: random.Random, after: int = 0) -> list[Delivery]:
    """Batches of a ledger, as an uplink cuts them."""
    made = []
    while after < book.head:
        last = min(book.head, after + chosen.randint(1, 6))
        made.append(Delivery(topic(book.station), book.batch(after, last)))
        after = last
    return made


def register(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for station, signer in STATIONS.items():
            add_station(connection, CITY, station, signer.public_key)


def as_written(engine: sa.Engine, books: list[Book]) -> None:
    """Each ledger as its station has it, once; nothing waits, nothing is set aside."""
    with engine.connect() as connection:
        found = {each.ledger: each for each in verify_all(connection)}
        for book in books:
            one = found[book.ledger]
            assert (one.entries, one.head, one.faults) == (book.head, book.hashes[-1], ())
        for table in ("parked", "quarantine"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize("seed", range(SIZE))
def test_receivers_that_get_batches_in_any_order_at_once_store_what_the_stations_wrote(
    city_url: str, seed: int
) -> None:
    """Three receivers; a ledger that continues another one; everything comes twice."""
    chosen = random.Random(seed)
    books = [written(station, number, 60) for number, station in enumerate(STATIONS, 1)]
    point = {"ledger": books[0].ledger, "seq": 61, "head": books[0].hashes[61].hex()}
    books.append(Book("f" * 32, books[0].signer, books[0].station, continues=point))
    books[-1].weigh(20)
    hands: list[list[Delivery]] = [[], [], []]
    for delivery in [each for book in books for each in cut(book, chosen) * 2]:
        chosen.choice(hands).append(delivery)
    with opened(city_url) as engine:
        register(engine)
    answers: list[Ack] = []

    def receive(mine: list[Delivery], order: random.Random) -> None:
        order.shuffle(mine)
        patience = Patience(Ending(), lambda: None)
        with opened(city_url) as engine:
            while mine:
                some = [mine.pop() for _ in range(min(len(mine), order.randint(1, 9)))]
                outcome = patience.done(lambda some=some: take(engine, some, 0))  # type: ignore[misc]
                answers.extend(answer.ack for answer in outcome.answers)

    threads = [
        threading.Thread(target=receive, args=(hand, random.Random(f"{seed}/{n}")))
        for n, hand in enumerate(hands)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert {answer.error for answer in answers} == {None}
    with opened(city_url) as engine:
        as_written(engine, books)
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'city'"
                assert connection.scalar(sa.text(deadlocks)) == 0


def test_two_continuations_of_one_point_at_once_are_one_and_a_fork(city_url: str) -> None:
    older = written("hall-1", 1, 8)
    point = {"ledger": "e" * 32, "seq": 4, "head": "ab" * 32}  # which the city never had
    twins = [Book(n * 32, older.signer, "hall-1", continues=point) for n in "ab"]
    with opened(city_url) as engine:
        register(engine)
    together = threading.Barrier(2)
    errors: list[str | None] = []

    def receive(twin: Book) -> None:
        with opened(city_url) as engine:
            together.wait(60)
            patience = Patience(Ending(), lambda: None)
            outcome = patience.done(
                lambda: take(engine, [Delivery(topic("hall-1"), twin.batch(0))], 0)
            )
            errors.extend(
                answer.ack.error.code if answer.ack.error else None for answer in outcome.answers
            )

    threads = [threading.Thread(target=receive, args=(twin,)) for twin in twins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(errors, key=str) == [None, "fork"]


class Town:
    """A broker, a database and receivers, all real; the stations are the test's."""

    def __init__(self, folder: Path, broker: Mosquitto, url: str) -> None:
        self.url = url
        self._folder = folder
        self._port = broker.port
        self.listener = Listener(broker.port)
        self.engine = open_database(url)
        register(self.engine)
        self.programs: list[Program] = []

    def receiver(self) -> Program:
        log = self._folder / f"receiver-{len(self.programs)}.log"
        key = self._folder / "city.key"
        self.programs.append(receiver(log, self.url, self._port, key=key))
        return self.programs[-1]

    def send(self, deliveries: list[Delivery]) -> None:
        for each in deliveries:
            self.listener.publish(each.topic, each.payload)

    def acknowledged(self, book: Book) -> int:
        for heard in self.listener.on("ack"):
            if f"/{book.station}/" in heard.topic:
                book.watermark = max(book.watermark, _seq(heard.payload, book.ledger))
        return book.watermark

    def close(self) -> None:
        for program in self.programs:
            program.kill()
        self.listener.close()
        self.engine.dispose()


def _seq(payload: bytes, ledger: str) -> int:
    ack, _ = decode_ack(payload)
    return ack.seq if ack.ledger == ledger else 0


@pytest.fixture
def town(tmp_path: Path, broker: Mosquitto, city_url: str) -> Iterator[Town]:
    town = Town(tmp_path, broker, city_url)
    yield town
    town.close()


def test_two_receivers_share_the_stations_and_one_of_them_dies(town: Town) -> None:
    """What the dead one had comes again, as stations do: all is there, once."""
    chosen = random.Random(4)
    books = [written(station, number, 40) for number, station in enumerate(STATIONS, 1)]
    first = town.receiver()
    town.receiver()
    sent = [each for book in books for each in cut(book, chosen)]
    town.send(sent[: len(sent) // 2])
    first.kill()
    town.send(sent[len(sent) // 2 :])
    town.send(sent)
    eventually(
        lambda: all(town.acknowledged(book) == book.head for book in books), "all is acknowledged"
    )
    as_written(town.engine, books)


def test_a_database_that_is_killed_is_waited_for_and_what_came_meanwhile_is_stored(
    tmp_path: Path, broker: Mosquitto, postgres: Postgres
) -> None:
    """Nothing is sent again here: the receivers keep what the broker gave them, unacknowledged."""
    town = Town(tmp_path, broker, postgres.schema("killed"))
    try:
        chosen = random.Random(5)
        books = [written(station, number, 24) for number, station in enumerate(STATIONS, 1)]
        receivers = [town.receiver(), town.receiver()]
        sent = [each for book in books for each in cut(book, chosen)]
        town.send(sent[:5])
        eventually(lambda: _stored(town) > 0, "the first are stored")
        postgres.kill()
        try:
            town.send(sent[5:])
            eventually(
                lambda: all(each.has_said("database is away") for each in receivers), "it is told"
            )
        finally:
            postgres.start()
        town.engine.dispose()  # the test's own connections are dead as well
        eventually(
            lambda: all(town.acknowledged(book) == book.head for book in books), "all is there"
        )
        as_written(town.engine, books)
        eventually(lambda: all(each.has_said("is back after") for each in receivers), "healed")
        # Once; twice where a connection that had died with it was asked after the first answer.
        assert all(each.times_said("is away") <= 2 for each in receivers)
    finally:
        town.close()


def _stored(town: Town) -> int:
    with town.engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM entry")) or 0)


def test_what_the_database_does_not_take_is_set_aside_and_told_and_the_others_go_on(
    town: Town,
) -> None:
    """Somebody wrote into the city's table where the station's next entry belongs."""
    odd, good = written("hall-1", 1, 8), written("hall-2", 2, 8)
    with town.engine.begin() as connection:
        row = {"ledger": odd.ledger, "hash": b"x" * 32, "digest": b"x" * 32}
        statement = "INSERT INTO entry VALUES (:ledger, 3, 'hall-1', 'boot', '{}', :digest, :hash)"
        connection.execute(sa.text(statement), row)
    receiving = town.receiver()
    town.send([Delivery(topic(each.station), each.batch(0)) for each in (odd, good)])
    eventually(lambda: town.acknowledged(good) == good.head, "the other station is acknowledged")
    eventually(lambda: _told(town, odd) == ("unstorable", 1), "the station hears it")
    with town.engine.connect() as connection:
        query = "SELECT ledger, reason FROM quarantine"
        assert [tuple(row) for row in connection.execute(sa.text(query))] == [
            (odd.ledger, "unstorable")
        ]
        assert connection.scalar(sa.text("SELECT body FROM entry WHERE hash = digest")) == "{}"
    assert receiving.has_said("cannot be stored")


def _told(town: Town, book: Book) -> tuple[str, int] | None:
    for heard in town.listener.on("ack"):
        ack, _ = decode_ack(heard.payload)
        if ack.ledger == book.ledger and ack.error is not None:
            return ack.error.code, ack.error.seq
    return None

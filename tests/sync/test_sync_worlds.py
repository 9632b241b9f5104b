"""Seeded worlds: the uplink's rules, a lossy broker, two receivers, and kills, in virtual time.

The rules and the receiver's decisions are the product's; link and broker are the worst that their
contracts allow: delays, reordering between receivers, duplicates, everything in flight lost.
``KIOSK_SEARCH_SIZE`` multiplies the worlds.
"""

from __future__ import annotations

import heapq
import itertools
import os
import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sync_site import CITY_KEY, TOPIC, Book

from sync.messages import encode_ack
from sync.receiver.arriving import Delivery
from sync.receiver.reminders import Answer, remind
from sync.receiver.store import take
from sync.uplink import Uplink
from sync.uplink_events import (
    AckArrived,
    AckJudged,
    Action,
    BatchFetched,
    Connect,
    Disconnect,
    Event,
    Fetch,
    Judge,
    LedgerMoved,
    LinkDown,
    LinkUp,
    NothingFetched,
    Puback,
    Publish,
    StationDown,
    StationUp,
    Tick,
)

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
TROUBLE_MS = 120_000
"""How long things go wrong; afterwards the world is only slow."""
END_MS = 30 * 60_000
ENTRIES = 150


class World:
    """One station, one city."""

    def __init__(self, seed: int, city: sa.Engine) -> None:
        self.random = random.Random(seed)
        self.city = city
        self.book = Book()
        self.now_ms = 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.connection = 0  # rises with each connection: late messages of an old one are lost
        self.station_up = True
        self.retained: bytes | None = None
        self.kills = 0
        self.uplink = Uplink(self.random.random)
        self.tell(StationUp(self.book.ledger, self.book.head, 0, 0))

    # --- time ---

    def after(self, low_ms: int, high_ms: int, do: Callable[[], None]) -> None:
        due_ms = self.now_ms + self.random.randint(low_ms, high_ms)
        heapq.heappush(self._queue, (due_ms, next(self._order), do))

    @property
    def troubled(self) -> bool:
        return self.now_ms < TROUBLE_MS

    def run(self) -> None:
        for n in range(ENTRIES - 1):
            self.after(0, TROUBLE_MS, self.drop if n % 3 else self.card)
        for trouble in (self.cut, self.kill_uplink, self.kill_station, self.silence) * 3:
            self.after(0, TROUBLE_MS, trouble)
        self.after(500, 500, self.tick)
        while self._queue and self.now_ms < END_MS:
            if self.book.head == self.book.watermark == ENTRIES and not self.troubled:
                return
            self.now_ms, _, do = heapq.heappop(self._queue)
            do()

    def tick(self) -> None:
        deadline_ms = self.uplink.deadline_ms
        if deadline_ms is not None and deadline_ms <= self.now_ms:
            self.tell(Tick())
        if self.now_ms % 1000 == 0:
            self.answer(remind(self.city, self.now_ms))
        self.after(500, 500, self.tick)

    # --- the station ---

    def drop(self) -> None:
        self.book.weigh()
        self.moved()

    def card(self) -> None:
        self.book.check_in(b"p")
        self.moved()

    def moved(self) -> None:
        if self.station_up:
            self.tell(LedgerMoved(self.book.head, self.book.watermark, self.book.epoch))

    def kill_station(self) -> None:
        self.kills += 1
        self.station_up = False
        self.tell(StationDown())
        self.after(100, 5000, self.start_station)

    def start_station(self) -> None:
        self.station_up = True
        book = self.book
        self.tell(StationUp(book.ledger, book.head, book.watermark, book.epoch))

    # --- the uplink ---

    def kill_uplink(self) -> None:
        self.kills += 1
        self.connection += 1
        self.uplink = Uplink(self.random.random)
        if self.station_up:
            self.start_station()

    def tell(self, event: Event) -> None:
        pending = [event]
        while pending:
            for action in self.uplink.handle(pending.pop(0), self.now_ms):
                outcome = self.carry_out(action)
                if outcome is not None:
                    pending.append(outcome)

    def carry_out(self, action: Action) -> Event | None:
        match action:
            case Connect():
                self.connection += 1
                number = self.connection
                if self.troubled and self.random.random() < 0.3:
                    self.later(number, lambda: self.tell(LinkDown("broker_unreachable", "")))
                else:
                    self.later(number, lambda: self.connected(number))
            case Disconnect():
                self.connection += 1
            case Fetch(after):
                if not self.station_up:
                    return StationDown()
                last = min(after + self.random.randint(1, 20), self.book.head)
                if last <= after:
                    return NothingFetched(after)
                return BatchFetched(after, last, self.book.batch(after, last))
            case Publish(_, payload):
                self.publish(payload)
            case Judge(payload):
                if not self.station_up:
                    return StationDown()
                ack = self.book.judge(payload)
                seq, epoch = self.book.watermark, self.book.epoch
                if ack is None:
                    return AckJudged(False, "old_seq", seq, epoch, None)
                return AckJudged(True, None, seq, epoch, ack.error)
        return None

    # --- the broker and the receivers ---

    def later(self, number: int, do: Callable[[], None]) -> None:
        """On this connection only."""
        self.after(1, 800, lambda: do() if number == self.connection else None)

    def connected(self, number: int) -> None:
        self.tell(LinkUp(self.random.choice([1, 3, 20])))
        if self.retained is not None:
            self.hear(number, self.retained)

    def cut(self) -> None:
        self.kills += 1
        self.connection += 1
        self.tell(LinkDown("connection_lost", ""))

    def silence(self) -> None:
        """All that is in flight is lost, PUBACKs too, and nobody is told."""
        self.connection += 1

    def publish(self, payload: bytes) -> None:
        number = self.connection
        self.later(number, lambda: self.tell(Puback()))
        for _ in range(1 + (self.random.random() < 0.1)):
            if not (self.troubled and self.random.random() < 0.15):
                self.after(1, 2000, lambda: self.receive(payload))

    def receive(self, payload: bytes) -> None:
        answers = take(self.city, [Delivery(TOPIC, payload)], self.now_ms).answers
        if self.troubled and self.random.random() < 0.1:
            self.kills += 1  # the receiver, after its commit and before its answer
            self.after(100, 3000, lambda: self.receive(payload))
            return
        self.answer(answers)

    def answer(self, answers: list[Answer]) -> None:
        for answer in answers:
            payload = encode_ack(answer.ack, CITY_KEY)
            self.retained = payload
            self.hear(self.connection, payload)

    def hear(self, number: int, payload: bytes) -> None:
        for _ in range(1 + (self.random.random() < 0.2)):
            if not (self.troubled and self.random.random() < 0.15):
                self.later(number, lambda: self.tell(AckArrived(payload)))


@pytest.mark.parametrize("seed", range(2 * SIZE))
def test_nothing_is_lost_and_nothing_twice_whatever_the_link_does(
    seed: int, city: sa.Engine
) -> None:
    world = World(seed, city)
    world.run()
    assert world.kills >= 9
    assert world.book.watermark == world.book.head == ENTRIES
    with city.connect() as connection:
        bodies = list(connection.scalars(sa.text("SELECT body FROM entry ORDER BY seq")))
        left = connection.scalars(
            sa.text("SELECT (SELECT count(*) FROM parked) + (SELECT count(*) FROM quarantine)")
        ).one()
    assert [body.encode() for body in bodies] == [body for body, _ in world.book.rows]
    assert left == 0

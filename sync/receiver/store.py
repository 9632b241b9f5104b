"""The receiver's decisions, each inside one transaction of the city's database.

Invariant: ``entry`` holds, for every ledger, the seqs 1..watermark without a gap, each chained to
the one before and under a signature of the ledger's key; what is stored is never changed.

A batch proves itself (``sync.messages``). Then it *joins on* when its first entry is at most one
beyond the watermark and the hash before it is the stored one. What is stored already must be the
same (a repeat) or it is a *fork*: set aside, told, never written. A batch from further on is
*parked* until those between have come: shared subscriptions hand one station's batches to several
receivers in any order. The caller answers the broker only after the commit.

Hashes are chained, so one of them stands for all before it: a batch that has the stored hash at the
watermark has all the stored entries before, and they are not read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from kiosk.core import chain
from sync.messages import Ack, AckError, Batch, Malformed, batch_message, decode_batch
from sync.receiver import (
    balances,
    beside,
    books,
    closings,
    forgetting,
    healing,
    parking,
    timing,
    town_reports,
)
from sync.receiver.arriving import Delivery, Parcel, unpack
from sync.receiver.books import Book
from sync.receiver.continuity import (
    Fork,
    Refused,
    Whose,
    check_continuations,
    check_continues,
    find_fork,
    stored_hashes,
)
from sync.receiver.earnings import Booking
from sync.receiver.judging import check_batch, first_entry
from sync.receiver.making import Made, make
from sync.receiver.projections import genesis_of
from sync.receiver.quarantine import Aside, put_aside
from sync.receiver.refusals import Refusal, count
from sync.receiver.reminders import Answer
from sync.receiver.writing import Writer, loader
from sync.signing import verify

UNSTORABLE = "unstorable"
"""What a station hears where the city's database takes everything but its batch."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the stations are to be told, and what the city's people are."""

    answers: list[Answer]
    refusals: list[Refusal]
    balances: list[balances.Told]
    healed: list[healing.Healed] = field(default_factory=list)


def take(engine: sa.Engine, deliveries: Iterable[Delivery], now_ms: int) -> Outcome:
    """Store what these messages prove, in one transaction; at most one answer for each ledger."""
    made = loader(engine.dialect)
    return take_opened(engine, [unpack(each, made) for each in deliveries], now_ms)


def take_opened(engine: sa.Engine, parcels: Sequence[Parcel], now_ms: int) -> Outcome:
    """As ``take``, of messages that were opened before: on another thread, while the database worked."""
    with engine.begin() as connection:
        round_ = _Round(connection, parcels, now_ms)
        new = round_.new_ledgers()
        if not new:
            return round_.run()
    with engine.begin() as connection:
        books.register(connection, new, now_ms)
    with engine.begin() as connection:
        return _Round(connection, parcels, now_ms).run()


def set_aside(engine: sa.Engine, parcel: Parcel, code: str, now_ms: int) -> Outcome:
    """Store nothing of a message; its station is told, if it is a batch of its own."""
    with engine.begin() as connection:
        return _Round(connection, [parcel], now_ms).refuse_all(code)


class _Round:
    """One transaction's work. It holds its ledgers from the first moment on (``books``); rows that other
    rounds may touch for other ledgers wait for the end, where they are written in a fixed order."""

    def __init__(self, connection: sa.Connection, parcels: Sequence[Parcel], now_ms: int) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._parcels = parcels
        self._writer = Writer(connection)
        self._loader = loader(connection.dialect)
        self._books = books.hold(connection, _named(parcels))
        stations = {each.whose for each in parcels if each.whose}
        self._beside = beside.look(connection, self._books, stations)
        self._keys = self._beside.keys
        self._told: dict[tuple[Whose, str], AckError | None] = {}
        self._aside: list[Aside] = []
        self._closed: dict[str, list[bytes]] = defaultdict(list)
        self._booking = Booking(connection, self._beside.visits)
        self._said: dict[tuple[str, str], list[town_reports.Said]] = defaultdict(list)
        self._forgotten = forgetting.Forgotten(connection, self._beside.ahead)
        self._timed: set[str] = set()  # ledgers with new clock entries
        self._healed: list[healing.Healed] = []
        self._refusals: list[Refusal] = []
        self._asked: list[balances.Asked] = []

    def new_ledgers(self) -> dict[str, Whose]:
        """Ledgers that have no row yet and whose station has proved itself."""
        new: dict[str, Whose] = {}
        for each in self._parcels:
            batch, whose = each.batch, each.whose
            if batch is None or whose is None or batch.ledger in self._books:
                continue
            try:
                check_batch(whose, batch, None, self._keys[whose])
            except Refused:
                continue
            if batch.first == 1 or books.may_begin_later(self._connection, whose):
                new.setdefault(batch.ledger, whose)
        return new

    def run(self) -> Outcome:
        """Everything; nothing that a message may hold raises."""
        for parcel in _in_order(self._parcels):
            self._take(parcel)
        answers = self._answers()
        self._finish()
        told = balances.tell(self._connection, self._asked, self._now_ms)
        return Outcome(answers, self._refusals, told, self._healed)

    def refuse_all(self, code: str) -> Outcome:
        """Nothing; each message is put aside with ``code``."""
        for each in self._parcels:
            if each.batch is not None and each.whose is not None:
                refused = Refused(code, each.batch.first)
                self._refuse_batch(each.delivery, each.whose, each.batch, refused)
            else:
                self._aside.append(Aside(each.delivery, code))
        answers = self._answers()
        self._finish()
        return Outcome(answers, self._refusals, [])

    def _take(self, parcel: Parcel) -> None:
        whose, batch = parcel.whose, parcel.batch
        if whose is None:
            self._aside.append(Aside(parcel.delivery, "topic"))
        elif parcel.malformed is not None:
            self._aside.append(Aside(parcel.delivery, parcel.malformed.code))
            self._malformed(whose, parcel.malformed)
        elif batch is not None:
            try:
                self._take_batch(whose, batch, parcel)
            except (Refused, Fork) as problem:
                self._refuse_batch(parcel.delivery, whose, batch, problem)

    def _take_batch(self, whose: Whose, batch: Batch, parcel: Parcel) -> None:
        book = self._books.get(batch.ledger)
        other = book is not None and book.whose != whose
        if book is not None and other and (book.key is not None or batch.first > 1):
            raise Refused("other_station", batch.first)
        # Of another station and only parked so far: the genesis says whose it is.
        known = book.key if book is not None and not other else None
        check_batch(whose, batch, known, self._keys[whose])
        if book is None:
            return  # too many ledgers of this station wait for their beginning
        if other:
            parking.empty(self._connection, book)
            book.whose = whose
            book.changed |= {"city": whose.city, "station": whose.station}
        if batch.first > book.watermark + 1:
            if book.fork_seq is not None and book.key is None:
                raise Fork(book.fork_seq)  # its genesis was refused: nothing ever joins on
            parking.park(self._connection, book, batch, parcel.plain, self._now_ms)
            return
        self._join(book, batch, parcel.made)
        self._told.setdefault((whose, batch.ledger), None)
        self._unpark(book)

    def _join(self, book: Book, batch: Batch, made: Made | None = None) -> None:
        """Store what is new in a batch that begins at most one beyond the watermark."""
        if batch.last < book.watermark:
            self._writer.flush()
            same = batch.hashes[-1] == stored_hashes(
                self._connection, book.name, batch.last, batch.last
            ).get(batch.last)
        else:
            known = book.watermark - batch.first
            same = book.head == (batch.hashes[known] if known >= 0 else batch.prev)
        if not same:
            self._writer.flush()
            raise find_fork(self._connection, batch, book.watermark)
        check_continuations(book.continuations, batch)
        if batch.first == 1 and book.key is None:
            self._begin(book, batch)
        if batch.unseals is not None:
            self._forgotten.add(book, batch.unseals.seqs)
        if book.lacking and batch.first <= book.watermark:
            self._heal(book, batch)
        if batch.last > book.watermark:
            self._store(book, batch, made)

    def _begin(self, book: Book, batch: Batch) -> None:
        genesis = first_entry(batch)
        point = genesis.continues
        if point is not None:
            self._writer.flush()
            check_continues(self._connection, book.whose, book.name, point)
            head = bytes.fromhex(point.head)
            older = self._books.get(point.ledger)
            if older is not None:
                older.continuations.append((point.seq, head))
            book.changed |= {
                "continues_ledger": point.ledger,
                "continues_seq": point.seq,
                "continues_head": head,
            }
        book.key = book.changed["public_key"] = bytes.fromhex(genesis.key)
        book.save(self._connection)  # before the next genesis of this round looks for its twin

    def _store(self, book: Book, batch: Batch, made: Made | None) -> None:
        watermark, whose = book.watermark, book.whose
        if made is None or made.after != watermark:
            made = make(self._loader, whose.city, whose.station, batch, watermark)
        self._writer.add(made.loads)
        self._forgotten.store_new(self._writer, book, batch, made, self._now_ms)
        if made.hollow:
            book.lack()
        book.cover(made.covered)
        book.forget(made.forgets, self._now_ms)
        if made.timed:
            self._timed.add(batch.ledger)
        if closed := closings.closed_in(batch, watermark):
            self._closed[whose.city] += closed
        self._booking.add(whose.city, whose.station, batch.ledger, made.reckoned)
        self._asked += balances.asked_in(whose.city, whose.station, batch, watermark, self._now_ms)
        if said := town_reports.said_in(batch, watermark):
            self._said[whose.city, whose.station] += said
        book.move(batch.last, batch.head, self._now_ms)

    def _heal(self, book: Book, batch: Batch) -> None:
        """Fill in what came without its text or its opened seal, and comes now."""
        healed = healing.heal(
            self._connection,
            self._writer,
            self._booking,
            book,
            batch,
            self._forgotten.now(book),
            self._now_ms,
        )
        if healed is None:
            return
        self._healed.append(healed)
        if healed.closed:
            self._closed[healed.city] += healed.closed
        if healed.said:
            self._said[healed.city, healed.station] += healed.said

    def _unpark(self, book: Book) -> None:
        """Join what was waiting for the entries that have come; each row leaves the table."""
        for _ in range(parking.MAX_PARKED):
            payload = parking.next_to_join(self._connection, book)
            if payload is None:
                return
            whose, batch = book.whose, decode_batch(payload)
            try:
                # Again, as the genesis may have named another key than the one that parked it.
                check_batch(whose, batch, book.key, self._keys[whose])
                self._join(book, batch)
            except (Fork, Refused) as problem:
                topic = f"kiosk/v1/{whose.city}/{whose.station}/ledger"
                self._refuse_batch(Delivery(topic, payload), whose, batch, problem)

    # --- refusing ---------------------------------------------------------------------------------

    def _refuse_batch(
        self, delivery: Delivery, whose: Whose, batch: Batch, problem: Refused | Fork
    ) -> None:
        code = problem.code if isinstance(problem, Refused) else "fork"
        if code != "unknown_key":  # of which nothing is stored, not even this
            self._aside.append(Aside(delivery, code, batch))
        if isinstance(problem, Fork) and batch.ledger in self._books:
            self._books[batch.ledger].fork(problem.seq)
        self._tell(whose, batch.ledger, code, problem.seq)

    def _malformed(self, whose: Whose, malformed: Malformed) -> None:
        """A station is told only of what it signed itself: anybody's noise must not hold it up."""
        claim = malformed.claim
        if claim is None:
            self._refuse(whose, malformed.code, None, 0)
            return
        book, keys = self._books.get(claim.ledger), self._keys[whose]
        if book is not None and book.key is not None:
            keys = [key for key in keys if key == book.key]
        message = batch_message(claim.ledger, claim.last, claim.head)
        if any(verify(key, claim.signature, message) for key in keys):
            self._tell(whose, claim.ledger, malformed.code, claim.first)
        else:
            self._refuse(whose, malformed.code, claim.ledger, claim.first)

    def _tell(self, whose: Whose, name: str, code: str, seq: int) -> None:
        self._told[whose, name] = AckError(code, seq)
        self._refuse(whose, code, name, seq)

    def _refuse(self, whose: Whose, code: str, name: str | None, seq: int) -> None:
        self._refusals.append(Refusal(whose.city, whose.station, code, name, seq))

    # --- the end ----------------------------------------------------------------------------------

    def _answers(self) -> list[Answer]:
        """What the stations are told after the commit."""
        epoch = self._beside.epoch
        answers = []
        for (whose, name), error in self._told.items():
            book, stands = self._books.get(name), True
            if book is not None and book.whose == whose:
                ack = Ack(name, epoch, book.watermark, book.head, error)
                stands = not book.continuations
                if book.told_epoch != epoch:
                    book.changed["told_epoch"] = epoch
            else:
                ack = Ack(name, epoch, 0, chain.ZERO, error)
            answers.append(Answer(whose.city, whose.station, ack, stands))
        return answers

    def _finish(self) -> None:
        self._writer.flush()
        timing.learn_anew(self._connection, {one.ledger for one in self._healed if one.timed})
        timing.learn(self._connection, self._timed)
        self._forgotten.finish()
        for book in self._books.values():
            book.save(self._connection)
        for city in sorted(self._closed):
            closings.close(self._connection, city, self._closed[city])
        self._booking.finish()
        for city, station in sorted(self._said):
            town_reports.keep(self._connection, city, station, self._said[city, station])
        put_aside(self._connection, self._aside, self._now_ms)
        count(self._connection, self._refusals, self._now_ms)


def _named(parcels: Iterable[Parcel]) -> set[str]:
    """Every ledger that a round may write to, or must not see moved: those that others continue."""
    names = set()
    for each in parcels:
        if each.batch is not None:
            names.add(each.batch.ledger)
            genesis = genesis_of(each.batch.values[0]) if each.batch.first == 1 else None
            if genesis is not None and genesis.continues is not None:
                names.add(genesis.continues.ledger)
        elif each.malformed is not None and each.malformed.claim is not None:
            names.add(each.malformed.claim.ledger)
    return names


def _in_order(parcels: Iterable[Parcel]) -> list[Parcel]:
    """Batches of one ledger by their first entries: what joins on at once need not be parked."""
    places: dict[str, int] = {}

    def key(numbered: tuple[int, Parcel]) -> tuple[int, int]:
        number, parcel = numbered
        if parcel.batch is None:
            return number, 0
        return places.setdefault(parcel.batch.ledger, number), parcel.batch.first

    return [parcel for _, parcel in sorted(enumerate(parcels), key=key)]

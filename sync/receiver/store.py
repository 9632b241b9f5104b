"""The receiver's decisions, each inside one transaction of the city's database.

Invariant: ``entry`` holds, for every ledger, the seqs 1..watermark without a gap, each chained to
the one before and under a signature of the ledger's key; what is stored is never changed.

A batch proves itself (``sync.messages``). Then it *joins on* when its first entry is at most one
beyond the watermark and the hash before it is the stored one. What is stored already must be the
same (a repeat) or it is a *fork*: set aside, told, never written. A batch from further on is
*parked* until those between have come: shared subscriptions hand one station's batches to several
receivers in any order. The caller answers the broker only after the commit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kiosk.core import chain
from kiosk.core.entries import Genesis, LedgerPoint
from sync.messages import (
    Ack,
    AckError,
    Batch,
    Malformed,
    decode_batch,
    inflate,
    verify_batch,
)
from sync.receiver import registry
from sync.receiver.projections import Rows, parse_draft
from sync.receiver.quarantine import put_aside
from sync.receiver.tables import (
    anchor,
    batch_sig,
    bin_change,
    entry,
    ledger,
    opening,
    parked,
    seal,
)

MAX_PARKED = 64
"""Batches parked for one station: four windows of its uplink."""
GAP_AFTER_MS = 5_000
"""Without progress for so long, a parked batch is a gap, and is told."""
GAP_LIMIT_MS = 300_000
"""The wait before it is told again doubles up to this: the station may be off for the night."""
MAX_TOLD = 500
"""Ledgers told of in one round of ``remind``."""
DELETE_AT_ONCE = 500

_TOPIC = re.compile(r"kiosk/v1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/ledger")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came."""

    topic: str
    payload: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement to publish, retained."""

    city: str
    station: str
    ack: Ack


@dataclass(frozen=True, slots=True)
class _Station:
    city: str
    station: str


class _Fork(Exception):
    """Another history than the stored one, from ``seq`` on."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"another history from {seq} on")
        self.seq = seq


class _Refused(Exception):
    """A batch that is signed and does not count; ``code`` goes to the station."""

    def __init__(self, code: str, seq: int) -> None:
        super().__init__(code)
        self.code = code
        self.seq = seq


def take(engine: sa.Engine, deliveries: Iterable[Delivery], now_ms: int) -> list[Answer]:
    """Store what these messages prove, in one transaction; at most one answer for each ledger."""
    with engine.begin() as connection:
        round_ = _Round(connection, now_ms)
        for delivery in deliveries:
            round_.take(delivery)
        return round_.answers()


def remind(engine: sa.Engine, now_ms: int) -> list[Answer]:
    """What has to be said without being asked: gaps that last, and a new epoch."""
    with engine.begin() as connection:
        return _gaps(connection, now_ms) + _new_epoch(connection)


class _Round:
    """One transaction's work."""

    def __init__(self, connection: sa.Connection, now_ms: int) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._told: dict[tuple[_Station, str], AckError | None] = {}

    def take(self, delivery: Delivery) -> None:
        """One message; nothing that it may hold raises."""
        match = _TOPIC.fullmatch(delivery.topic)
        if match is None:
            self._put_aside(delivery, "topic")
            return
        whose = _Station(match[1], match[2])
        try:
            plain = inflate(delivery.content_type, delivery.payload)
            batch = decode_batch(plain)
        except Malformed as malformed:
            self._put_aside(delivery, malformed.code)
            return
        try:
            self._take_batch(whose, batch, plain)
        except _Refused as refused:
            if refused.code != "unknown_key":  # of which nothing is stored, not even this
                self._put_aside(delivery, refused.code, batch)
            self._told[whose, batch.ledger] = AckError(refused.code, refused.seq)
        except _Fork as fork:
            self._put_aside(delivery, "fork", batch)
            self._mark_fork(batch.ledger, fork.seq)
            self._told[whose, batch.ledger] = AckError("fork", fork.seq)

    def answers(self) -> list[Answer]:
        """What the stations are told after the commit."""
        epoch = registry.current_epoch(self._connection)
        answers = []
        for (whose, name), error in self._told.items():
            row = _row(self._connection, name)
            if row is not None and (row.city, row.station) == (whose.city, whose.station):
                ack = Ack(name, epoch, row.watermark, row.head, error)
                self._update(name, told_epoch=epoch)
            else:
                ack = Ack(name, epoch, 0, chain.ZERO, error)
            answers.append(Answer(whose.city, whose.station, ack))
        return answers

    def _take_batch(self, whose: _Station, batch: Batch, plain: bytes) -> None:
        row = _row(self._connection, batch.ledger, lock=True)
        if row is not None and (row.city, row.station) != (whose.city, whose.station):
            raise _Refused("other_station", batch.first)
        self._check_signature(whose, batch, row.public_key if row is not None else None)
        if row is None:
            self._connection.execute(
                ledger.insert().values(
                    ledger=batch.ledger,
                    city=whose.city,
                    station=whose.station,
                    watermark=0,
                    head=chain.ZERO,
                    progress_ms=self._now_ms,
                    gaps_told=0,
                    told_epoch=0,
                )
            )
            row = _row(self._connection, batch.ledger)
        if batch.first > row.watermark + 1:
            if row.fork_seq is not None:
                raise _Fork(row.fork_seq)  # what comes after a fork never joins on
            self._park(whose, batch, plain)
            return
        self._join(whose, batch)
        self._told.setdefault((whose, batch.ledger), None)
        self._unpark(whose, batch.ledger)

    def _check_signature(self, whose: _Station, batch: Batch, known: bytes | None) -> None:
        keys = registry.valid_keys(self._connection, whose.city, whose.station)
        if known is not None:
            keys = [key for key in keys if key == known]
        elif batch.first == 1:
            genesis = _genesis(batch)
            keys = [key for key in keys if genesis is not None and key.hex() == genesis.key]
        if not keys:
            raise _Refused("unknown_key", batch.first)
        if not any(verify_batch(batch, key) for key in keys):
            # Before the genesis nobody knows which of a station's keys this ledger has.
            code = "bad_signature" if known is not None or batch.first == 1 else "unknown_key"
            raise _Refused(code, batch.first)

    def _join(self, whose: _Station, batch: Batch) -> None:
        """Store what is new in a batch that begins at most one beyond the watermark."""
        row = _row(self._connection, batch.ledger)
        stored = self._hashes(batch.ledger, batch.first - 1, min(batch.last, row.watermark))
        if stored.get(batch.first - 1, chain.ZERO) != batch.prev:
            raise _Fork(max(batch.first - 1, 1))
        for each in batch.entries:
            if stored.get(each.seq, each.hash) != each.hash:
                raise _Fork(each.seq)
        self._check_continuations(batch)
        if batch.first == 1 and row.public_key is None:
            self._begin(whose, batch)
        if batch.last > row.watermark:
            self._store(whose, batch, row.watermark)
        if batch.unseals is not None:
            self._unseal(batch.ledger, batch.unseals.seqs)

    def _store(self, whose: _Station, batch: Batch, watermark: int) -> None:
        new = [each for each in batch.entries if each.seq > watermark]
        rows = Rows()
        for each in new:
            if each.value is not None:
                rows.add(batch.ledger, each.seq, each.value)
        self._insert(
            entry,
            [
                {
                    "ledger": batch.ledger,
                    "seq": each.seq,
                    "station": whose.station,
                    "kind": each.kind,
                    "body": each.body.decode() if each.body is not None else None,
                    "digest": each.digest,
                    "hash": each.hash,
                }
                for each in new
            ],
        )
        # Seals only of new entries: a repeated batch must not bring back what was forgotten.
        self._insert(
            seal,
            [
                {
                    "ledger": batch.ledger,
                    "seq": each.seq,
                    "salt": bytes.fromhex(each.salt),
                    "pseudonym": bytes.fromhex(each.pseudonym),
                }
                for each in batch.seals
                if each.seq > watermark
            ],
        )
        self._insert(bin_change, rows.bin_change)
        self._insert(anchor, rows.anchor)
        self._insert(opening, rows.opening)
        self._insert(
            batch_sig,
            [{"ledger": batch.ledger, "last_seq": batch.last, "sig": batch.signature}],
        )
        self._update(
            batch.ledger,
            watermark=batch.last,
            head=batch.head,
            progress_ms=self._now_ms,
            gap_told_ms=None,
            gaps_told=0,
        )

    # --- a ledger's beginning, and what continues it ----------------------------------------------

    def _begin(self, whose: _Station, batch: Batch) -> None:
        genesis = _genesis(batch)
        if genesis is None or (genesis.city, genesis.station, genesis.ledger) != (
            whose.city,
            whose.station,
            batch.ledger,
        ):
            raise _Refused("genesis", 1)
        values: dict[str, Any] = {"public_key": bytes.fromhex(genesis.key)}
        if genesis.continues is not None:
            self._check_continues(whose, batch.ledger, genesis.continues)
            values |= {
                "continues_ledger": genesis.continues.ledger,
                "continues_seq": genesis.continues.seq,
                "continues_head": bytes.fromhex(genesis.continues.head),
            }
        self._update(batch.ledger, **values)

    def _check_continues(self, whose: _Station, name: str, point: LedgerPoint) -> None:
        twin = sa.select(ledger.c.ledger).where(
            ledger.c.ledger != name,
            ledger.c.continues_ledger == point.ledger,
            ledger.c.continues_seq == point.seq,
            ledger.c.continues_head == bytes.fromhex(point.head),
        )
        if self._connection.scalars(twin).first() is not None:
            raise _Fork(1)
        older = _row(self._connection, point.ledger)
        if older is None:
            return  # the city's database was restored from before it, or it never came
        if (older.city, older.station) != (whose.city, whose.station):
            raise _Refused("other_station", 1)
        known = self._hashes(point.ledger, point.seq, point.seq).get(point.seq)
        if known is not None and known.hex() != point.head:
            raise _Fork(1)

    def _check_continuations(self, batch: Batch) -> None:
        """Entries of a ledger that another continues must pass through the hash it named."""
        query = sa.select(ledger.c.continues_seq, ledger.c.continues_head).where(
            ledger.c.continues_ledger == batch.ledger,
            ledger.c.continues_seq.between(batch.first, batch.last),
        )
        for seq, head in self._connection.execute(query):
            if batch.entries[seq - batch.first].hash != head:
                raise _Fork(seq)

    # --- parking ----------------------------------------------------------------------------------

    def _park(self, whose: _Station, batch: Batch, plain: bytes) -> None:
        same = sa.select(parked.c.first).where(
            parked.c.ledger == batch.ledger,
            parked.c.first == batch.first,
            parked.c.last == batch.last,
        )
        if self._connection.execute(same).first() is not None:
            return
        of_station = sa.select(sa.func.count()).select_from(
            parked.join(ledger, ledger.c.ledger == parked.c.ledger)
        )
        of_station = of_station.where(
            ledger.c.city == whose.city, ledger.c.station == whose.station
        )
        if self._connection.scalars(of_station).one() >= MAX_PARKED:
            return  # it comes again once the gap is told
        self._connection.execute(
            parked.insert().values(
                ledger=batch.ledger,
                first=batch.first,
                last=batch.last,
                payload=plain,
                parked_ms=self._now_ms,
            )
        )

    def _unpark(self, whose: _Station, name: str) -> None:
        """Join what was waiting for the entries that have come; each row leaves the table."""
        for _ in range(MAX_PARKED):
            row = _row(self._connection, name)
            query = sa.select(parked).where(
                parked.c.ledger == name, parked.c.first <= row.watermark + 1
            )
            waiting = self._connection.execute(query.order_by(parked.c.first).limit(1)).first()
            if waiting is None:
                return
            self._connection.execute(
                sa.delete(parked).where(
                    parked.c.ledger == name,
                    parked.c.first == waiting.first,
                    parked.c.last == waiting.last,
                )
            )
            topic = f"kiosk/v1/{whose.city}/{whose.station}/ledger"
            batch = decode_batch(waiting.payload)
            try:
                # Again, as the genesis may have named another key than the one that parked it.
                self._check_signature(whose, batch, row.public_key)
                self._join(whose, batch)
            except (_Fork, _Refused) as problem:
                code = "fork" if isinstance(problem, _Fork) else problem.code
                self._put_aside(Delivery(topic, waiting.payload), code, batch)
                if isinstance(problem, _Fork):
                    self._mark_fork(name, problem.seq)
                self._told[whose, name] = AckError(code, problem.seq)

    # --- small steps ------------------------------------------------------------------------------

    def _hashes(self, name: str, first: int, last: int) -> dict[int, bytes]:
        query = sa.select(entry.c.seq, entry.c.hash).where(
            entry.c.ledger == name, entry.c.seq.between(first, last)
        )
        return {row.seq: row.hash for row in self._connection.execute(query)}

    def _insert(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(table.insert(), rows)

    def _update(self, name: str, **values: Any) -> None:
        self._connection.execute(sa.update(ledger).where(ledger.c.ledger == name).values(**values))

    def _mark_fork(self, name: str, seq: int) -> None:
        self._update(name, fork_seq=sa.func.coalesce(ledger.c.fork_seq, seq))

    def _unseal(self, name: str, seqs: Sequence[int]) -> None:
        for start in range(0, len(seqs), DELETE_AT_ONCE):
            some = seqs[start : start + DELETE_AT_ONCE]
            self._connection.execute(
                sa.delete(seal).where(seal.c.ledger == name, seal.c.seq.in_(some))
            )

    def _put_aside(self, delivery: Delivery, reason: str, batch: Batch | None = None) -> None:
        put_aside(
            self._connection,
            topic=delivery.topic,
            payload=delivery.payload,
            reason=reason,
            now_ms=self._now_ms,
            batch=batch,
        )


def _row(connection: sa.Connection, name: str, *, lock: bool = False) -> Any:
    query = sa.select(ledger).where(ledger.c.ledger == name)
    return connection.execute(query.with_for_update() if lock else query).first()


def _genesis(batch: Batch) -> Genesis | None:
    value = batch.entries[0].value
    draft = parse_draft(value) if value is not None else None
    return draft if isinstance(draft, Genesis) else None


def _gaps(connection: sa.Connection, now_ms: int) -> list[Answer]:
    epoch = registry.current_epoch(connection)
    query = (
        sa.select(ledger, sa.func.min(parked.c.parked_ms).label("since_ms"))
        .join(parked, parked.c.ledger == ledger.c.ledger)
        .group_by(*ledger.c)
        .order_by(ledger.c.ledger)
        .limit(MAX_TOLD)
    )
    answers = []
    for row in connection.execute(query).all():
        wait_ms = min(GAP_AFTER_MS * 2 ** min(row.gaps_told, 16), GAP_LIMIT_MS)
        if now_ms - max(row.progress_ms, row.since_ms, row.gap_told_ms or 0) < wait_ms:
            continue
        connection.execute(
            sa.update(ledger)
            .where(ledger.c.ledger == row.ledger)
            .values(gap_told_ms=now_ms, gaps_told=row.gaps_told + 1, told_epoch=epoch)
        )
        error = AckError("gap", row.watermark + 1)
        ack = Ack(row.ledger, epoch, row.watermark, row.head, error)
        answers.append(Answer(row.city, row.station, ack))
    return answers


def _new_epoch(connection: sa.Connection) -> list[Answer]:
    """After a restore: a station with nothing new to send must hear how far the city is now."""
    epoch = registry.current_epoch(connection)
    newer = ledger.alias()
    query = (
        sa.select(ledger)
        .where(
            ledger.c.told_epoch < epoch,
            ledger.c.public_key.is_not(None),
            # The retained place on the topic belongs to the ledger that goes on.
            ~sa.exists().where(newer.c.continues_ledger == ledger.c.ledger),
        )
        .limit(MAX_TOLD)
    )
    answers = []
    for row in connection.execute(query).all():
        connection.execute(
            sa.update(ledger).where(ledger.c.ledger == row.ledger).values(told_epoch=epoch)
        )
        answers.append(
            Answer(row.city, row.station, Ack(row.ledger, epoch, row.watermark, row.head))
        )
    return answers

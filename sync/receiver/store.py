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
from kiosk.core.entries import Genesis
from sync.messages import (
    Ack,
    AckError,
    Batch,
    Malformed,
    batch_message,
    decode_batch,
    inflate,
    verify_batch,
)
from sync.receiver import closings, registry, town_reports
from sync.receiver.continuity import (
    Fork,
    Refused,
    Whose,
    check_continuations,
    check_continues,
    ledger_row,
    stored_hashes,
)
from sync.receiver.projections import Rows, parse_draft
from sync.receiver.quarantine import put_aside
from sync.receiver.refusals import Refusal, count
from sync.receiver.reminders import Answer
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
from sync.signing import verify

MAX_PARKED = 64
"""Batches parked for one station: four windows of its uplink."""
DELETE_AT_ONCE = 500

_TOPIC = re.compile(r"kiosk/v1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/ledger")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came."""

    topic: str
    payload: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the stations are to be told, and what the city's people are."""

    answers: list[Answer]
    refusals: list[Refusal]


def take(engine: sa.Engine, deliveries: Iterable[Delivery], now_ms: int) -> Outcome:
    """Store what these messages prove, in one transaction; at most one answer for each ledger."""
    with engine.begin() as connection:
        round_ = _Round(connection, now_ms)
        for delivery in deliveries:
            round_.take(delivery)
        return Outcome(round_.answers(), round_.refusals)


class _Round:
    """One transaction's work."""

    def __init__(self, connection: sa.Connection, now_ms: int) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._told: dict[tuple[Whose, str], AckError | None] = {}
        self.refusals: list[Refusal] = []

    def take(self, delivery: Delivery) -> None:
        """One message; nothing that it may hold raises."""
        match = _TOPIC.fullmatch(delivery.topic)
        if match is None:
            self._put_aside(delivery, "topic")
            return
        whose = Whose(match[1], match[2])
        try:
            plain = inflate(delivery.content_type, delivery.payload)
            batch = decode_batch(plain)
        except Malformed as malformed:
            self._put_aside(delivery, malformed.code)
            self._malformed(whose, malformed)
            return
        try:
            self._take_batch(whose, batch, plain)
        except Refused as refused:
            if refused.code != "unknown_key":  # of which nothing is stored, not even this
                self._put_aside(delivery, refused.code, batch)
            self._tell(whose, batch.ledger, refused.code, refused.seq)
        except Fork as fork:
            self._put_aside(delivery, "fork", batch)
            self._mark_fork(batch.ledger, fork.seq)
            self._tell(whose, batch.ledger, "fork", fork.seq)

    def answers(self) -> list[Answer]:
        """What the stations are told after the commit."""
        epoch = registry.current_epoch(self._connection)
        answers = []
        for (whose, name), error in self._told.items():
            row = ledger_row(self._connection, name)
            if row is not None and (row.city, row.station) == (whose.city, whose.station):
                ack = Ack(name, epoch, row.watermark, row.head, error)
                self._update(name, told_epoch=epoch)
            else:
                ack = Ack(name, epoch, 0, chain.ZERO, error)
            answers.append(Answer(whose.city, whose.station, ack))
        return answers

    def _take_batch(self, whose: Whose, batch: Batch, plain: bytes) -> None:
        row = ledger_row(self._connection, batch.ledger, lock=True)
        if row is not None and (row.city, row.station) != (whose.city, whose.station):
            if row.public_key is not None or batch.first > 1:
                raise Refused("other_station", batch.first)
            row = None  # only parked so far: the genesis, checked below, says whose it is
        self._check_signature(whose, batch, row.public_key if row is not None else None)
        _check_genesis(whose, batch)
        if row is None:
            self._register(whose, batch.ledger)
            row = ledger_row(self._connection, batch.ledger)
        if batch.first > row.watermark + 1:
            if row.fork_seq is not None and row.public_key is None:
                raise Fork(row.fork_seq)  # its genesis was refused: nothing ever joins on
            self._park(whose, batch, plain)
            return
        self._join(whose, batch)
        self._told.setdefault((whose, batch.ledger), None)
        self._unpark(whose, batch.ledger)

    def _register(self, whose: Whose, name: str) -> None:
        self._connection.execute(sa.delete(parked).where(parked.c.ledger == name))
        self._connection.execute(sa.delete(ledger).where(ledger.c.ledger == name))
        self._connection.execute(
            ledger.insert().values(
                ledger=name,
                city=whose.city,
                station=whose.station,
                watermark=0,
                head=chain.ZERO,
                progress_ms=self._now_ms,
                gaps_told=0,
                told_epoch=0,
            )
        )

    def _check_signature(self, whose: Whose, batch: Batch, known: bytes | None) -> None:
        keys = registry.valid_keys(self._connection, whose.city, whose.station)
        genesis = _genesis(batch) if batch.first == 1 else None
        if known is not None:
            keys = [key for key in keys if key == known]
        elif genesis is not None:
            keys = [key for key in keys if key.hex() == genesis.key]
        if not keys:
            raise Refused("unknown_key", batch.first)
        if not any(verify_batch(batch, key) for key in keys):
            # Without the genesis nobody knows which of a station's keys this ledger has.
            code = "unknown_key" if known is None and genesis is None else "bad_signature"
            raise Refused(code, batch.first)

    def _join(self, whose: Whose, batch: Batch) -> None:
        """Store what is new in a batch that begins at most one beyond the watermark."""
        row = ledger_row(self._connection, batch.ledger)
        stored = stored_hashes(
            self._connection, batch.ledger, batch.first - 1, min(batch.last, row.watermark)
        )
        if stored.get(batch.first - 1, chain.ZERO) != batch.prev:
            raise Fork(max(batch.first - 1, 1))
        for each in batch.entries:
            if stored.get(each.seq, each.hash) != each.hash:
                raise Fork(each.seq)
        check_continuations(self._connection, batch)
        if batch.first == 1 and row.public_key is None:
            self._begin(whose, batch)
        if batch.last > row.watermark:
            self._store(whose, batch, row.watermark)
        if batch.unseals is not None:
            self._unseal(batch.ledger, batch.unseals.seqs)

    def _store(self, whose: Whose, batch: Batch, watermark: int) -> None:
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
        closings.close(self._connection, whose.city, batch, watermark)
        town_reports.note(self._connection, whose.city, whose.station, batch, watermark)
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

    def _begin(self, whose: Whose, batch: Batch) -> None:
        genesis = _check_genesis(whose, batch)
        assert genesis is not None, "the batch begins at 1"
        values: dict[str, Any] = {"public_key": bytes.fromhex(genesis.key)}
        if genesis.continues is not None:
            check_continues(self._connection, whose, batch.ledger, genesis.continues)
            values |= {
                "continues_ledger": genesis.continues.ledger,
                "continues_seq": genesis.continues.seq,
                "continues_head": bytes.fromhex(genesis.continues.head),
            }
        self._update(batch.ledger, **values)

    # --- parking ----------------------------------------------------------------------------------

    def _park(self, whose: Whose, batch: Batch, plain: bytes) -> None:
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

    def _unpark(self, whose: Whose, name: str) -> None:
        """Join what was waiting for the entries that have come; each row leaves the table."""
        for _ in range(MAX_PARKED):
            row = ledger_row(self._connection, name)
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
            except (Fork, Refused) as problem:
                code = "fork" if isinstance(problem, Fork) else problem.code
                self._put_aside(Delivery(topic, waiting.payload), code, batch)
                if isinstance(problem, Fork):
                    self._mark_fork(name, problem.seq)
                self._tell(whose, name, code, problem.seq)

    # --- refusing ---------------------------------------------------------------------------------

    def _malformed(self, whose: Whose, malformed: Malformed) -> None:
        """A station is told only of what it signed itself: anybody's noise must not hold it up."""
        claim = malformed.claim
        if claim is None:
            self._refuse(whose, malformed.code, None, 0)
            return
        row = ledger_row(self._connection, claim.ledger)
        keys = registry.valid_keys(self._connection, whose.city, whose.station)
        if row is not None and row.public_key is not None:
            keys = [key for key in keys if key == row.public_key]
        message = batch_message(claim.ledger, claim.last, claim.head)
        if any(verify(key, claim.signature, message) for key in keys):
            self._tell(whose, claim.ledger, malformed.code, claim.first)
        else:
            self._refuse(whose, malformed.code, claim.ledger, claim.first)

    def _tell(self, whose: Whose, name: str, code: str, seq: int) -> None:
        self._told[whose, name] = AckError(code, seq)
        self._refuse(whose, code, name, seq)

    def _refuse(self, whose: Whose, code: str, name: str | None, seq: int) -> None:
        refused = Refusal(whose.city, whose.station, code, name, seq)
        count(self._connection, refused, self._now_ms)
        self.refusals.append(refused)

    # --- small steps ------------------------------------------------------------------------------

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


def _genesis(batch: Batch) -> Genesis | None:
    value = batch.entries[0].value
    draft = parse_draft(value) if value is not None else None
    return draft if isinstance(draft, Genesis) else None


def _check_genesis(whose: Whose, batch: Batch) -> Genesis | None:
    """The first entry of a ledger, of this station and of this ledger, and there is no second."""
    for each in batch.entries:
        if each.kind == "genesis" and each.seq > 1:
            raise Refused("genesis", each.seq)
    if batch.first > 1:
        return None
    genesis = _genesis(batch)
    named = genesis and (genesis.city, genesis.station, genesis.ledger)
    if genesis is None or named != (whose.city, whose.station, batch.ledger):
        raise Refused("genesis", 1)
    return genesis

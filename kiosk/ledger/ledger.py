"""The station's ledger: append, remember, hand out batches, take the city's word.

Invariant: what ``append`` returned is on the disk, chained, signed, and counted in the
projections; what it refused left no trace. The ledger is the outbox: everything beyond
``watermark`` still has to go to the city.

One thread appends; any thread may draw batches, hand in acknowledgements and wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.core.effects import Item
from kiosk.core.entries import At, Forget, Opening
from kiosk.core.errors import StorageError
from kiosk.core.memory import Memory
from kiosk.ledger import (
    acks,
    batches,
    earlier,
    forgetting,
    making,
    projections,
    rows,
    writing,
)
from kiosk.ledger.acks import AckVerdict, Reason
from kiosk.ledger.database import Readers, told, transaction
from kiosk.ledger.ended_seals import EndedSeals
from kiosk.ledger.errors import from_os
from kiosk.ledger.files import Folder, writers_lock
from kiosk.ledger.grouped import AckFile, Departed
from kiosk.ledger.making import Identity
from kiosk.ledger.opening import Opened, TurnOver, open_ledger
from kiosk.ledger.projections import Counting, DayOf
from kiosk.ledger.resending import Resending
from sync.messages import MAX_ENTRIES, MAX_PLAIN_BYTES, Ack
from sync.signing import Signer

MAX_APPEND = 1_000
"""Entries in one transaction."""
LEDGER_DIGITS = 10
"""Of the ledger's id in visits and bags; with a seq and a number they stay within 32 characters."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the ledger is, and how far the city. ``turn`` rises with each word on the city that the
    uplink is told: of two that cross on their way the lower is the older."""

    head_seq: int
    watermark: int
    epoch: int
    turn: int = field(default=0, compare=False)


def hold(folder: Path, patience_s: float = 0.0) -> ExitStack:
    """The writer's place in ``folder``, for as long as the stack is open. Raises OperatorError where
    another process has it for longer than ``patience_s``, StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os(error) from error
    with ExitStack() as held:
        held.enter_context(writers_lock(Folder(folder).lock, patience_s))
        return held.pop_all()


class Ledger:
    """An open ledger. Made by ``Ledger.open``; ``close`` lets go of the folder."""

    def __init__(
        self,
        folder: Folder,
        opened: Opened,
        memory: Memory,
        *,
        signer: Signer,
        city_key: bytes | None,
        clock: Callable[[], At],
        day_of: DayOf,
        held: ExitStack,
    ) -> None:
        self.ledger_id: str = opened.genesis["ledger"]
        self.turn_over: TurnOver | None = opened.turn_over
        """What happened at this start, where a new ledger continues an old one."""
        self._folder = folder
        self._db = opened.db
        self._head = opened.head
        self._ack = opened.ack
        self._memory = memory
        self.public_key = signer.public_key
        self._signer = signer
        self._city_key = city_key
        self._clock = clock
        self._day_of = day_of
        self._held = held
        self._readers = held.enter_context(closing(Readers(folder.database)))
        self.lend_reader = self._readers.lend
        self._writing = threading.RLock()
        self._moved = threading.Condition()
        self._ending = False
        self._resending = Resending()
        self._told, self._turn = (0, 0), 0
        self._departed = Departed()
        self._ack_file = AckFile(folder)
        self.ended = EndedSeals(folder, signer, city_key, lambda: self.progress)
        held.callback(self._settle)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        station: str,
        city: str,
        signer: Signer,
        city_key: bytes | None,
        software: str,
        openings: Mapping[str, Opening],
        items: Mapping[str, str],
        clock: Callable[[], At],
        day_of: DayOf,
        place: ExitStack | None = None,
        counting: Counting | None = None,
    ) -> Ledger:
        """Opens the ledger in ``folder``, begins one where there is none, or continues one.

        ``openings`` what each bin holds when a ledger begins; ``items`` each bin's item;
        ``clock`` stamps the entries; ``day_of`` turns UTC milliseconds into the local day;
        ``place`` the writer's place where ``hold`` took it before; ``counting`` hears how far it is where
        the whole ledger is read.
        Raises OperatorError (another process holds it, a newer program wrote it) and StorageError.
        """
        names = Folder(folder)
        at = clock()
        with place or hold(folder) as held:
            opened = open_ledger(
                names,
                Identity(station, city, software, signer),
                acks.kept_ack(names, city_key),
                acks.own_ack(names, city_key),
                openings,
                items,
                at=at,
                day_of=day_of,
                counting=counting,
            )
            held.enter_context(closing(opened.db))
            with told():
                memory = projections.read_memory(
                    opened.db,
                    items,
                    # Whatever bears this prefix raises the head, so no two starts share one.
                    prefix=f"{opened.genesis['ledger'][:LEDGER_DIGITS]}-{opened.head[0]}",
                    same_boot=opened.same_boot,
                )
            return cls(
                names,
                opened,
                earlier.with_ended(memory, names),
                signer=signer,
                city_key=city_key,
                clock=clock,
                day_of=day_of,
                held=held.pop_all(),
            )

    def end_waits(self) -> None:
        """Ends every ``wait_head``, now and from now on: the first step of a shutdown."""
        with self._moved:
            self._ending = True
            self._moved.notify_all()

    def close(self) -> None:
        """Lets go of the files and the lock; no thread may use the ledger any more."""
        self.end_waits()
        with self._writing:
            self._held.close()

    @property
    def head(self) -> tuple[int, bytes]:
        """The last entry's seq and hash."""
        return self._head

    @property
    def watermark(self) -> int:
        """Up to here the city has signed that it keeps everything."""
        return 0 if self._ack is None else self._ack.seq

    @property
    def epoch(self) -> int:
        """The life of the city's database that the watermark belongs to."""
        return 0 if self._ack is None else self._ack.epoch

    @property
    def progress(self) -> Progress:
        """Head and watermark as of one moment."""
        with self._moved:
            return Progress(self._head[0], self.watermark, self.epoch)

    @property
    def to_send(self) -> Progress:
        """The same as the uplink is told it: it sends what is beyond (``resending``)."""
        with self._moved:
            told = (self._resending.told(self.watermark), self.epoch)
            if told != self._told:
                self._told, self._turn = told, self._turn + 1
            return Progress(self._head[0], *told, self._turn)

    def send_again(self, after: int) -> None:
        """The city asks for the entries beyond ``after`` once more; the watermark stays."""
        with self._moved:
            self._resending.begin(after)
            self._moved.notify_all()

    def memory(self) -> Memory:
        """What was known when the ledger was opened: the rules go on from it, once."""
        return self._memory

    def append(self, items: Sequence[Item]) -> tuple[int, ...]:
        """Commits the drafts in one transaction; their seqs, durable when it returns.

        Raises StorageError with nothing changed, and BooksBroken for grams that do not add up.
        """
        if not 1 <= len(items) <= MAX_APPEND:
            raise ValueError(f"{len(items)} entries in one transaction, of 1 to {MAX_APPEND}")
        with self._writing:
            first = self._head[0] + 1
            with transaction(self._db):
                gone = self._departed.write(self._db)
                head = self._write(items)
            self._departed.written(gone)
            self._advance(head=head)
        return tuple(range(first, head[0] + 1))

    def forget_due(self, link_days: int) -> int:
        """Deletes the seals whose time is over, and says so in a ``forget`` entry; how many went.

        Unlinked check-ins at their day's end, linked ones ``link_days`` later, at most
        ``MAX_FORGET`` a call. Nothing while the clock is not synchronised: a guessed day would
        delete for good what is still owed. Raises StorageError with nothing changed.
        """
        at = self._clock()
        if at.clock != "synced":
            return 0
        with self._writing:
            with transaction(self._db):
                seqs = forgetting.due(self._db, self._day_of(at.utc_ms), link_days)
                if not seqs:
                    return 0
                told_by = self._head[0] + 1
                forgetting.delete(self._db, seqs, told_by)
                forgetting.adopt(self._db, told_by, forgetting.MAX_FORGET - len(seqs))
                gone = self._departed.write(self._db)
                head = self._write([Item(Forget(count=len(seqs)))])
            self._departed.written(gone)
            self._advance(head=head)
            # The deleted bytes still stand in the -wal; a later checkpoint takes them where this
            # one cannot.
            with suppress(StorageError), told():
                making.checkpoint(self._db)
        return len(seqs)

    def forget_ended(self, link_days: int) -> int:
        """As ``forget_due``, in the ledgers that ended: how many seals went. Raises StorageError."""
        at = self._clock()
        if at.clock != "synced":
            return 0
        return self.ended.forget_due(self._day_of(at.utc_ms), link_days)

    def batch(
        self, after: int, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_PLAIN_BYTES
    ) -> bytes | None:
        """The wire message with the entries beyond ``after``; None where there are none.

        At least one entry, however small ``max_bytes``. Raises StorageError.
        """
        drawn = self.batch_with_last(after, max_entries, max_bytes)
        return None if drawn is None else drawn[0]

    def batch_with_last(
        self, after: int, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_PLAIN_BYTES
    ) -> tuple[bytes, int] | None:
        """As ``batch``, and the seq of its last entry."""
        with self._readers.lend() as db:
            drawn = batches.draw(
                db, after, max_entries=max_entries, max_bytes=min(max_bytes, MAX_PLAIN_BYTES)
            )
            noted = drawn is None or batches.is_noted(db, drawn)
        if drawn is None:
            return None
        with self._moved:
            self._resending.drew(after, drawn.last, self.watermark)
        message, signature = batches.sign(drawn, self.ledger_id, self._signer)
        # A full disk must not keep the city from getting what there is.
        if not noted and self._departed.add(drawn.last, signature):
            with suppress(StorageError), self._writing:
                self._write_departed()
        return message, drawn.last

    def accept_ack(self, payload: bytes) -> AckVerdict:
        """Takes the city's acknowledgement if it counts; StorageError leaves nothing changed."""
        ack = acks.read_ack(payload, self._city_key)
        if not isinstance(ack, Ack):
            return self._verdict(None, ack)
        if ack.ledger != self.ledger_id:
            self.ended.heard(ack)
            return self._verdict(ack, "other_ledger")
        with self._writing:
            if ack == self._ack:
                return self._verdict(ack, None)
            reason = self._refusal(ack)
            if reason in ("unknown_seq", "head_differs"):
                self._ack_file.settle()
                acks.keep_own(self._folder, self._ack, self._city_key)
                # Kept also where it proves us wrong: the next start goes by it.
                self._ack_file.keep(payload, at_once=True)
            if reason is None:
                last = ack.seq == self._head[0] or ack.epoch != self.epoch or ack.error is not None
                self._ack_file.keep(payload, at_once=last)
                self._advance(ack=ack)
            return self._verdict(ack, reason)

    def wait_head(self, after: int, timeout_s: float) -> Progress:
        """Waits until the head is beyond ``after``, what is to be sent changed, or time is up."""
        with self._writing:
            self._ack_file.settle_if_due()
        with self._moved:
            known = (self._resending.told(self.watermark), self.epoch)
            self._moved.wait_for(
                lambda: (
                    self._ending
                    or self._head[0] > after
                    or (self._resending.told(self.watermark), self.epoch) != known
                ),
                timeout_s,
            )
            return self.to_send

    def _settle(self) -> None:
        """At the end; what the disk refuses can be had again."""
        with suppress(StorageError):
            self._ack_file.settle()
            self._write_departed()

    def _write_departed(self) -> None:
        with transaction(self._db):
            gone = self._departed.write(self._db)
        self._departed.written(gone)

    def _write(self, items: Sequence[Item]) -> tuple[int, bytes]:
        return writing.append(
            self._db,
            items,
            ledger=self.ledger_id,
            head=self._head,
            at=self._clock(),
            signer=self._signer,
            day_of=self._day_of,
        )

    def _advance(self, *, head: tuple[int, bytes] | None = None, ack: Ack | None = None) -> None:
        with self._moved:
            self._head = head or self._head
            self._ack = ack or self._ack
            self._moved.notify_all()

    def _refusal(self, ack: Ack) -> Reason | None:
        with told():
            return acks.refusal(ack, self._ack, lambda seq: rows.hash_at(self._db, seq))

    def _verdict(self, ack: Ack | None, reason: Reason | None) -> AckVerdict:
        if reason is None:
            with self._moved:
                self._resending.answered(self.watermark)
        error = None if ack is None else ack.error
        progress = self.to_send
        return AckVerdict(
            accepted=reason is None,
            reason=reason,
            watermark=progress.watermark,
            epoch=progress.epoch,
            turn=progress.turn,
            error_code=None if error is None else error.code,
            error_seq=None if error is None else error.seq,
            restart=reason in ("unknown_seq", "head_differs"),
        )

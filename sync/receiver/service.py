"""The receiver's process: listens, stores, and only then answers.

The order is the promise: a transaction is committed; then the stations hear the signed
acknowledgement; then the broker gets its PUBACK. Killed between any two of them, the batch comes
again and is found stored.
"""

from __future__ import annotations

import logging
import queue
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kiosk.core.errors import OperatorError, StorageError
from sync.ending import Ending
from sync.messages import encode_ack
from sync.mqtt import Arrived, Broker, Closed, Connection, MqttEvent, Opened, Taken
from sync.notify import notify
from sync.receiver import card_lists, command_sender, store
from sync.receiver.database import utc_ms
from sync.receiver.list_publisher import ListPublisher
from sync.receiver.refusals import Spoken
from sync.receiver.reminders import Answer, remind, standing
from sync.signing import Signer

TOPIC = "$share/receivers/kiosk/v1/+/+/ledger"
INBOX = 200
AT_ONCE = 64
"""Messages in one transaction: the commit's fsync is shared, and none waits long."""
RECEIVE_MAXIMUM = 64
"""Messages that the broker hands over before it has PUBACKs."""
REMIND_S = 1.0
RETRY_LIMIT_S = 30.0
STORE_TRIES = 10
"""Times that one transaction is tried while the database is busy or away."""

log = logging.getLogger("kiosk.receiver")

_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class _FromBroker:
    connection: Connection
    event: MqttEvent


class Service:
    """One receiver. Any number of them may share a database and a broker."""

    def __init__(self, engine: sa.Engine, broker: Broker, signer: Signer) -> None:
        self._engine = engine
        self._broker = broker
        self._signer = signer
        self._inbox: queue.Queue[_FromBroker] = queue.Queue(INBOX)
        self._connection: Connection | None = None
        self._open = False
        self._failures = 0
        self._spoken = Spoken()
        self._retold: str | None = None  # the ledger up to which this broker heard all anew
        self._connect_due_s = 0.0
        self._remind_due_s = 0.0
        self._lists = ListPublisher(engine)
        self._unsigned: str | None = None  # why the lists of cards are not signed anew

    def run(self, ending: Ending) -> None:
        """Serve until asked to end; StorageError when the database stays away."""
        notify("READY=1")
        while not ending.asked:
            if self._connection is None and time.monotonic() >= self._connect_due_s:
                self._connect()
            arrived = self._events()
            if arrived:
                self._take(arrived)
            if self._open and time.monotonic() >= self._remind_due_s:
                self._remind_due_s = time.monotonic() + REMIND_S
                self._remind()
                self._renew_lists()
                self._send_commands()
            if self._open:
                self._publish_lists()
            notify("WATCHDOG=1")
        notify("STOPPING=1")
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> None:
        self._connection = Connection(
            self._broker,
            lambda connection, event: self._inbox.put(_FromBroker(connection, event)),
            client_id=f"kiosk-receiver-{secrets.token_hex(6)}",
            topics=(TOPIC, *command_sender.TOPICS),
            manual_ack=True,
            receive_maximum=RECEIVE_MAXIMUM,
        )
        self._connection.open()

    def _events(self) -> list[Arrived]:
        """Messages that have come, after waiting a little for the first event."""
        arrived: list[Arrived] = []
        wait_s = 0.2
        while len(arrived) < AT_ONCE:
            try:
                item = self._inbox.get(timeout=wait_s) if wait_s else self._inbox.get_nowait()
            except queue.Empty:
                break
            wait_s = 0.0
            if item.connection is not self._connection:
                continue
            match item.event:
                case Arrived():
                    arrived.append(item.event)
                case Opened():
                    self._open, self._failures = True, 0
                    self._retold = ""
                    self._lists.begin()
                    log.info("listening on %s:%s", self._broker.host, self._broker.port)
                case Taken(mid, _, words):
                    self._lists.taken(mid)
                    if words:
                        log.warning("%s", words)
                case Closed(_, words):
                    log.warning("%s", words)
                    self._lost()
                    arrived.clear()  # without a PUBACK they come again
        return arrived

    def _lost(self) -> None:
        self._connection, self._open = None, False
        limit_s = min(RETRY_LIMIT_S, 2.0 ** min(self._failures, 8))
        self._failures += 1
        self._connect_due_s = time.monotonic() + random.random() * limit_s

    def _take(self, arrived: list[Arrived]) -> None:
        said = [m for m in arrived if command_sender.takes(m.topic)]
        self._stored(lambda: command_sender.take(self._engine, said, utc_ms()))
        deliveries = [
            store.Delivery(m.topic, m.payload, m.content_type)
            for m in arrived
            if not command_sender.takes(m.topic)
        ]
        outcome = self._stored(lambda: store.take(self._engine, deliveries, utc_ms()))
        for refused in outcome.refusals:
            self._warn(refused.city, refused.station, refused.code, refused.seq)
        self._answer(outcome.answers)
        if self._connection is not None:
            for message in arrived:
                if message.mid is not None:
                    self._connection.puback(message.mid)

    def _remind(self) -> None:
        if (after := self._retold) is not None:
            retold = self._stored(lambda: standing(self._engine, after))
            self._answer(retold)
            self._retold = retold[-1].ack.ledger if retold else None
        answers = self._stored(lambda: remind(self._engine, utc_ms()))
        for answer in answers:
            if answer.ack.error is not None:
                error = answer.ack.error
                self._warn(answer.city, answer.station, error.code, error.seq)
        self._answer(answers)

    def _renew_lists(self) -> None:
        """Each day, and each new life of the database, the lists of cards are signed again."""
        try:
            self._stored(self._signed_again)
            self._unsigned = None
        except OperatorError as error:
            if error.code != self._unsigned:
                log.error("%s", error)
            self._unsigned = error.code
        self._lists.look()

    def _signed_again(self) -> int:
        with self._engine.begin() as connection:
            return card_lists.renew(connection, self._signer, utc_ms())

    def _publish_lists(self) -> None:
        connection = self._connection
        if connection is not None:
            self._lists.step(
                lambda topic, payload, content_type: connection.publish(
                    topic, payload, retain=True, content_type=content_type
                )
            )

    def _send_commands(self) -> None:
        connection = self._connection
        if connection is not None:
            self._stored(
                lambda: command_sender.send_due(
                    self._engine, self._signer, utc_ms(), connection.publish
                )
            )

    def _warn(self, city: str, station: str, code: str, seq: int) -> None:
        quiet = self._spoken.due(city, station, code, time.monotonic())
        if quiet is None:
            return
        since = f", and {quiet} times since this was last said" if quiet else ""
        log.warning("%s/%s: %s at %s%s", city, station, code, seq, since)

    def _stored(self, work: Callable[[], _Done]) -> _Done:
        """``work`` in a transaction, tried again while the database is busy or away."""
        for tries in range(STORE_TRIES):
            try:
                return work()
            except DBAPIError as error:
                log.warning("the database refuses: %s", error.orig)
                last = error
                time.sleep(random.random() * min(2.0, 0.1 * 2**tries))
        raise StorageError(
            "database_unusable",
            f"The database refuses what is to be stored ({last.orig}).",
            "Check its disk and its server; nothing is lost, the stations send again.",
        )

    def _answer(self, answers: list[Answer]) -> None:
        if self._connection is None:
            return
        for answer in answers:
            topic = f"kiosk/v1/{answer.city}/{answer.station}/ack"
            payload = encode_ack(answer.ack, self._signer)
            self._connection.publish(topic, payload, retain=True, content_type="application/json")

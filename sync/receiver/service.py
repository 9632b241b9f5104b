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
from collections import deque
from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync.ending import Ending
from sync.messages import CONTENT_JSON, encode_ack
from sync.mqtt import Arrived, Broker, Closed, Connection, Denied, MqttEvent, Opened, Taken
from sync.notify import notify
from sync.receiver import card_lists, city_keys, command_sender, heard, store, town_words
from sync.receiver.arriving import Delivery, Parcel, is_batch, unpack
from sync.receiver.balances import Told
from sync.receiver.database import reading, utc_ms
from sync.receiver.giving_up import give_up
from sync.receiver.list_publisher import ListPublisher
from sync.receiver.patience import Ended, Patience, Unstorable
from sync.receiver.refusals import Spoken
from sync.receiver.reminders import Answer, remind, standing
from sync.receiver.town_publisher import TownPublisher
from sync.receiver.watch import Watch
from sync.receiver.writing import loader
from sync.signing import Signer

TOPIC = "$share/receivers/kiosk/v1/+/+/ledger"
INBOX = 200
AT_ONCE = 64
"""Messages in one transaction: the commit's fsync is shared, and none waits long."""
RECEIVE_MAXIMUM = 64
"""Messages that the broker hands over before it has PUBACKs."""
REMIND_S = 1.0
RETRY_LIMIT_S = 30.0

log = logging.getLogger("kiosk.receiver")


@dataclass(frozen=True, slots=True)
class _FromBroker:
    connection: Connection
    event: MqttEvent
    opened: Parcel | None = None


class Service:
    """One receiver. Any number of them may share a database and a broker."""

    def __init__(self, engine: sa.Engine, broker: Broker, signer: Signer, ending: Ending) -> None:
        self._engine = engine
        self._ending = ending
        self._patience = Patience(ending, self._leave)
        self._broker = broker
        self._signer = signer
        self._loader = loader(engine.dialect)
        self._inbox: queue.Queue[_FromBroker] = queue.Queue(INBOX)
        self._pubacks: deque[tuple[Connection, Taken]] = deque()
        """One for each message that was published since the last look, at most."""
        self._connection: Connection | None = None
        self._open = False
        self._failures = 0
        self._spoken = Spoken()
        self._retold: str | None = None  # the ledger up to which this broker heard all anew
        self._connect_due_s = 0.0
        self._remind_due_s = 0.0
        self._lists = ListPublisher(engine)
        self._watch = Watch(engine)
        self._town = TownPublisher(engine)
        self._unsigned: str | None = None  # why the lists of cards are not signed anew
        self._denied: str | None = (
            None  # what of the subscriptions the broker refuses, as last said
        )

    def run(self) -> None:
        """Serve until asked to end. OperatorError where the city signs with another key by now."""
        notify("READY=1")
        try:
            while not self._ending.asked:
                self._step()
                notify("WATCHDOG=1")
        except Ended:
            log.warning("ended while the database is away: what came last comes again")
        finally:
            notify("STOPPING=1")
            if self._connection is not None:
                self._connection.close()

    def _step(self) -> None:
        if self._connection is None and time.monotonic() >= self._connect_due_s:
            self._connect()
        arrived = self._events()
        self._hear_pubacks()
        if arrived:
            self._take(arrived)
        if self._open and time.monotonic() >= self._remind_due_s:
            self._remind_due_s = time.monotonic() + REMIND_S
            self._patience.done(self._check_key)
            self._remind()
            self._renew_lists()
            self._publish_town()
            self._send_commands()
        if self._open:
            self._publish_lists()

    def _connect(self) -> None:
        self._connection = Connection(
            self._broker,
            self._post,
            client_id=f"kiosk-receiver-{secrets.token_hex(6)}",
            topics=(TOPIC, *command_sender.TOPICS),
            manual_ack=True,
            receive_maximum=RECEIVE_MAXIMUM,
        )
        self._connection.open()

    def _post(self, connection: Connection, event: MqttEvent) -> None:
        """On paho's thread, which holds the lock of everything published while it tells a PUBACK: for
        that it must never wait here, or it waits for us while we wait for it."""
        if isinstance(event, Taken):
            self._pubacks.append((connection, event))
        else:
            # Opened and made here: most of what a batch costs is done while the main thread waits for
            # the database. The receive maximum bounds how many lie opened.
            opened = None
            if isinstance(event, Arrived) and is_batch(event.topic):
                delivery = Delivery(event.topic, event.payload, event.content_type)
                opened = unpack(delivery, self._loader)
            self._inbox.put(_FromBroker(connection, event, opened))

    def _hear_pubacks(self) -> None:
        while self._pubacks:
            connection, taken = self._pubacks.popleft()
            if connection is self._connection:
                self._lists.taken(taken.mid)
                if taken.words:
                    log.warning("%s", taken.words)

    def _events(self) -> list[tuple[Arrived, Parcel | None]]:
        """Messages that have come, batches opened, after waiting a little for the first event."""
        arrived: list[tuple[Arrived, Parcel | None]] = []
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
                    arrived.append((item.event, item.opened))
                case Opened():
                    self._open, self._failures = True, 0
                    self._retold = ""
                    self._lists.begin()
                    self._connection.subscribe(heard.TOPICS)
                    self._town.begin()
                    log.info("listening on %s:%s", self._broker.host, self._broker.port)
                case Denied(_, words):
                    if words != self._denied:  # once, not at each connection
                        log.warning(
                            "states, health and replies of stations are not heard: %s", words
                        )
                    self._denied = words
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

    def _leave(self) -> None:
        """The broker gives to others what this receiver cannot store; see ``Patience``."""
        if self._connection is not None:
            log.warning("leaving the broker until the database is back")
            self._connection.close()
            self._connection, self._open = None, False

    def _take(self, arrived: list[tuple[Arrived, Parcel | None]]) -> None:
        others = [message for message, parcel in arrived if parcel is None]
        if others:
            self._take_others(others)
        parcels = [parcel for _, parcel in arrived if parcel is not None]
        try:
            outcomes = [
                self._patience.done(lambda: store.take_opened(self._engine, parcels, utc_ms()))
            ]
        except Unstorable:
            outcomes = [self._take_alone(each) for each in parcels]
        for outcome in outcomes:
            for refused in outcome.refusals:
                self._warn(refused.city, refused.station, refused.code, refused.seq)
            for healed in outcome.healed:
                log.info("%s/%s: %s", healed.city, healed.station, healed.words)
            self._answer(outcome.answers)
            self._tell_balances(outcome.balances)
        if self._connection is not None:
            for message, _ in arrived:
                if message.mid is not None:
                    self._connection.puback(message.mid)

    def _take_others(self, messages: list[Arrived]) -> None:
        """What is no batch: replies, states, health, and what comes on no topic of ours."""
        ordered = [each for each in messages if command_sender.takes(each.topic)]
        if ordered:
            self._patience.done(lambda: command_sender.take(self._engine, ordered, utc_ms()))
        beside = [
            Delivery(each.topic, each.payload, each.content_type)
            for each in messages
            if heard.is_heard(each.topic)
        ]
        if beside:
            self._hear(beside)

    def _take_alone(self, parcel: Parcel) -> store.Outcome:
        """One message; the database's own words go to the log, where it takes everything but this."""
        try:
            return self._patience.done(lambda: store.take_opened(self._engine, [parcel], utc_ms()))
        except Unstorable as unstorable:
            log.error(
                "a message on %s cannot be stored: %s", parcel.delivery.topic[:200], unstorable
            )
            code = store.UNSTORABLE
            return self._patience.done(
                lambda: store.set_aside(self._engine, parcel, code, utc_ms())
            )

    def _hear(self, beside: list[Delivery]) -> None:
        """States and health; one that the database cannot take is nobody's loss."""
        try:
            self._patience.done(lambda: heard.note(self._engine, beside, utc_ms()))
        except Unstorable as error:
            log.warning("what a station says of itself cannot be kept: %s", error)

    def _check_key(self) -> None:
        """After ``key --replace`` nothing more is signed with the key before."""
        with reading(self._engine) as connection:
            city_keys.require(city_keys.held(connection), self._signer.public_key)

    def _remind(self) -> None:
        if (after := self._retold) is not None:
            retold = self._patience.done(lambda: standing(self._engine, after))
            self._answer(retold)
            self._retold = retold[-1].ack.ledger if retold else None
        self._patience.done(lambda: self._watch.step(time.monotonic(), utc_ms()))
        answers = self._patience.done(lambda: remind(self._engine, utc_ms()))
        for answer in answers:
            if answer.ack.error is not None:
                error = answer.ack.error
                self._warn(answer.city, answer.station, error.code, error.seq)
        self._answer(answers)
        for left in self._patience.done(lambda: give_up(self._engine, utc_ms())):
            log.warning(
                "%s/%s: %s batches of the ended ledger %s never joined on, and are set aside",
                left.city, left.station, left.batches, left.ledger,
            )  # fmt: skip

    def _renew_lists(self) -> None:
        """Each day, and each new life of the database, the lists of cards are signed again; catalogue
        and tariff when their moment comes."""
        try:
            self._patience.done(self._signed_again)
            self._unsigned = None
        except OperatorError as error:
            if error.code != self._unsigned:
                log.error("%s", error)
            self._unsigned = error.code
        self._lists.look()

    def _signed_again(self) -> int:
        with self._engine.begin() as connection:
            town_words.renew(connection, self._signer, utc_ms())
            return card_lists.renew(connection, self._signer, utc_ms())

    def _publish_lists(self) -> None:
        if self._connection is not None:
            self._lists.step(self._retain)

    def _publish_town(self) -> None:
        if self._connection is not None:
            self._patience.done(lambda: self._town.look(self._retain, utc_ms()))

    def _retain(self, topic: str, payload: bytes, content_type: str) -> int:
        assert self._connection is not None, "nothing is published without a connection"
        return self._connection.publish(topic, payload, retain=True, content_type=content_type)

    def _send_commands(self) -> None:
        connection = self._connection
        if connection is not None:
            self._patience.done(
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

    def _tell_balances(self, told: list[Told]) -> None:
        if self._connection is None:
            return
        for each in told:
            payload = each.signed(self._signer)
            self._connection.publish(each.topic, payload, content_type=CONTENT_JSON)

    def _answer(self, answers: list[Answer]) -> None:
        if self._connection is None:
            return
        for answer in answers:
            topic = f"kiosk/v1/{answer.city}/{answer.station}/ack"
            payload = encode_ack(answer.ack, self._signer)
            self._connection.publish(
                topic, payload, retain=answer.stands, content_type="application/json"
            )

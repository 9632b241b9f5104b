"""To an IoT Agent JSON over MQTT: ``/json/APIKEY/DEVICE/attrs`` at QoS 1.

A batch is delivered once the broker has PUBACKed all of it. That is all MQTT can say: whether the agent
was there to hear it, and stored it, nobody tells. Where that matters use HTTP.
"""

from __future__ import annotations

import queue
import secrets
import time

from sync.mqtt import Broker, Closed, Connection, MqttEvent, Opened, Taken
from sync.receiver.fiware.agent_sink import MEASURES_AT_ONCE, encoded
from sync.receiver.fiware.measures import by_device
from sync.receiver.fiware.settings import Settings, require_apikey
from sync.receiver.sinks import Aside, Away, Batch

ANSWER_S = 10.0
"""From the first message of a batch to the last PUBACK."""
IN_FLIGHT = 20


class MqttSink:
    """One broker that an IoT Agent listens to."""

    def __init__(self, name: str, broker: Broker, settings: Settings) -> None:
        self._name = name
        self._broker = broker
        self._apikey = require_apikey(settings)
        self._events: queue.Queue[tuple[Connection, MqttEvent]] = queue.Queue()
        self._connection: Connection | None = None
        self._in_flight = IN_FLIGHT

    @property
    def name(self) -> str:
        return self._name

    def deliver(self, batch: Batch) -> list[Aside]:
        """All of the batch, PUBACKed; a broker refuses a topic, never one measure: none is set aside."""
        give_up_s = time.monotonic() + ANSWER_S
        connection = self._connection or self._connected(give_up_s)
        waiting: set[int] = set()
        for device, made in by_device(batch.changes).items():
            topic = f"/json/{self._apikey}/{device}/attrs"
            for start in range(0, len(made), MEASURES_AT_ONCE):
                body = encoded([one for _, one in made[start : start + MEASURES_AT_ONCE]])
                waiting.add(connection.publish(topic, body, content_type="application/json"))
                if len(waiting) >= self._in_flight:
                    self._puback(connection, waiting, give_up_s)
        while waiting:
            self._puback(connection, waiting, give_up_s)
        return []

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self, give_up_s: float) -> Connection:
        connection = Connection(
            self._broker,
            lambda one, event: self._events.put((one, event)),
            client_id=f"kiosk-sink-{secrets.token_hex(6)}",
            topics=(),
        )
        connection.open()
        self._connection = connection
        while not isinstance(opened := self._next(connection, give_up_s), Opened):
            continue
        self._in_flight = min(IN_FLIGHT, opened.receive_maximum)
        return connection

    def _puback(self, connection: Connection, waiting: set[int], give_up_s: float) -> None:
        event = self._next(connection, give_up_s)
        if isinstance(event, Taken):
            if event.code is not None:
                raise Away(event.code, event.words, "Let this user publish to /json/#.")
            waiting.discard(event.mid)

    def _next(self, connection: Connection, give_up_s: float) -> MqttEvent:
        """The connection's next event; Away when it ends, or says nothing in time."""
        while True:
            try:
                one, event = self._events.get(timeout=max(0.0, give_up_s - time.monotonic()))
            except queue.Empty:
                self.close()
                place = f"{self._broker.host}:{self._broker.port}"
                raise Away(
                    "no_answer", f"{place} does not answer in time.", "It is tried again by itself."
                ) from None
            if one is not connection:
                continue
            if isinstance(event, Closed):
                self._connection = None
                raise Away(event.code, event.words, "It is tried again by itself.")
            return event

"""One MQTT 5 connection over paho: bytes, reason codes in words, nothing decided.

A ``Connection`` lives once: ``open`` it, hear ``Opened``, ``Closed`` exactly once at its end, and
make another. paho's own reconnecting is off, because the uplink's rules decide when to try again,
and because a fresh client has no queue in memory that could send something late.

Bursts of ten QoS 1 messages, measured: 223 a second with Nagle's algorithm, 9,308 with TCP_NODELAY
at both ends. paho ignores the broker's Receive Maximum; it is told here.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from kiosk.core.errors import OperatorError

DEFAULT_RECEIVE_MAXIMUM = 65_535
"""MQTT 5, 3.2.2.3.3: when the broker says nothing."""
MAX_PACKET_BYTES = 200_000
"""The largest packet that is taken: a batch is at most 128 KiB."""
CLOSE_S = 2.0


log = logging.getLogger("kiosk.mqtt")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to be let in; TLS when a ``ca_file`` is given."""

    host: str
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 60


@dataclass(frozen=True, slots=True)
class Opened:
    """Connected, and subscribed where there are topics."""

    receive_maximum: int


@dataclass(frozen=True, slots=True)
class Closed:
    """Over, or never begun; ``code`` stable, ``words`` for people."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Taken:
    """PUBACK for the message ``mid``; ``code`` None when the broker took it."""

    mid: int
    code: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message; with ``manual_ack`` it is PUBACKed only by ``Connection.puback(mid)``.

    ``mid`` None at QoS 0, which has no PUBACK: one for packet id 0 is a protocol error, and the
    broker would end the connection (MQTT 5, 2.2.1 and 4.13).
    """

    topic: str
    payload: bytes
    content_type: str | None
    mid: int | None
    response_topic: str | None = None
    correlation: bytes | None = None


MqttEvent = Opened | Closed | Taken | Arrived


class Connection:
    """One connection. Events come on paho's thread, through ``post``."""

    def __init__(
        self,
        broker: Broker,
        post: Callable[[Connection, MqttEvent], None],
        *,
        client_id: str,
        topics: tuple[str, ...],
        will: tuple[str, bytes] | None = None,
        manual_ack: bool = False,
        receive_maximum: int = 20,
    ) -> None:
        self._broker = broker
        self._post = post
        self._topics = topics
        self._receive_maximum = receive_maximum
        self._offered = DEFAULT_RECEIVE_MAXIMUM
        self._over = threading.Event()
        self._first: int | None = None
        """The subscription without which the connection is of no use."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=manual_ack,
        )
        client.on_socket_open = _no_delay
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._arrived
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        if broker.username is not None:
            client.username_pw_set(broker.username, _password(broker.password_file))
        if broker.ca_file is not None:
            _set_tls(client, broker)
        self._client = client

    def open(self) -> None:
        """Begin; names and TLS may take long, so on a thread of its own."""
        threading.Thread(target=self._open, name="mqtt-connect", daemon=True).start()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        content_type: str | None = None,
        correlation: bytes | None = None,
    ) -> int:
        """Hand a message over; its PUBACK comes as ``Taken`` with the number returned."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if content_type is not None:
            properties.ContentType = content_type
        if correlation is not None:
            properties.CorrelationData = correlation
        return self._client.publish(topic, payload, qos, retain, properties).mid

    def subscribe(self, topics: tuple[str, ...]) -> None:
        """More topics, once ``Opened``; what is retained on them comes again. A broker that refuses one
        is logged: whoever waits for what is on it notices by its silence."""
        self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])

    def unsubscribe(self, topic: str) -> None:
        self._client.unsubscribe(topic)

    def puback(self, mid: int) -> None:
        """Tell the broker that an ``Arrived`` message is ours now."""
        self._client.ack(mid, 1)

    def close(self) -> None:
        """DISCONNECT, after what was published; waits at most CLOSE_S. ``Closed`` still comes."""
        self._client.disconnect()
        self._over.wait(CLOSE_S)

    def _open(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = self._receive_maximum
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        broker = self._broker
        try:
            self._client.connect(
                broker.host,
                broker.port,
                broker.keepalive_s,
                clean_start=True,
                properties=properties,
            )
        except OSError as error:
            self._end(*_why(error, broker))
            return
        self._client.loop_start()

    def _connected(
        self,
        client: paho.Client,
        _data: Any,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._end("broker_refused", f"The broker refuses: {reason}.")
            return
        self._offered = getattr(properties, "ReceiveMaximum", DEFAULT_RECEIVE_MAXIMUM)
        if not self._topics:
            self._post(self, Opened(self._offered))
            return
        topics = [(topic, SubscribeOptions(qos=1)) for topic in self._topics]
        self._first = client.subscribe(topics)[1]

    def _subscribed(
        self,
        client: paho.Client,
        _data: Any,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if mid != self._first:
            if refused:
                log.warning("the broker refuses to deliver more: %s", refused[0])
            return
        if refused:
            self._end("subscription_refused", f"The broker refuses to deliver: {refused[0]}.")
            client.disconnect()
            return
        self._post(self, Opened(self._offered))

    def _disconnected(
        self,
        _client: paho.Client,
        _data: Any,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._end("connection_lost", f"The connection to the broker ended: {reason}.")

    def _published(
        self,
        _client: paho.Client,
        _data: Any,
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            code = "not_authorized" if reason.value == 135 else "broker_refused"
            self._post(self, Taken(mid, code, f"The broker refuses a message: {reason}."))
        else:
            self._post(self, Taken(mid, None, ""))

    def _arrived(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        content_type = getattr(message.properties, "ContentType", None)
        try:
            topic = message.topic
        except UnicodeDecodeError:  # MQTT 5, 1.5.4: a broker must not; paho only decodes it here
            topic = ""
        mid = message.mid if message.qos > 0 else None
        self._post(
            self,
            Arrived(
                topic,
                bytes(message.payload),
                content_type,
                mid,
                getattr(message.properties, "ResponseTopic", None),
                getattr(message.properties, "CorrelationData", None),
            ),
        )

    def _end(self, code: str, words: str) -> None:
        if not self._over.is_set():
            self._over.set()
            self._post(self, Closed(code, words))


def _no_delay(_client: paho.Client, _data: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _why(error: OSError, broker: Broker) -> tuple[str, str]:
    place = f"{broker.host}:{broker.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "tls_refused", f"The certificate of {place} does not hold: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "tls_failed", f"No TLS with {place}: {error.reason}."
    if isinstance(error, socket.gaierror):
        return "name_unknown", f"The name {broker.host} is not known (DNS)."
    if isinstance(error, TimeoutError):
        return "broker_unreachable", f"{place} does not answer."
    return "broker_unreachable", f"{place} cannot be reached: {error.strerror or error}."


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise OperatorError(
            "password_file_unreadable",
            f"The password file {path} cannot be read ({error.strerror}).",
            "Correct password_file in the settings, or who may read the file.",
            file=path,
            reason=error.strerror,
        ) from error


def _set_tls(client: paho.Client, broker: Broker) -> None:
    try:
        client.tls_set(
            ca_certs=str(broker.ca_file),
            certfile=str(broker.cert_file) if broker.cert_file else None,
            keyfile=str(broker.key_file) if broker.key_file else None,
            tls_version=ssl.PROTOCOL_TLS_CLIENT,
        )
    except (OSError, ValueError) as error:
        raise OperatorError(
            "tls_files",
            f"The TLS files for {broker.host} cannot be used ({error}).",
            "Check ca_file, cert_file and key_file in the settings.",
        ) from error

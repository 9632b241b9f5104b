"""One MQTT 5 connection over paho: bytes, reason codes in words, nothing decided.

A ``Connection`` lives once: ``open`` it, hear ``Opened``, ``Closed`` exactly once at its end, and
make another. paho's own reconnecting is off, because the uplink's rules decide when to try again,
and because a fresh client has no queue in memory that could send something late.

It has one thread, which looks up the name, connects, and then carries all bytes in both directions;
whoever publishes only hands over. Whatever a broker sends, that thread ends in ``Closed``: paho raises at
some of it.

Bursts of ten QoS 1 messages, measured: 223 a second with Nagle's algorithm, 9,308 with TCP_NODELAY
at both ends. paho ignores the broker's Receive Maximum and Maximum Packet Size; they are told here.
TCP_USER_TIMEOUT (RFC 5482) ends a half-open connection soon after something was said into it, also where
the keepalive is a quarter of an hour.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from sync import mqtt_reasons, mqtt_tls
from sync.mqtt_events import (
    DEFAULT_PACKET_BYTES,
    DEFAULT_RECEIVE_MAXIMUM,
    Arrived,
    Broker,
    Closed,
    Denied,
    MqttEvent,
    Opened,
    Taken,
)
from sync.mqtt_reach import addresses, password, why

__all__ = ["Arrived", "Broker", "Closed", "Connection", "Denied", "MqttEvent", "Opened", "Taken"]

MAX_PACKET_BYTES = 200_000
"""The largest packet that is taken: a batch is at most 128 KiB."""
PACKET_ROOM_BYTES = 200
"""Beside topic and payload: fixed header, packet id, content type, correlation data."""
CONNECT_S = 5.0
"""For one address to answer, and for each step of the handshake."""
UNHEARD_MS = 30_000
"""What was sent and not acknowledged by the other end's TCP for so long was said into nothing."""
CLOSE_S = 2.0
CLOSE_WAIT = 8
"""Linux's TCP_CLOSE_WAIT (net/tcp_states.h): the other end has sent its FIN."""

log = logging.getLogger("kiosk.mqtt")

mqtt_reasons.allow_every_reason()


_GARBLED = (LookupError, ValueError, TypeError, struct.error, MQTTException)
"""What paho raises at bytes that are no MQTT."""


class Connection:
    """One connection. Events come on its own thread, through ``post``.

    ``tls`` is shared by a program's connections one after the other; its own where none is given.
    """

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
        tls: mqtt_tls.Tls | None = None,
    ) -> None:
        self._broker = broker
        self._post = post
        self._topics = topics
        self._receive_maximum = receive_maximum
        self._opened = Opened(DEFAULT_RECEIVE_MAXIMUM)
        self._over = threading.Event()
        self._closing = threading.Event()
        self._sock: Any = None
        self._wire: socket.socket | None = None
        """The same TCP connection under another descriptor: to end it from any thread."""
        self._wire_lock = threading.Lock()
        self._tls = tls or (mqtt_tls.Tls(broker) if broker.ca_file else None)
        self._first: int | None = None
        """The subscription without which the connection is of no use."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=manual_ack,
        )
        client.connect_timeout = CONNECT_S
        client.on_socket_open = self._prepared
        client.on_socket_register_write = _woken
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._arrived
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        if broker.username is not None:
            client.username_pw_set(broker.username, password(broker.password_file))
        if self._tls is not None:
            client.tls_set_context(self._tls.context(time.monotonic()))
        self._client = client

    def open(self) -> None:
        """Begin; names and TLS may take long, so on a thread of its own."""
        threading.Thread(target=self._run, name="mqtt", daemon=True).start()

    def fits(self, topic: str, payload: bytes) -> bool:
        """Whether the broker takes a message of this size (MQTT 5, 3.2.2.3.6)."""
        size = len(topic.encode()) + len(payload) + PACKET_ROOM_BYTES
        return size <= self._opened.packet_bytes

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        content_type: str | None = None,
        correlation: bytes | None = None,
        response_topic: str | None = None,
    ) -> int:
        """Hand a message over; its PUBACK comes as ``Taken`` with the number returned."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if content_type is not None:
            properties.ContentType = content_type
        if correlation is not None:
            properties.CorrelationData = correlation
        if response_topic is not None:
            properties.ResponseTopic = response_topic
        return self._client.publish(topic, payload, qos, retain, properties).mid

    def subscribe(self, topics: tuple[str, ...]) -> None:
        """More topics, once ``Opened``; what is retained on them comes again. ``Denied`` for those that
        the broker refuses."""
        self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])

    def unsubscribe(self, topic: str) -> None:
        self._client.unsubscribe(topic)

    def puback(self, mid: int) -> None:
        """Tell the broker that an ``Arrived`` message is ours now."""
        self._client.ack(mid, 1)

    def close(self) -> None:
        """DISCONNECT, after what was published; waits at most CLOSE_S and then hangs up. ``Closed`` still
        comes, unless the connection was never made."""
        self._closing.set()
        if self._client.disconnect() is MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._over.wait(CLOSE_S)
        self._hang_up()

    # --- its thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if not self._reach():
                return
            while self._client.loop(1.0) is MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass
        except _GARBLED as error:
            log.warning("the broker sends what is no MQTT: %r", error)
            self._end("protocol_error", "The broker sends what is no MQTT.")
        finally:
            self._hang_up(last=True)
            self._end("connection_lost", "The connection to the broker ended.")

    def _reach(self) -> bool:
        """Name, TCP, TLS; CONNECT is written with the first turn of the loop."""
        broker = self._broker
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = self._receive_maximum
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        last: OSError = OSError("no address")
        try:
            for address in addresses(broker.host, broker.port):
                try:
                    self._client.connect(
                        address,
                        broker.port,
                        broker.keepalive_s,
                        clean_start=True,
                        properties=properties,
                    )
                except OSError as error:
                    last = error
                    continue
                return not self._closing.is_set()  # else it would take over the one made since
        except OSError as error:
            last = error
        self._end(*why(last, broker))
        return False

    def _prepared(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
        with self._wire_lock:
            self._sock, self._wire = sock, socket.socket(fileno=os.dup(sock.fileno()))

    def _hang_up(self, *, last: bool = False) -> None:
        """End the TCP connection from whichever thread; the loop meets its end."""
        with self._wire_lock:
            if self._wire is not None:
                with contextlib.suppress(OSError):  # the other end was first
                    self._wire.shutdown(socket.SHUT_RDWR)
                if last:
                    self._wire.close()
                    self._wire = None

    def _connected(
        self,
        client: paho.Client,
        _data: Any,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            code, words = mqtt_reasons.reason("connect", reason.value)
            self._end(code, words + _said(properties))
            return
        self._opened = Opened(
            getattr(properties, "ReceiveMaximum", DEFAULT_RECEIVE_MAXIMUM),
            getattr(properties, "MaximumPacketSize", DEFAULT_PACKET_BYTES),
        )
        for name, value in (
            ("MaximumQoS", mqtt_reasons.NO_QOS1),
            ("RetainAvailable", mqtt_reasons.NO_RETAIN),
        ):
            if getattr(properties, name, 1) == 0:
                code, words = mqtt_reasons.reason("connect", value)
                self._end(code, words)
                client.disconnect()
                return
        if not self._topics:
            self._post(self, self._opened)
            return
        topics = [(topic, SubscribeOptions(qos=1)) for topic in self._topics]
        self._first = client.subscribe(topics)[1]

    def _subscribed(
        self,
        client: paho.Client,
        _data: Any,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        refused = [reason.value for reason in reasons if reason.is_failure]
        if refused:
            code, words = mqtt_reasons.reason("subscribe", refused[0])
            if mid == self._first:
                self._end(code, words + _said(properties))
                client.disconnect()
            else:
                self._post(self, Denied(code, words + _said(properties)))
        elif mid == self._first:
            if self._tls is not None:
                self._tls.used(self._sock, time.monotonic())
            self._post(self, self._opened)

    def _disconnected(
        self,
        _client: paho.Client,
        _data: Any,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        trouble = getattr(self._sock, "trouble", None)
        if flags.is_disconnect_packet_from_server and reason.value >= mqtt_reasons.FAILURE:
            code, words = mqtt_reasons.reason("disconnect", reason.value)
            self._end(code, words + _said(properties))
        elif trouble is not None:
            self._end(*mqtt_tls.why(trouble, f"{self._broker.host}:{self._broker.port}"))
        elif reason.value == mqtt_reasons.KEEPALIVE:
            self._end("keepalive_lost", "The broker was not heard for too long.")
        elif reason.value == mqtt_reasons.PROTOCOL:
            self._end("protocol_error", "The broker sends what is no MQTT.")
        elif self._hung_up():
            self._end("hung_up", "The broker ended the connection without a reason.")
        else:
            self._end("connection_lost", "The connection to the broker ended.")

    def _hung_up(self) -> bool:
        """Whether the other end closed in good order. A line that fails does not; and some brokers tell a
        client no more when another one has its name (mosquitto 2.0.11 among them)."""
        with self._wire_lock:
            if self._wire is None:
                return False
            return self._wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == CLOSE_WAIT

    def _published(
        self,
        _client: paho.Client,
        _data: Any,
        mid: int,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.value >= mqtt_reasons.FAILURE:
            code, words = mqtt_reasons.reason("publish", reason.value)
            self._post(self, Taken(mid, code, words + _said(properties)))
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


def _woken(_client: paho.Client, _data: Any, _sock: Any) -> None:
    """paho wants to write: the loop's select was woken by it, and writes. Without this the thread that
    publishes would write too, into the middle of a packet."""


def _said(properties: Properties | None) -> str:
    """What the broker adds to a reason: its own words, another server's name (MQTT 5, 3.2.2.3)."""
    added = [getattr(properties, name, None) for name in ("ReasonString", "ServerReference")]
    told = [f"{each}"[:200] for each in added if each]
    return f" ({'; '.join(told)})" if told else ""

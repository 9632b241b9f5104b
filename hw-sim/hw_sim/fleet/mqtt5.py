"""As much of MQTT 5 (OASIS, 2019) as a station's uplink speaks: packets to bytes, and bytes to packets.

The product speaks through paho, with a thread for each connection; a thousand stations in one process
need something lighter. Nothing here decides anything: a packet that is none raises ``NotMqtt``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP = 8, 9, 12, 13
MAX_PACKET_BYTES = 300_000
DEFAULT_RECEIVE_MAXIMUM = 65_535
"""3.2.2.3.3, when the broker says nothing."""
FAILURE = 0x80
"""Reason codes from here on are refusals (2.4)."""

CONTENT_TYPE, RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE = 0x03, 0x21, 0x27
_USER_PROPERTY = 0x26
_WIDTHS = (
    dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1)
    | dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2)
    | dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4)
)
"""Properties that are a number of so many bytes (2.2.2.2)."""
_TEXTS = frozenset((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F))


class NotMqtt(ValueError):
    """The bytes are no packet that a broker may send to this client."""


@dataclass(frozen=True, slots=True)
class Connack:
    """``reason`` 0: connected."""

    reason: int
    receive_maximum: int


@dataclass(frozen=True, slots=True)
class Suback:
    """The broker's answer for each topic."""

    reasons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Puback:
    """The broker's answer to a message."""

    packet_id: int
    reason: int


@dataclass(frozen=True, slots=True)
class Published:
    """A message; ``packet_id`` None at QoS 0."""

    topic: str
    payload: bytes
    packet_id: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The broker ends the connection, with its reason."""

    reason: int


@dataclass(frozen=True, slots=True)
class Other:
    """A packet of no interest: PINGRESP."""

    kind: int


Packet = Connack | Suback | Puback | Published | Ended | Other


# --- to bytes ------------------------------------------------------------------------------------


def connect(client_id: str, *, keepalive_s: int, will: tuple[str, bytes] | None = None) -> bytes:
    """A clean start; ``will`` is retained, at QoS 1."""
    properties = bytes((RECEIVE_MAXIMUM,)) + (20).to_bytes(2, "big")
    properties += bytes((MAXIMUM_PACKET_SIZE,)) + MAX_PACKET_BYTES.to_bytes(4, "big")
    flags, payload = 0x02, _text(client_id)
    if will is not None:
        flags |= 0x04 | 0x08 | 0x20
        payload += b"\0" + _text(will[0]) + _binary(will[1])
    head = _text("MQTT") + bytes((5, flags)) + keepalive_s.to_bytes(2, "big")
    return _packet(CONNECT, 0, head + _varint(len(properties)) + properties + payload)


def subscribe(packet_id: int, topics: tuple[str, ...]) -> bytes:
    """At QoS 1."""
    body = packet_id.to_bytes(2, "big") + b"\0"
    return _packet(SUBSCRIBE, 2, body + b"".join(_text(topic) + b"\1" for topic in topics))


def publish(
    topic: str, payload: bytes, packet_id: int, *, retain: bool = False, content_type: str = ""
) -> bytes:
    """At QoS 1."""
    properties = bytes((CONTENT_TYPE,)) + _text(content_type) if content_type else b""
    body = _text(topic) + packet_id.to_bytes(2, "big") + _varint(len(properties)) + properties
    return _packet(PUBLISH, 2 | retain, body + payload)


def puback(packet_id: int) -> bytes:
    """Taken."""
    return _packet(PUBACK, 0, packet_id.to_bytes(2, "big"))


PING = bytes((PINGREQ << 4, 0))


def _packet(kind: int, flags: int, body: bytes) -> bytes:
    return bytes((kind << 4 | flags,)) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | 0x80 if number else low)
        if not number:
            return bytes(out)


def _text(text: str) -> bytes:
    return _binary(text.encode())


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


# --- from bytes ----------------------------------------------------------------------------------


class Decoder:
    """Packets out of a stream, however it is cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """What is whole by now."""
        self._buffer += data
        while (found := self._whole()) is not None:
            first, body = found
            try:
                yield _decoded(first >> 4, first & 0x0F, _Reader(body))
            except (IndexError, UnicodeDecodeError) as error:
                raise NotMqtt("a packet that ends too soon, or no UTF-8") from error

    def _whole(self) -> tuple[int, bytes] | None:
        length = shift = 0
        for place in range(1, 5):
            if place >= len(self._buffer):
                return None
            length |= (self._buffer[place] & 0x7F) << shift
            shift += 7
            if self._buffer[place] < 0x80:
                break
        else:
            raise NotMqtt("a length of more than four bytes")
        if length > MAX_PACKET_BYTES:
            raise NotMqtt("a packet larger than was allowed")
        end = place + 1 + length
        if len(self._buffer) < end:
            return None
        first, body = self._buffer[0], bytes(self._buffer[place + 1 : end])
        del self._buffer[:end]
        return first, body


class _Reader:
    """Reads a packet's body; IndexError past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise IndexError(size)
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def varint(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise NotMqtt("a number of more than four bytes")

    def properties(self) -> dict[int, int]:
        """The numbers among them, by identifier."""
        inner = _Reader(self.take(self.varint()))
        found: dict[int, int] = {}
        while inner.left:
            name = inner.varint()
            if name in _WIDTHS:
                found[name] = inner.number(_WIDTHS[name])
            elif name in _TEXTS:
                inner.take(inner.number(2))
            elif name == _USER_PROPERTY:
                inner.take(inner.number(2))
                inner.take(inner.number(2))
            elif name == 0x0B:
                inner.varint()
            else:
                raise NotMqtt(f"property {name} is none")
        return found


def _decoded(kind: int, flags: int, body: _Reader) -> Packet:
    match kind:
        case 2:
            body.take(1)  # session present
            reason = body.number(1)
            return Connack(reason, body.properties().get(RECEIVE_MAXIMUM, DEFAULT_RECEIVE_MAXIMUM))
        case 3:
            topic = body.take(body.number(2)).decode()
            packet_id = body.number(2) if flags & 0x06 else None
            body.properties()
            return Published(topic, body.take(body.left), packet_id)
        case 4:
            return Puback(body.number(2), body.number(1) if body.left else 0)
        case 9:
            body.take(2)
            body.properties()
            return Suback(tuple(body.take(body.left)))
        case 14:
            return Ended(body.number(1) if body.left else 0)
        case 13:
            return Other(kind)
    raise NotMqtt(f"packet {kind} is none that a broker sends to a station")

"""What there is to say to and to hear from one MQTT connection: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_RECEIVE_MAXIMUM = 65_535
"""MQTT 5, 3.2.2.3.3: when the broker says nothing."""
DEFAULT_PACKET_BYTES = 268_435_460
"""MQTT 5, 2.1.4: the largest packet there can be, when the broker says nothing (3.2.2.3.6)."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to be let in; TLS when a ``ca_file`` is given.

    ``metered``: the line is paid for by the byte, so TLS sessions are resumed (``mqtt_tls``).
    """

    host: str
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    crl_file: Path | None = None
    keepalive_s: int = 60
    metered: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """Connected and subscribed; ``packet_bytes`` the largest packet that the broker takes."""

    receive_maximum: int
    packet_bytes: int = DEFAULT_PACKET_BYTES


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
class Denied:
    """The broker refuses to deliver one of the later topics; the connection goes on without it."""

    code: str
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


MqttEvent = Opened | Closed | Taken | Denied | Arrived

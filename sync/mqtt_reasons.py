"""MQTT 5's reason codes, as stable codes of ours and in words (MQTT 5, 2.4 and the tables of 3.x.2.1).

A code says what people can do about it, so several of the standard's share one. What is not in the table
counts as a plain refusal: a broker may be newer than we are.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

Answered = Literal["connect", "publish", "subscribe", "disconnect"]
"""Which packet of the broker's carried the code: CONNACK, PUBACK, SUBACK or DISCONNECT."""

FAILURE = 0x80
"""Codes from here on are refusals."""
PROTOCOL, NOT_AUTHORIZED, KEEPALIVE, NO_RETAIN, NO_QOS1 = 0x82, 0x87, 0x8D, 0x9A, 0x9B

_CODES: dict[int, tuple[str, str]] = {
    0x80: ("broker_refused", "The broker refuses, without a reason."),
    0x81: ("protocol_error", "The broker finds a packet malformed."),
    0x82: ("protocol_error", "The broker finds the protocol broken."),
    0x83: ("broker_refused", "The broker refuses, for a reason of its own."),
    0x84: ("wrong_version", "The broker does not speak MQTT 5."),
    0x85: ("client_id_refused", "The broker does not take the client's name."),
    0x86: ("login_refused", "The broker does not know the user name or the password."),
    0x87: ("login_refused", "The broker does not let the station in."),
    0x88: ("broker_busy", "The broker is not available."),
    0x89: ("broker_busy", "The broker is busy."),
    0x8A: ("banned", "The broker has shut this station out."),
    0x8B: ("broker_restarting", "The broker is shutting down."),
    0x8C: ("login_refused", "The broker wants another way of logging in."),
    0x8D: ("keepalive_lost", "The broker heard nothing for too long."),
    0x8E: ("taken_over", "Another client connected under this station's name."),
    0x8F: ("topic_refused", "The broker does not take a topic filter."),
    0x90: ("topic_refused", "The broker does not take a topic."),
    0x91: ("protocol_error", "The broker finds a packet number in use."),
    0x92: ("protocol_error", "The broker does not know a packet number."),
    0x93: ("receive_maximum", "The broker was sent more at once than it takes."),
    0x94: ("protocol_error", "The broker finds a topic alias wrong."),
    0x95: ("packet_too_large", "A packet is larger than the broker takes."),
    0x96: ("rate_too_high", "The broker finds that too much is sent."),
    0x97: ("quota", "The broker's quota is used up."),
    0x98: ("admin_action", "The broker's administrator ended the connection."),
    0x99: ("payload_refused", "The broker finds the form of a message wrong."),
    0x9A: ("no_retain", "The broker keeps no retained messages."),
    0x9B: ("no_qos1", "The broker does not take QoS 1."),
    0x9C: ("other_broker", "The broker sends the station to another one."),
    0x9D: ("other_broker", "The broker has moved."),
    0x9E: ("no_shared", "The broker knows no shared subscriptions."),
    0x9F: ("rate_too_high", "Too many connections come to the broker at once."),
    0xA0: ("broker_restarting", "The broker ends connections of this age."),
    0xA1: ("broker_refused", "The broker takes no subscription identifiers."),
    0xA2: ("topic_refused", "The broker takes no wildcard subscriptions."),
}

_OWN: dict[tuple[Answered, int], tuple[str, str]] = {
    ("publish", NOT_AUTHORIZED): ("not_authorized", "The broker lets the station not send this."),
    ("subscribe", NOT_AUTHORIZED): (
        "subscription_refused",
        "The broker lets the station not hear this.",
    ),
}
"""Where the packet makes another thing of the same code."""


def reason(answered: Answered, value: int) -> tuple[str, str]:
    """(code, words) for a refusal, ``value`` from 0x80 on."""
    found = _OWN.get((answered, value)) or _CODES.get(value)
    return found or ("broker_refused", f"The broker refuses (reason {value}).")


def allow_every_reason() -> None:
    """Make paho take every reason code in every packet.

    It knows which codes the standard lists for which packet and ends the connection at any other: with
    mosquitto's PUBACK 0x95 (``message_size_limit``) that is an endless round of connecting, and nobody
    hears why. Its table is data; this gives it a name for each packet and value that it lacks.
    """
    kinds = (
        PacketTypes.CONNACK,
        PacketTypes.PUBACK,
        PacketTypes.SUBACK,
        PacketTypes.UNSUBACK,
        PacketTypes.DISCONNECT,
    )
    names = {value: dict(known) for value, known in ReasonCode.names.items()}
    for value in range(256):
        known = names.setdefault(value, {})
        lacking = [kind for kind in kinds if not any(kind in each for each in known.values())]
        if lacking:
            known[f"Reason {value}"] = lacking
    ReasonCode.names = MappingProxyType(names)

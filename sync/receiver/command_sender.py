"""A receiver's part in the city's commands: sends those that are due, stores the stations' answers.

Nothing is kept here: what is due is looked for in the database once a second, so a command given by a
program beside is sent within that time, and any receiver may send it and take its answer.
"""

from __future__ import annotations

import logging
from typing import Protocol

import msgspec
import sqlalchemy as sa

from sync.messages import Malformed, inflate
from sync.messages.commands import is_signed, read_reply
from sync.messages.content import CONTENT_JSON
from sync.mqtt import Arrived
from sync.receiver import command_table
from sync.receiver.database import reading
from sync.receiver.registry import valid_keys
from sync.signing import Signer

TOPICS = ("$share/receivers/kiosk/v1/+/+/reply",)
"""The stations' births come beside, to every receiver (``heard``)."""
MAX_STATE_BYTES = 4096

log = logging.getLogger("kiosk.receiver")


class _State(msgspec.Struct):
    online: bool


class Publish(Protocol):
    """``Connection.publish``, as far as commands go."""

    def __call__(
        self,
        topic: str,
        payload: bytes,
        *,
        content_type: str,
        correlation: bytes,
        response_topic: str,
    ) -> int: ...


def send_due(engine: sa.Engine, signer: Signer, now_ms: int, publish: Publish) -> int:
    """Send what is due; how many that were."""
    with reading(engine) as connection:
        if not command_table.any_due(connection, now_ms):
            return 0
    with engine.begin() as connection:
        claimed = command_table.claim(connection, now_ms)
    for each in claimed:
        prefix = f"kiosk/v1/{each.city}/{each.station}/"
        publish(
            prefix + "command",
            command_table.signed(each, signer, now_ms),
            content_type=CONTENT_JSON,
            correlation=each.id.encode(),
            response_topic=prefix + "reply",
        )
    return len(claimed)


def takes(topic: str) -> bool:
    """Whether a message on ``topic`` is for ``take``."""
    return topic.endswith(("/reply", "/state"))


def take(engine: sa.Engine, messages: list[Arrived], now_ms: int) -> None:
    """Store what stations said of commands, and that they are there. What they cannot have said is
    passed over, and logged."""
    if not messages:
        return
    with engine.begin() as connection:
        for message in messages:
            city, station, name = message.topic.split("/")[2:5]
            if name == "state":
                if _online(message):
                    command_table.station_is_there(connection, city, station, now_ms)
                continue
            try:
                reply, signature = read_reply(inflate(message.content_type, message.payload))
            except Malformed as malformed:
                log.warning("%s/%s: no reply: %s", city, station, malformed)
                continue
            keys = valid_keys(connection, city, station)
            if not any(is_signed(reply, signature, city, station, key) for key in keys):
                log.warning("%s/%s: a reply that the station has not signed", city, station)
            elif command_table.answered(connection, city, station, reply, now_ms):
                log.info("%s/%s: command %s: %s", city, station, reply.id, reply.code or "done")


def _online(message: Arrived) -> bool:
    if len(message.payload) > MAX_STATE_BYTES:
        return False
    try:
        return msgspec.json.decode(message.payload, type=_State).online
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False

"""The uplink's part in what the city says beside its acknowledgement: lists, commands, catalogue, tariff,
points. It carries words to the station, carries the station's reply back, and asks the broker for what the
station wants next. It judges nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sync.messages import Malformed, deflate, inflate
from sync.mqtt import Arrived, Connection
from sync.station_link import Hello, StationLink, StationRefused

Send = Callable[[str, bytes, str | None, bytes | None], None]
"""Publishes topic, payload, content type and correlation data at QoS 1, as soon as there is room."""

log = logging.getLogger("kiosk.uplink")


def prefix(hello: Hello) -> str:
    """What all of the station's topics begin with."""
    return f"kiosk/v1/{hello.city}/{hello.station}/"


def topic_of(hello: Hello, name: str) -> str:
    """``name`` as the station says it: below its own topics, or with a leading slash the city's."""
    return f"kiosk/v1/{hello.city}{name}" if name.startswith("/") else prefix(hello) + name


def name_of(hello: Hello, topic: str) -> str | None:
    """The station's name for a topic; None for one that is not of this station or its city."""
    if topic.startswith(prefix(hello)):
        return topic.removeprefix(prefix(hello))
    name = topic.removeprefix(f"kiosk/v1/{hello.city}")
    return name if name in hello.listens and name.startswith("/") else None


class Relay:
    """One connection to the broker after another, and what was asked for on this one."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    def listen(self, hello: Hello, connection: Connection) -> None:
        """Hear what is retained, at each new connection and each new process of the station's."""
        self._asked.clear()
        if hello.listens:
            connection.subscribe(tuple(topic_of(hello, name) for name in hello.listens))

    def hand_in(
        self,
        station: StationLink,
        hello: Hello,
        connection: Connection,
        message: Arrived,
        send: Send,
    ) -> bool:
        """A message that is no acknowledgement; whether state and health are asked for anew. Raises
        StationGone.

        What the station does not listen to for good it asked for once: it is retained, and large.
        """
        name = name_of(hello, message.topic)
        if name is None:
            return False
        if name not in hello.listens:
            self._asked.discard(name)
            connection.unsubscribe(message.topic)
        try:
            text = inflate(message.content_type, message.payload).decode()
        except (Malformed, UnicodeDecodeError):
            text = ""  # the station says that it is none, and tells people
        try:
            verdict = station.word(name, text)
        except StationRefused as refused:
            log.warning("the station refuses %s: %s", name, refused)
            return False
        if verdict.reason is not None:
            log.info("%s does not count: %s", name, verdict.reason)
        if verdict.reply is not None:
            _reply(hello, send, message, verdict.reply)
        wants = [each for each in verdict.wants if each not in self._asked]
        if wants:
            self._asked.update(each for each in wants if each not in hello.listens)
            connection.subscribe(tuple(topic_of(hello, each) for each in wants))
        return verdict.refresh


def _reply(hello: Hello, send: Send, message: Arrived, payload: str) -> None:
    """To the response topic that the message named, where that is the station's own (another would
    be refused by the broker, and is nobody's to ask for), else to ``reply``."""
    own = prefix(hello) + "reply"
    asked = message.response_topic
    topic = asked if asked is not None and (asked + "/").startswith(own + "/") else own
    content_type, data = deflate(payload.encode())
    send(topic, data, content_type, message.correlation)

"""The uplink's part in the city's lists of cards: it carries words to the station, and asks the broker for
what the station wants next. It judges nothing."""

from __future__ import annotations

import logging

from sync.messages import Malformed, inflate
from sync.mqtt import Arrived, Connection
from sync.station_link import Hello, StationLink, StationRefused

log = logging.getLogger("kiosk.uplink")


def prefix(hello: Hello) -> str:
    """What all of the station's topics begin with."""
    return f"kiosk/v1/{hello.city}/{hello.station}/"


class ListRelay:
    """One connection to the broker after another, and what was asked for on this one."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    def listen(self, hello: Hello, connection: Connection) -> None:
        """Hear what is retained, at each new connection and each new process of the station's."""
        self._asked.clear()
        if hello.listens:
            connection.subscribe(tuple(prefix(hello) + name for name in hello.listens))

    def hand_in(
        self, station: StationLink, hello: Hello, connection: Connection, message: Arrived
    ) -> None:
        """A message that is no acknowledgement. Raises StationGone.

        What the station does not listen to for good it asked for once: it is retained, and large.
        """
        if not message.topic.startswith(prefix(hello)):
            return
        name = message.topic.removeprefix(prefix(hello))
        if name not in hello.listens:
            self._asked.discard(name)
            connection.unsubscribe(message.topic)
        try:
            text = inflate(message.content_type, message.payload).decode()
        except (Malformed, UnicodeDecodeError):
            text = ""  # the station says that it is none, and tells people
        try:
            verdict = station.card_list(name, text)
        except StationRefused as refused:
            log.warning("the station refuses %s: %s", name, refused)
            return
        if verdict.reason is not None:
            log.info("%s does not count: %s", name, verdict.reason)
        wants = [each for each in verdict.wants if each not in self._asked]
        if wants:
            self._asked.update(each for each in wants if each not in hello.listens)
            connection.subscribe(tuple(prefix(hello) + each for each in wants))

"""Where a main thread's events meet: bounded, except for what must never wait.

paho tells a PUBACK while it holds the lock that publishing needs. Who waits there for a place waits for
the main thread, which may be waiting for that lock: both for good. So a PUBACK takes no place. There is
at most one for each message that the main thread published since it last looked, which bounds them.
Order is kept: all lie in one line.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Generic, TypeVar

from sync.mqtt import Connection
from sync.mqtt_events import MqttEvent, Taken

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class FromBroker:
    """An event of ``connection``, which may be an old one."""

    connection: Connection
    event: MqttEvent


class Inbox(Generic[Item]):
    """Posters wait while ``places`` items lie here, but ``hear`` never for a PUBACK."""

    def __init__(self, places: int) -> None:
        self._room = threading.Semaphore(places)
        self._line: queue.SimpleQueue[tuple[Item | FromBroker, bool]] = queue.SimpleQueue()

    def put(self, item: Item | FromBroker) -> None:
        """Waits for a place."""
        self._room.acquire()
        self._line.put((item, True))

    def hear(self, connection: Connection, event: MqttEvent) -> None:
        """For a ``Connection`` to post to."""
        item = FromBroker(connection, event)
        if isinstance(event, Taken):
            self._line.put((item, False))
        else:
            self.put(item)

    def get(self, timeout_s: float) -> Item | FromBroker:
        """The next item; ``queue.Empty`` after ``timeout_s`` seconds without one."""
        item, placed = self._line.get(timeout=timeout_s) if timeout_s else self._line.get_nowait()
        if placed:
            self._room.release()
        return item

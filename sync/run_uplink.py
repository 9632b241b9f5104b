"""The uplink's process: carries events to the rules in ``uplink`` and their actions out.

Threads: the main one owns the rules, the requests to the station and everything published; one
waits in the station for news of its ledger (``Watcher``); paho has its own. All meet in one
bounded inbox, whose posters wait when it is full.
"""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kiosk.core.errors import OperatorError
from sync.ending import Ending
from sync.health_teller import HealthTeller
from sync.messages import Offline, Online, deflate
from sync.mqtt import Arrived, Broker, Closed, Connection, MqttEvent, Opened, Taken
from sync.notify import notify
from sync.relay import Relay, prefix
from sync.station_desk import StationDesk
from sync.station_link import Hello, StationGone
from sync.station_watch import Greeted, Watcher
from sync.uplink import Link, Uplink
from sync.uplink_events import (
    AckArrived,
    Action,
    Announce,
    Connect,
    Disconnect,
    Event,
    Fetch,
    Judge,
    LinkDown,
    LinkUp,
    Puback,
    Publish,
    Report,
    StationDown,
    StationUp,
    Tick,
)

INBOX = 1000
"""Events on their way to the main thread."""
BEAT_S = 0.5
"""The main thread looks around at least this often: signals, the watchdog."""
STALE_S = 40.0
"""A watcher that showed no life for so long stops the watchdog's food."""

log = logging.getLogger("kiosk.uplink")


@dataclass(frozen=True, slots=True)
class _FromBroker:
    """An event of ``connection``, which may be an old one."""

    connection: Connection
    event: MqttEvent


_Inbox = queue.Queue[Greeted | _FromBroker | Event]


def run_uplink(
    socket_path: Path,
    broker: Broker,
    *,
    health_s: float = 3600.0,
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """Carry the ledger behind ``socket_path`` to the city until SIGTERM or SIGINT.

    ``health_s`` seconds between health messages when nothing changes. ``on_started`` is called
    once, when the signals are in place. Must run on the main thread.
    """
    inbox: _Inbox = queue.Queue(INBOX)
    ending = Ending()
    ending.heed()
    threading.excepthook = _die
    on_started()
    watcher = Watcher(socket_path, inbox.put)
    process = _Process(socket_path, broker, inbox, watcher, health_s)
    watcher.start()
    notify("READY=1")
    process.run(ending)
    notify("STOPPING=1")


def _die(args: threading.ExceptHookArgs) -> None:
    """Our own bug in a thread: say it and end, so that systemd starts the process anew."""
    log.critical("a thread failed: %s", args.exc_type, exc_info=args.exc_value)
    os._exit(70)


class _Process:
    """The main thread's loop."""

    def __init__(
        self, path: Path, broker: Broker, inbox: _Inbox, watcher: Watcher, health_s: float
    ) -> None:
        self._broker = broker
        self._inbox = inbox
        self._watcher = watcher
        self._rules = Uplink(random.random)
        self._hello: Hello | None = None
        self._desk = StationDesk(path, watcher)
        self._health = HealthTeller(self._desk, health_s)
        self._connection: Connection | None = None
        self._open = False
        self._relay = Relay()
        self._batches: set[int] = set()  # message numbers whose PUBACK the rules wait for

    def run(self, ending: Ending) -> None:
        """Until asked to end."""
        while not ending.asked:
            event = self._event(self._next())
            if event is not None:
                self._handle(event)
            if self._rules.deadline_ms is not None and _now_ms() >= self._rules.deadline_ms:
                self._handle(Tick())
            if self._health.due:
                self._tell_health()
            if time.monotonic() - self._watcher.beat_s < STALE_S:
                notify("WATCHDOG=1")
        if self._connection is not None and self._hello is not None:
            self._publish_state(self._hello, Offline())
            self._connection.close()
        self._desk.close()

    def _next(self) -> Greeted | _FromBroker | Event | None:
        patience_s = BEAT_S
        if self._rules.deadline_ms is not None:
            patience_s = min(patience_s, (self._rules.deadline_ms - _now_ms()) / 1000)
        try:
            return self._inbox.get(timeout=max(patience_s, 0.0))
        except queue.Empty:
            return None

    def _event(self, item: Greeted | _FromBroker | Event | None) -> Event | None:
        """What came, in the rules' words."""
        if isinstance(item, Greeted):
            hello = item.hello
            if self._hello is not None and hello.station != self._hello.station:
                # The settings were changed: other topics, another will.
                self._drop_connection()
                self._handle(LinkDown("station_renamed", "The station has another name now."))
            self._hello = hello
            self._desk.greeted(item.number)
            self._health.hurry()
            self._listen()
            return StationUp(hello.ledger, hello.head_seq, hello.watermark, hello.epoch)
        if not isinstance(item, _FromBroker):
            return item
        if item.connection is not self._connection:
            return None
        match item.event:
            case Opened(receive_maximum):
                self._open = True
                self._listen()
                # Two places are for state and health, which the rules do not count.
                return LinkUp(max(1, receive_maximum - 2))
            case Closed(code, words):
                self._connection, self._open = None, False
                return LinkDown(code, words)
            case Taken(mid, code, words):
                if mid not in self._batches:
                    return None
                self._batches.discard(mid)
                return Puback(code, words)
            case Arrived(topic, payload):
                if topic == self._topic("ack"):
                    return AckArrived(payload)
                return self._hand_in(item.event)

    def _handle(self, event: Event) -> None:
        pending = deque([event])  # at most a window of fetched batches
        while pending:
            for action in self._rules.handle(pending.popleft(), _now_ms()):
                outcome = self._carry_out(action)
                if outcome is not None:
                    pending.append(outcome)

    def _carry_out(self, action: Action) -> Event | None:
        match action:
            case Connect():
                return self._connect()
            case Disconnect():
                self._drop_connection()
            case Publish(_, payload):
                content_type, data = deflate(payload)
                if self._connection is not None:
                    self._batches.add(
                        self._connection.publish(
                            self._topic("ledger"), data, content_type=content_type
                        )
                    )
            case Announce(station):
                if self._hello is not None:
                    birth = Online(station, self._hello.software, self._hello.ledger)
                    self._publish_state(self._hello, birth)
            case Report():
                log.info("link: online=%s %s %s", action.online, action.code or "", action.words)
                return self._desk.ask(action)
            case Fetch() | Judge():
                return self._desk.ask(action)
        return None

    # --- the station -----------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._hello is not None and self._connection is not None and self._open:
            self._relay.listen(self._hello, self._connection)

    def _hand_in(self, message: Arrived) -> Event | None:
        """A word of the city's."""
        if self._hello is None or self._connection is None:
            return None
        try:
            if self._relay.hand_in(self._desk.link(), self._hello, self._connection, message):
                self._say_anew(self._hello)
        except StationGone as gone:
            return self._desk.lost(gone)
        return None

    def _say_anew(self, hello: Hello) -> None:
        """State and health, whether or not they have changed."""
        self._publish_state(hello, Online(self._rules.station, hello.software, hello.ledger))
        self._health.say_anew()

    # --- the broker ------------------------------------------------------------------------------

    def _topic(self, name: str, hello: Hello | None = None) -> str:
        whose = hello or self._hello
        assert whose is not None, "nothing is published before the station has said its name"
        return prefix(whose) + name

    def _connect(self) -> Event | None:
        """Begin a connection; LinkDown where the settings' files cannot be used for one.

        They are read anew at each try: whoever mends them need not restart anything.
        """
        hello = self._hello
        assert hello is not None, "the rules connect only after hello"
        self._batches.clear()
        try:
            self._connection = Connection(
                self._broker,
                lambda connection, event: self._inbox.put(_FromBroker(connection, event)),
                client_id=f"kiosk-{hello.city}-{hello.station}",
                topics=(self._topic("ack"),),
                will=(self._topic("state"), msgspec.json.encode(Offline())),
            )
        except OperatorError as error:
            return LinkDown(error.code, f"{error}")
        self._connection.open()
        return None

    def _drop_connection(self) -> None:
        if self._connection is not None:
            old, self._connection, self._open = self._connection, None, False
            old.close()

    def _publish_state(self, hello: Hello, state: Online | Offline) -> None:
        if self._connection is not None:
            payload = msgspec.json.encode(state)
            self._connection.publish(self._topic("state", hello), payload, retain=True)

    def _tell_health(self) -> None:
        if self._connection is None or self._rules.link is not Link.UP:
            return
        told = self._health.look()
        if isinstance(told, StationDown):
            self._handle(told)
        elif told is not None:
            self._connection.publish(self._topic("health"), told, qos=0)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000

"""The uplink's process: carries events to the rules in ``uplink`` and their actions out.

Threads: the main one owns the rules and everything published; one waits in the station for news of
its ledger (``Watcher``), one for the next batch while this one is packed and published
(``Fetcher``); paho has its own. All meet in one bounded inbox (``Inbox``).
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
from pathlib import Path
from typing import Literal

import msgspec

from kiosk.core.errors import OperatorError
from sync.connection_files import ConnectionFiles
from sync.ending import Ending
from sync.health_teller import HealthTeller
from sync.inbox import FromBroker, Inbox
from sync.messages import Offline, Online
from sync.mqtt import Arrived, Broker, Closed, Connection, Denied, Opened, Taken
from sync.newest import superseded
from sync.notify import notify
from sync.packing import Compress, Packing
from sync.relay import Relay, prefix
from sync.station_desk import StationDesk
from sync.station_fetch import Fetched, Fetcher
from sync.station_link import Hello, StationGone
from sync.station_watch import Greeted, Watcher
from sync.uplink import Uplink
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
    Noted,
    Puback,
    Publish,
    Report,
    StationDown,
    StationUp,
    Tick,
    TooLarge,
)
from sync.uplink_pace import Pace

INBOX = 1000
"""Events on their way to the main thread."""
BEAT_S = 0.5
"""The main thread looks around at least this often: signals, the watchdog."""
STALE_S = 40.0
"""A watcher that showed no life for so long stops the watchdog's food."""

log = logging.getLogger("kiosk.uplink")


_Posted = Greeted | Fetched | Event
_Item = _Posted | FromBroker
_Inbox = Inbox[_Posted]


def run_uplink(
    socket_path: Path,
    broker: Broker,
    *,
    compress: Compress = "auto",
    health_s: float = 3600.0,
    gather_s: float = 0.0,
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """Carry the ledger behind ``socket_path`` to the city until SIGTERM or SIGINT.

    ``health_s`` seconds between health messages when nothing changes; ``gather_s`` seconds that a live
    entry waits for others. ``on_started`` is called once, when the signals are in place. Must run on
    the main thread.
    """
    inbox: _Inbox = Inbox(INBOX)
    ending = Ending()
    ending.heed()
    threading.excepthook = _die
    watcher = Watcher(socket_path, inbox.put)
    pace = Pace(gather_ms=int(gather_s * 1000), metered=broker.metered)
    process = _Process(socket_path, broker, inbox, watcher, compress, health_s, pace)
    on_started()
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
        self,
        path: Path,
        broker: Broker,
        inbox: _Inbox,
        watcher: Watcher,
        compress: Compress,
        health_s: float,
        pace: Pace,
    ) -> None:
        self._broker = broker
        self._inbox = inbox
        self._watcher = watcher
        self._rules = Uplink(random.random, pace)
        self._hello: Hello | None = None
        self._desk = StationDesk(path, watcher)
        self._fetcher = Fetcher(path, watcher, inbox.put)
        self._packing = Packing(compress)
        self._health = HealthTeller(self._desk, health_s)
        self._connection: Connection | None = None
        self._open = False
        self._relay = Relay()
        self._awaited: dict[int, Literal["batch", "state"]] = {}
        """Message numbers whose PUBACK the rules wait for."""
        self._files = ConnectionFiles(broker)
        self._files.heed()

    def run(self, ending: Ending) -> None:
        """Until asked to end."""
        self._fetcher.start()
        while not ending.asked:
            for item in self._waiting():
                event = self._event(item)
                if event is not None:
                    self._handle(event)
            if self._rules.deadline_ms is not None and _now_ms() >= self._rules.deadline_ms:
                self._handle(Tick())
            if self._health.due:
                self._tell_health()
            if self._files.due:
                self._look_at_files()
            if time.monotonic() - self._watcher.beat_s < STALE_S:
                notify("WATCHDOG=1")
        if self._connection is not None and self._hello is not None:
            self._publish_state(self._hello, Offline())
            self._connection.close()
        self._desk.close()

    def _waiting(self) -> list[_Item]:
        """What has come, after waiting for the first; acknowledgements only as far as they count."""
        patience_s = BEAT_S
        if self._rules.deadline_ms is not None:
            patience_s = min(patience_s, (self._rules.deadline_ms - _now_ms()) / 1000)
        items: list[_Item] = []
        try:
            items.append(self._inbox.get(max(patience_s, 0.0)))
            while len(items) < INBOX:
                items.append(self._inbox.get(0.0))
        except queue.Empty:
            pass
        acks = [
            (place, item.event.payload)
            for place, item in enumerate(items)
            if isinstance(item, FromBroker)
            and item.connection is self._connection
            and isinstance(item.event, Arrived)
            and item.event.topic == self._topic("ack")
        ]
        spared = {acks[n][0] for n in superseded([payload for _, payload in acks])}
        return [item for place, item in enumerate(items) if place not in spared]

    def _event(self, item: _Item) -> Event | None:
        """What came, in the rules' words."""
        if isinstance(item, Greeted):
            hello = item.hello
            if self._hello is not None and hello.station != self._hello.station:
                # The settings were changed: other topics, another will.
                self._drop_connection()
                self._handle(LinkDown("station_renamed", "The station has another name now."))
            self._hello = hello
            self._desk.greeted(item.number)
            self._fetcher.greeted(item.number)
            self._health.hurry()
            self._listen()
            return StationUp(hello.ledger, hello.head_seq, hello.watermark, hello.epoch, hello.turn)
        if isinstance(item, Fetched):
            return item.event if self._fetcher.is_current(item) else None
        if not isinstance(item, FromBroker):
            return item
        if item.connection is not self._connection:
            return None
        match item.event:
            case Opened(receive_maximum):
                self._open = True
                self._listen()
                # The rules count batches and births; one place is for the reply to a command.
                return LinkUp(receive_maximum - 1 if receive_maximum > 2 else receive_maximum)
            case Closed(code, words):
                self._connection, self._open = None, False
                return LinkDown(code, words)
            case Taken(mid, code, words):
                of = self._awaited.pop(mid, None)
                if of == "batch":
                    self._packing.taken(time.monotonic())
                return Puback(code, words, of) if of is not None else None
            case Denied(code, words):
                self._files.ask_again()
                return Noted(code, words)
            case Arrived(topic, payload):
                if topic == self._topic("ack"):
                    return AckArrived(payload)
                return self._hand_in(item.event)

    def _handle(self, event: Event) -> None:
        pending = deque([event])  # at most a window of fetched batches
        while pending:
            actions = self._rules.handle(pending.popleft(), _now_ms())
            # The station draws the next batch while this one is packed.
            for action in sorted(actions, key=lambda action: not isinstance(action, Fetch)):
                outcome = self._carry_out(action)
                if outcome is not None:
                    pending.append(outcome)

    def _carry_out(self, action: Action) -> Event | None:
        match action:
            case Connect():
                return self._connect()
            case Disconnect():
                self._drop_connection()
            case Publish(last, payload):
                return self._publish_batch(last, payload)
            case Announce(station):
                if self._hello is not None:
                    birth = Online(station, self._hello.software, self._hello.ledger)
                    self._publish_state(self._hello, birth, awaited=True)
            case Report():
                log.info("link: online=%s %s %s", action.online, action.code or "", action.words)
                return self._desk.ask(action)
            case Fetch():
                self._fetcher.ask(action)
            case Judge():
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
        self._awaited.clear()
        self._packing.begin()
        try:
            self._connection = Connection(
                self._broker,
                self._inbox.hear,
                client_id=f"kiosk-{hello.city}-{hello.station}",
                topics=(self._topic("ack"),),
                will=(self._topic("state"), msgspec.json.encode(Offline())),
                tls=self._files.tls,
            )
        except OperatorError as error:
            return LinkDown(error.code, f"{error}")
        self._connection.open()
        return None

    def _drop_connection(self) -> None:
        if self._connection is not None:
            old, self._connection, self._open = self._connection, None, False
            old.close()

    def _publish_batch(self, last: int, payload: bytes) -> Event | None:
        if self._connection is None:
            return None
        topic = self._topic("ledger")
        content_type, data = self._packing.pack(payload, time.monotonic())
        if not self._connection.fits(topic, data):
            self._packing.withdrawn()
            return TooLarge(last)
        self._awaited[self._connection.publish(topic, data, content_type=content_type)] = "batch"
        return None

    def _publish_state(
        self, hello: Hello, state: Online | Offline, *, awaited: bool = False
    ) -> None:
        """``awaited``: the rules asked for it, and wait for its PUBACK."""
        if self._connection is None:
            return
        payload, topic = msgspec.json.encode(state), self._topic("state", hello)
        mid = self._connection.publish(topic, payload, retain=True)
        if awaited:
            self._awaited[mid] = "state"

    def _look_at_files(self) -> None:
        """Certificates that were renewed, and topics that were denied and may not be any more."""
        for event in self._files.look():
            self._handle(event)
        if self._files.ask_now():
            self._listen()

    def _tell_health(self) -> None:
        if self._connection is None or not self._open:
            return
        told = self._health.look()
        if isinstance(told, StationDown):
            self._handle(told)
        elif told is not None:
            self._connection.publish(self._topic("health"), told, qos=0)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000

"""The uplink's process: carries events to the rules in ``uplink`` and their actions out.

Threads: the main one owns the rules, the requests to the station and everything published; one
waits in the station for news of its ledger (``_Watcher``); paho has its own. All meet in one
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
from sync.messages import AckError, Health, Offline, Online, deflate
from sync.mqtt import Arrived, Broker, Closed, Connection, MqttEvent, Opened, Taken
from sync.notify import notify
from sync.relay import Relay, prefix
from sync.station_link import Hello, StationGone, StationLink, StationRefused
from sync.uplink import Link, Uplink
from sync.uplink_events import (
    AckArrived,
    AckJudged,
    Action,
    Announce,
    BatchFetched,
    Connect,
    Disconnect,
    Event,
    Fetch,
    Judge,
    LedgerMoved,
    LinkDown,
    LinkUp,
    NothingFetched,
    Puback,
    Publish,
    Report,
    StationDown,
    StationUp,
    Tick,
)

INBOX = 1000
"""Events on their way to the main thread."""
REQUEST_S = 5.0
"""A station that takes longer over a request counts as stalled."""
WAIT_MS = 10_000
"""One long poll; the connection's own patience is REQUEST_S longer."""
RETRY_S = 0.5
"""Between tries to reach a station that is not there."""
BEAT_S = 0.5
"""The main thread looks around at least this often: signals, the watchdog."""
STALE_S = 40.0
"""A watcher that showed no life for so long stops the watchdog's food."""
HEALTH_POLL_S = 60.0

log = logging.getLogger("kiosk.uplink")


@dataclass(frozen=True, slots=True)
class _Greeted:
    """The station answered hello, on the watcher's connection of that number."""

    hello: Hello
    number: int


@dataclass(frozen=True, slots=True)
class _FromBroker:
    """An event of ``connection``, which may be an old one."""

    connection: Connection
    event: MqttEvent


_Inbox = queue.Queue[_Greeted | _FromBroker | Event]


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
    watcher = _Watcher(socket_path, inbox)
    process = _Process(socket_path, broker, inbox, watcher, health_s)
    watcher.start()
    notify("READY=1")
    process.run(ending)
    notify("STOPPING=1")


def _die(args: threading.ExceptHookArgs) -> None:
    """Our own bug in a thread: say it and end, so that systemd starts the process anew."""
    log.critical("a thread failed: %s", args.exc_type, exc_info=args.exc_value)
    os._exit(70)


class _Watcher:
    """Tells the inbox when the station comes, when its ledger moves, and when it goes."""

    def __init__(self, path: Path, inbox: _Inbox) -> None:
        self._path = path
        self._inbox = inbox
        self._link: tuple[int, StationLink] | None = None
        self._number = 0
        self._said = ""
        self.beat_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="station-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def greet_again(self, number: int) -> None:
        """A request to the station greeted as ``number`` failed: end the long poll and greet anew.

        Where the watcher knows that already it has greeted, or is about to, under another number:
        what befell a connection to the station that went says nothing of the one that came.
        """
        current = self._link
        if current is not None and current[0] == number:
            current[1].end()

    def _run(self) -> None:
        while True:
            self.beat_s = time.monotonic()
            try:
                self._follow()
            except StationGone as gone:
                self._say(f"no station: {gone}")
                self._inbox.put(StationDown(gone.stalled))
            except StationRefused as refused:
                self._say(f"the station refuses: {refused}")
                self._inbox.put(StationDown(stalled=True))
            time.sleep(RETRY_S)

    def _say(self, words: str) -> None:
        """Once when it goes, not at every try."""
        if words != self._said:
            self._said = words
            log.info("%s", words)

    def _follow(self) -> None:
        link = StationLink(self._path, timeout_s=WAIT_MS / 1000 + REQUEST_S)
        self._number += 1
        self._link = (self._number, link)
        try:
            hello = link.hello()
            self._say(f"station {hello.city}/{hello.station}, ledger {hello.ledger}")
            self._inbox.put(_Greeted(hello, self._number))
            head, watermark, epoch = hello.head_seq, hello.watermark, hello.epoch
            while True:
                self.beat_s = time.monotonic()
                moved = link.wait(head, WAIT_MS)
                if (moved.head_seq, moved.watermark, moved.epoch) != (head, watermark, epoch):
                    head, watermark, epoch = moved.head_seq, moved.watermark, moved.epoch
                    self._inbox.put(LedgerMoved(head, watermark, epoch))
        finally:
            link.close()


class _Process:
    """The main thread's loop."""

    def __init__(
        self, path: Path, broker: Broker, inbox: _Inbox, watcher: _Watcher, health_s: float
    ) -> None:
        self._path = path
        self._broker = broker
        self._inbox = inbox
        self._watcher = watcher
        self._health_s = health_s
        self._rules = Uplink(random.random)
        self._hello: Hello | None = None
        self._greeting = 0
        self._requests: StationLink | None = None
        self._connection: Connection | None = None
        self._open = False
        self._relay = Relay()
        self._batches: set[int] = set()  # message numbers whose PUBACK the rules wait for
        self._health_due_s = 0.0
        self._health_sent_s = 0.0
        self._health_said: tuple[object, ...] | None = None

    def run(self, ending: Ending) -> None:
        """Until asked to end."""
        while not ending.asked:
            event = self._event(self._next())
            if event is not None:
                self._handle(event)
            if self._rules.deadline_ms is not None and _now_ms() >= self._rules.deadline_ms:
                self._handle(Tick())
            if time.monotonic() >= self._health_due_s:
                self._tell_health()
            if time.monotonic() - self._watcher.beat_s < STALE_S:
                notify("WATCHDOG=1")
        if self._connection is not None and self._hello is not None:
            self._publish_state(self._hello, Offline())
            self._connection.close()
        self._close_requests()

    def _next(self) -> _Greeted | _FromBroker | Event | None:
        patience_s = BEAT_S
        if self._rules.deadline_ms is not None:
            patience_s = min(patience_s, (self._rules.deadline_ms - _now_ms()) / 1000)
        try:
            return self._inbox.get(timeout=max(patience_s, 0.0))
        except queue.Empty:
            return None

    def _event(self, item: _Greeted | _FromBroker | Event | None) -> Event | None:
        """What came, in the rules' words."""
        if isinstance(item, _Greeted):
            hello = item.hello
            if self._hello is not None and hello.station != self._hello.station:
                # The settings were changed: other topics, another will.
                self._drop_connection()
                self._handle(LinkDown("station_renamed", "The station has another name now."))
            self._hello, self._greeting = hello, item.number
            self._close_requests()  # it may lead to a process that is gone
            self._health_due_s = 0.0
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
                return self._ask(action)
            case Fetch() | Judge():
                return self._ask(action)
        return None

    # --- the station -----------------------------------------------------------------------------

    def _ask(self, action: Fetch | Judge | Report) -> Event | None:
        try:
            return self._answer(self._station(), action)
        except StationGone as gone:
            self._drop_requests()
            return StationDown(gone.stalled)
        except StationRefused as refused:
            log.warning("the station refuses: %s", refused)
            self._watcher.greet_again(self._greeting)
            return StationDown(stalled=True)

    def _listen(self) -> None:
        if self._hello is not None and self._connection is not None and self._open:
            self._relay.listen(self._hello, self._connection)

    def _hand_in(self, message: Arrived) -> Event | None:
        """A word of the city's."""
        if self._hello is None or self._connection is None:
            return None
        try:
            if self._relay.hand_in(self._station(), self._hello, self._connection, message):
                self._say_anew(self._hello)
        except StationGone as gone:
            self._drop_requests()
            return StationDown(gone.stalled)
        return None

    def _say_anew(self, hello: Hello) -> None:
        """State and health, whether or not they have changed."""
        self._publish_state(hello, Online(self._rules.station, hello.software, hello.ledger))
        self._health_said, self._health_due_s = None, 0.0

    def _station(self) -> StationLink:
        """The connection for requests, opened when first needed after a greeting."""
        if self._requests is None:
            self._requests = StationLink(self._path, timeout_s=REQUEST_S)
        return self._requests

    def _close_requests(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None

    def _drop_requests(self) -> None:
        self._close_requests()
        self._watcher.greet_again(self._greeting)

    def _answer(self, link: StationLink, action: Fetch | Judge | Report) -> Event | None:
        match action:
            case Fetch(after, max_entries):
                batch = link.batch(after, max_entries)
                if batch.last is None or batch.payload is None:
                    return NothingFetched(after)
                return BatchFetched(after, batch.last, batch.payload.encode())
            case Judge(payload):
                try:
                    text = payload.decode()
                except UnicodeDecodeError:
                    return None  # no acknowledgement has such bytes, and the socket speaks UTF-8
                verdict = link.ack(text)
                said = verdict.error
                error = AckError(said.code, said.seq) if said is not None else None
                return AckJudged(
                    verdict.accepted, verdict.reason, verdict.watermark, verdict.epoch, error
                )
            case Report(online, code, words):
                link.link(online=online, code=code, words=words)
                return None

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
        """Poll the station's health; publish it when it changed, or when an hour is over."""
        if self._connection is None or self._rules.link is not Link.UP:
            return
        now_s = time.monotonic()
        self._health_due_s = now_s + HEALTH_POLL_S
        try:
            health = msgspec.convert(self._station().health(), Health)
        except StationGone as gone:
            self._drop_requests()
            self._handle(StationDown(gone.stalled))
            return
        except (StationRefused, msgspec.ValidationError) as error:
            log.warning("no health from the station: %s", error)
            return
        said = (health.under_voltage, health.scales, health.readers)
        if said == self._health_said and now_s - self._health_sent_s < self._health_s:
            return
        self._health_said, self._health_sent_s = said, now_s
        self._connection.publish(self._topic("health"), msgspec.json.encode(health), qos=0)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000

"""One station of a fleet: the product's uplink rules, its ledger in memory, one light connection.

What ``sync/run_uplink.py`` does with threads and paho happens here on one asyncio loop. The rules hear the
clock of the fleet, which may run faster than ours (``Clock.speed``).
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter, deque
from random import Random
from typing import cast

import msgspec

from hw_sim.fleet import mqtt5
from hw_sim.fleet.book import CITY, Book
from sync.messages import Offline, Online, StationState, deflate
from sync.uplink import Uplink
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
    StationUp,
    Tick,
)
from sync.uplink_wire import Link

KEEPALIVE_S = 60
LATENCIES = 200_000
"""Kept of the whole fleet."""
OWN_MESSAGES = 2
"""Of the broker's Receive Maximum, for what the rules do not count, as in the product."""


class Clock:
    """Milliseconds for the rules, ``speed`` times as fast as the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, speed: float) -> None:
        self._loop = loop
        self._speed = speed
        self._began_s = loop.time()

    def now_ms(self) -> int:
        return int((self._loop.time() - self._began_s) * 1000 * self._speed)

    def at_s(self, due_ms: int) -> float:
        """The loop's time of ``due_ms``; a little later, so that it has come."""
        return self._began_s + (due_ms + 1) / 1000 / self._speed


class Fleet:
    """What all stations share, and what is counted over them."""

    def __init__(
        self, address: tuple[str, int], loop: asyncio.AbstractEventLoop, speed: float
    ) -> None:
        self.address = address
        self.loop = loop
        self.clock = Clock(loop, speed)
        self.connected = 0
        self.tries = 0
        self.connects_s: list[float] = []
        """When a connection came up, by the loop's clock."""
        self.batches = 0
        self.appended = 0
        self.reports: Counter[str] = Counter()
        self.latencies_s: deque[float] = deque(maxlen=LATENCIES)
        """From a visit's commit at the station to the city's word that it has it."""


class Station:
    """One of them. ``start`` it, let people ``visit``, ``stop`` it."""

    def __init__(self, book: Book, fleet: Fleet, rng: Random) -> None:
        self.book = book
        self._fleet = fleet
        self.rules = Uplink(rng.random)
        self._topic = f"kiosk/v1/{CITY}/{book.name}/"
        self._wire: _Wire | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[int, float]] = (
            deque()
        )  # seq and time of commits not acknowledged

    @property
    def up(self) -> bool:
        return self.rules.link is Link.UP

    @property
    def drained(self) -> bool:
        return self.book.watermark == self.book.head

    def start(self) -> None:
        book = self.book
        self.handle(StationUp(book.ledger, book.head, book.watermark, book.epoch))

    def visit(self) -> None:
        """A visit's entries, committed."""
        before = self.book.head
        seq = self.book.visit()
        self._fleet.appended += seq - before
        self._waiting.append((seq, self._fleet.loop.time()))
        self.handle(LedgerMoved(seq, self.book.watermark, self.book.epoch))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._hang_up()

    def handle(self, event: Event) -> None:
        """Carry the rules' actions out, and what they lead to."""
        pending = deque([event])  # at most a window of batches
        while pending:
            for action in self.rules.handle(pending.popleft(), self._fleet.clock.now_ms()):
                if (outcome := self._carry_out(action)) is not None:
                    pending.append(outcome)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ms = self.rules.deadline_ms
        if due_ms is not None:
            at_s = self._fleet.clock.at_s(due_ms)
            self._timer = self._fleet.loop.call_at(at_s, self.handle, Tick())

    def _carry_out(self, action: Action) -> Event | None:
        match action:
            case Connect():
                self._fleet.tries += 1
                self._wire = wire = _Wire(self)
                self._dialling = self._fleet.loop.create_task(self._dial(wire))
            case Disconnect():
                self._hang_up()
            case Fetch(after, max_entries):
                drawn = self.book.batch(after, max_entries)
                return NothingFetched(after) if drawn is None else BatchFetched(after, *drawn)
            case Publish(_, payload):
                if self._wire is not None:
                    self._fleet.batches += 1
                    content_type, data = deflate(payload)
                    self._wire.publish(self._topic + "ledger", data, content_type=content_type)
            case Judge(payload):
                return self._judged(payload)
            case Announce(state):
                if self._wire is not None:
                    self._wire.announce(self._topic + "state", state, self.book.ledger)
            case Report(_, code, _):
                self._fleet.reports[code or "well"] += 1
        return None

    def _judged(self, payload: bytes) -> Event:
        ack = self.book.judge(payload)
        seq, epoch = self.book.watermark, self.book.epoch
        while self._waiting and self._waiting[0][0] <= seq:
            self._fleet.latencies_s.append(self._fleet.loop.time() - self._waiting.popleft()[1])
        if ack is None:
            return AckJudged(False, "old_seq", seq, epoch, None)
        return AckJudged(True, None, seq, epoch, ack.error)

    # --- the connection --------------------------------------------------------------------------

    async def _dial(self, wire: _Wire) -> None:
        try:
            await self._fleet.loop.create_connection(lambda: wire, *self._fleet.address)
        except OSError:
            self.lost(wire, "broker_unreachable")

    def _hang_up(self) -> None:
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.end()

    def opened(self, wire: _Wire, receive_maximum: int) -> None:
        if wire is self._wire:
            self._fleet.connected += 1
            self._fleet.connects_s.append(self._fleet.loop.time())
            self.handle(LinkUp(max(1, receive_maximum - OWN_MESSAGES)))

    def lost(self, wire: _Wire, code: str) -> None:
        if wire is self._wire:
            self._wire = None
            self.handle(LinkDown(code, ""))

    def closed(self, *, was_up: bool) -> None:
        self._fleet.connected -= was_up

    def taken(self, wire: _Wire, reason: int) -> None:
        if wire is self._wire:
            refused = reason >= mqtt5.FAILURE
            self.handle(Puback("broker_refused", f"{reason:#x}") if refused else Puback())

    def arrived(self, wire: _Wire, payload: bytes) -> None:
        if wire is self._wire:
            self.handle(AckArrived(payload))

    @property
    def hello(self) -> bytes:
        """The first packet of a connection."""
        will = (self._topic + "state", msgspec.json.encode(Offline()))
        client_id = f"kiosk-{CITY}-{self.book.name}"
        return mqtt5.connect(client_id, keepalive_s=KEEPALIVE_S, will=will)

    @property
    def topics(self) -> tuple[str, ...]:
        return (self._topic + "ack",)


class _Wire(asyncio.Protocol):
    """One connection's life."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._transport: asyncio.Transport | None = None
        self._decoder = mqtt5.Decoder()
        self._receive_maximum = mqtt5.DEFAULT_RECEIVE_MAXIMUM
        self._packet_id = 0
        self._due: set[int] = set()
        self._up = False
        self._ping: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self._transport.write(self._station.hello)
        self._beat()

    def data_received(self, data: bytes) -> None:
        try:
            for packet in self._decoder.feed(data):
                self._heard(packet)
        except mqtt5.NotMqtt:
            self._over("connection_lost")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's call)
        if self._ping is not None:
            self._ping.cancel()
        was_up, self._up = self._up, False
        self._station.closed(was_up=was_up)
        self._station.lost(self, "connection_lost")

    def publish(self, topic: str, payload: bytes, *, content_type: str) -> None:
        """A batch."""
        self._write(mqtt5.publish(topic, payload, self._answered_id(), content_type=content_type))

    def announce(self, topic: str, state: StationState, ledger: str) -> None:
        payload = msgspec.json.encode(Online(state, "fleet", ledger))
        self._write(mqtt5.publish(topic, payload, self._answered_id(), retain=True))

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _heard(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.Connack(reason, receive_maximum):
                if reason >= mqtt5.FAILURE:
                    self._over("broker_refused")
                    return
                self._receive_maximum = receive_maximum
                self._write(mqtt5.subscribe(self._next_id(), self._station.topics))
            case mqtt5.Suback(reasons):
                if max(reasons) >= mqtt5.FAILURE:
                    self._over("subscription_refused")
                    return
                self._up = True
                self._station.opened(self, self._receive_maximum)
            case mqtt5.Puback(packet_id, reason):
                if packet_id in self._due:
                    self._due.discard(packet_id)
                    self._station.taken(self, reason)
            case mqtt5.Published(_, payload, packet_id):
                if packet_id is not None:
                    self._write(mqtt5.puback(packet_id))
                self._station.arrived(self, payload)
            case mqtt5.Ended():
                self._over("connection_lost")
            case mqtt5.Other():
                pass

    def _over(self, code: str) -> None:
        self.end()
        self._station.lost(self, code)

    def _beat(self) -> None:
        """A ping in time, whatever else was sent."""
        loop = asyncio.get_running_loop()
        self._ping = loop.call_later(KEEPALIVE_S * 0.8, self._pinged)

    def _pinged(self) -> None:
        self._write(mqtt5.PING)
        self._beat()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _answered_id(self) -> int:
        """Of what the rules wait for, a batch or a birth: its PUBACK is theirs."""
        packet_id = self._next_id()
        self._due.add(packet_id)
        return packet_id

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 65_535 + 1
        return self._packet_id

"""A bad line between two ends of a TCP connection: narrow, slow, uneven, and at times dead.

Theory. On a mobile line TCP itself repairs lost packets; what programs see of loss is a *stall* (nothing
for a while, then everything), a *reset* in the middle of a packet, or *silence*: the middle of the line
forgot the connection (an expired NAT entry), both ends stay open, nothing arrives and nobody is told.
This proxy makes those, for every connection at times drawn from a seed, and for the whole line on demand:
``dark`` (every connection is swallowed, new ones are taken and never answered), ``refusing`` (no
connection at all, as with a name that does not resolve or a service that is down).

Both directions share one bandwidth each, as connections on one line do. Bytes are counted as they come
in: what TCP carries, TLS included, without the 40 bytes or so of headers of each IP packet.

One thread with an asyncio loop owns everything; the methods may be called from any thread. What is on
its way in one direction of a connection is at most ``LANE_CHUNKS`` chunks; then the sender has to wait,
as it does on a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

CHUNK_BYTES = 8_192
NARROW_S = 0.05
"""On a narrow line a chunk is no longer than what passes in this time."""
LANE_CHUNKS = 64
START_S = 10.0
DIAL_S = 10.0
"""The far end has to take a connection within this time."""
BACKLOG = 512

State = Literal["open", "dark", "refusing"]
Fate = Literal["stall", "reset", "silence"]
Way = Literal["up", "down"]
_Lane = asyncio.Queue[tuple[float, bytes]]


@dataclass(frozen=True, slots=True)
class Weather:
    """What the line is like; zero is without this trouble. Times between troubles are means, and each
    connection's own."""

    bytes_per_s: int = 0
    """Each way."""
    latency_ms: int = 0
    """One way."""
    jitter_ms: int = 0
    """At most so much more, anew for each chunk; order is kept."""
    stall_each_s: float = 0.0
    stall_s: float = 1.0
    """At most; drawn anew."""
    reset_each_s: float = 0.0
    silence_each_s: float = 0.0


@dataclass(slots=True)
class Counts:
    """Since the start. ``up`` is from who connects to where the line leads."""

    up_bytes: int = 0
    down_bytes: int = 0
    up_busy_s: float = 0.0
    """So long a line of this bandwidth needs for what went up."""
    down_busy_s: float = 0.0
    connections: int = 0
    refused: int = 0
    stalls: int = 0
    resets: int = 0
    silences: int = 0


@dataclass(eq=False, slots=True)
class _Pair:
    """One connection, both halves."""

    near: socket.socket
    far: socket.socket | None = None
    cut: bool = False
    """The next chunk is torn: half of it arrives, then a reset."""
    silent: bool = False
    hold_until_s: float = 0.0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class Line:
    """One line from a port of the loopback to ``to``; runs from its making until ``close``."""

    def __init__(
        self, to: tuple[str, int], weather: Weather | None = None, *, port: int = 0, seed: int = 0
    ) -> None:
        self._to = to
        self.weather = weather or Weather()
        self._random = random.Random(seed)
        self.counts = Counts()
        self.state: State = "open"
        self._pairs: set[_Pair] = set()
        self._free_s = {"up": 0.0, "down": 0.0}
        self._loop = asyncio.new_event_loop()
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self._accepting: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)
        self._thread.start()
        self._ask(self._begin)

    # --- from outside ----------------------------------------------------------------------------

    def become(self, state: State) -> None:
        """``dark``: present connections fall silent, for good. ``refusing``: they are reset."""
        self._ask(lambda: self._become(state))

    def change(self, weather: Weather) -> None:
        """From the next chunk and the next connection on."""
        self.weather = weather

    def reset_silent(self) -> None:
        """The connections that fell silent: the line says now that it does not know them."""
        self._ask(self._reset_silent)

    def close(self) -> None:
        """Everything away; idempotent."""
        if self._thread.is_alive():
            self._ask(self._end)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_S)
            self._loop.close()

    def _ask(self, do: Callable[[], None]) -> None:
        """``do`` on the loop's thread; returns when it is done, and raises what it raises."""

        async def ask() -> None:
            do()

        asyncio.run_coroutine_threadsafe(ask(), self._loop).result(START_S)

    # --- on the loop -----------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _begin(self) -> None:
        self._accepting = self._loop.create_task(self._accept(self._listener))

    def _end(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
        self._listener.close()
        for pair in list(self._pairs):
            self._drop(pair)

    def _become(self, state: State) -> None:
        before, self.state = self.state, state
        if state == "dark":
            for pair in self._pairs:
                pair.silent = True
        elif state == "refusing" and before != "refusing":
            self._end()
        if before == "refusing" and state != "refusing":
            self._listener = _listen(self.port)
            self._begin()

    def _reset_silent(self) -> None:
        for pair in [each for each in self._pairs if each.silent]:
            self.counts.resets += 1
            self._drop(pair)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            near, _ = await self._loop.sock_accept(listener)
            near.setblocking(False)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = _Pair(near)
            self._pairs.add(pair)
            self.counts.connections += 1
            pair.tasks.append(self._loop.create_task(self._serve(pair)))

    async def _serve(self, pair: _Pair) -> None:
        if self.state == "dark":
            pair.silent = True
            await self._swallow(pair.near)
            self._drop(pair)
            return
        far = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        far.setblocking(False)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair.far = far
        try:
            async with asyncio.timeout(DIAL_S):
                await self._loop.sock_connect(far, self._to)
        except OSError:  # TimeoutError is one
            self.counts.refused += 1
            self._drop(pair)
            return
        up: _Lane = asyncio.Queue(LANE_CHUNKS)
        down: _Lane = asyncio.Queue(LANE_CHUNKS)
        pair.tasks += [
            self._loop.create_task(work)
            for work in (
                self._fate(pair),
                self._take(pair, pair.near, "up", up),
                self._deliver(pair, far, up),
                self._take(pair, far, "down", down),
                self._deliver(pair, pair.near, down),
            )
        ]

    async def _fate(self, pair: _Pair) -> None:
        """What befalls this connection, one trouble after the other."""
        while True:
            weather = self.weather
            each_s: dict[Fate, float] = {
                "stall": weather.stall_each_s,
                "reset": weather.reset_each_s,
                "silence": weather.silence_each_s,
            }
            drawn = {
                fate: self._random.expovariate(1 / mean_s)
                for fate, mean_s in each_s.items()
                if mean_s > 0
            }
            if not drawn:
                return
            fate = min(drawn, key=lambda each: drawn[each])
            await asyncio.sleep(drawn[fate])
            match fate:
                case "stall":
                    self.counts.stalls += 1
                    wait_s = self._random.uniform(0, weather.stall_s)
                    pair.hold_until_s = self._loop.time() + wait_s
                case "reset":
                    pair.cut = True
                    return
                case "silence":
                    self.counts.silences += 1
                    pair.silent = True
                    return

    async def _take(self, pair: _Pair, source: socket.socket, way: Way, lane: _Lane) -> None:
        """Read one direction into its lane, each chunk with the time at which it is through."""
        chunk = b"?"
        while chunk:
            try:
                chunk = await self._loop.sock_recv(source, self._chunk_bytes())
            except OSError:
                chunk = b""  # reset by its end: the same to the other end
            if way == "up":
                self.counts.up_bytes += len(chunk)
            else:
                self.counts.down_bytes += len(chunk)
            await lane.put((self._through_s(pair, way, len(chunk)), chunk))

    async def _deliver(self, pair: _Pair, sink: socket.socket, lane: _Lane) -> None:
        """The other end of the lane; a connection that fell silent is read and not delivered."""
        while True:
            due_s, chunk = await lane.get()
            if (wait_s := due_s - self._loop.time()) > 0:
                await asyncio.sleep(wait_s)
            if pair.silent:
                if not chunk:
                    return  # and the other end is not told
                continue
            try:
                if pair.cut and chunk:
                    await self._loop.sock_sendall(sink, chunk[: len(chunk) // 2])
                    self.counts.resets += 1
                    chunk = b""
                elif chunk:
                    await self._loop.sock_sendall(sink, chunk)
            except OSError:
                chunk = b""
            if not chunk:
                self._drop(pair)
                return

    def _through_s(self, pair: _Pair, way: Way, size: int) -> float:
        """When the chunk's last byte is through, by the loop's clock; never before the one before it."""
        weather, now_s = self.weather, self._loop.time()
        due_s = max(now_s, pair.hold_until_s)
        if weather.bytes_per_s:
            busy_s = size / weather.bytes_per_s
            if way == "up":
                self.counts.up_busy_s += busy_s
            else:
                self.counts.down_busy_s += busy_s
            due_s = max(due_s, self._free_s[way]) + busy_s
            self._free_s[way] = due_s
        return due_s + (weather.latency_ms + self._random.uniform(0, weather.jitter_ms)) / 1000

    def _chunk_bytes(self) -> int:
        narrow = int(self.weather.bytes_per_s * NARROW_S)
        return min(CHUNK_BYTES, max(64, narrow)) if narrow else CHUNK_BYTES

    async def _swallow(self, source: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := await self._loop.sock_recv(source, CHUNK_BYTES):
                self.counts.up_bytes += len(chunk)

    def _drop(self, pair: _Pair) -> None:
        """Reset both halves: data on the way is lost, as when a line breaks."""
        self._pairs.discard(pair)
        current = asyncio.current_task(self._loop)
        for task in pair.tasks:
            if task is not current:
                task.cancel()
        for end in (pair.near, pair.far):
            if end is not None and end.fileno() >= 0:
                self._loop.remove_reader(end)
                self._loop.remove_writer(end)
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener

"""The newest view on its way to the browsers: coalesced, bounded, and never waited for.

A view goes out at once when something happened that people wait for (another phase, bin, card or
record), else at most every ``INTERVAL_MS``. Each client holds no queue: it takes the newest when it
is ready for it. One that does not take its bytes within ``SEND_S`` is cut off, so that neither the
station nor the other clients ever feel it.

Beside the views go *asides*: named events (``event: town``) for what changes seldom. Each name's newest
value wins, goes out at most every ``INTERVAL_MS``, and is the first that a new client hears of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from kiosk.core.view import View

INTERVAL_MS = 100
"""Ten a second: faster than an eye reads digits, slower than a scale at 80 samples a second."""
HEARTBEAT_S = 2.0
"""The newest view is sent again after so much silence; the page takes 10 s of it for a lost link."""
SEND_S = 5.0
MAX_CLIENTS = 8
"""The panel, the caretaker's second look, a developer; a station has no audience."""
RETRY_MS = 500
"""How soon a browser asks again after the station restarted."""

Message = MutableMapping[str, Any]
Send = Callable[[Message], Any]


class _Client:
    """One stream: what it has not been sent yet."""

    def __init__(self, asides: Iterable[str], *, own: bool) -> None:
        self.own = own
        self.seated = True
        self.woken = asyncio.Event()
        self.wants = set(asides)


class Coalescer:
    """When a view has to go out. Time is an argument, in milliseconds of any rising clock."""

    def __init__(self) -> None:
        self._sent: View | None = None
        self._sent_ms = 0

    def wait_ms(self, view: View, now_ms: int) -> int | None:
        """0 now, n in n milliseconds, None not at all (the browsers have it)."""
        if view == self._sent:
            return None
        if self._sent is None or _happening(view) != _happening(self._sent):
            return 0
        return max(0, self._sent_ms + INTERVAL_MS - now_ms)

    def sent(self, view: View, now_ms: int) -> None:
        self._sent, self._sent_ms = view, now_ms


def _happening(view: View) -> tuple[object, ...]:
    """What people wait for; the rest (a weight in motion, a fill) may come 100 ms later."""
    return (
        view.phase,
        view.since_ms,
        view.bin,
        view.checkins,
        view.refusals,
        view.records,
        view.corner,
    )


class Feed:
    """The views' way through the web server's loop. Every method belongs to that loop."""

    def __init__(self, run: str, loop: asyncio.AbstractEventLoop) -> None:
        self._run = run
        self._loop = loop
        self._coalescer = Coalescer()
        self._offered: View | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._frame: bytes | None = None
        self._count = 0
        self._clients: dict[_Client, None] = {}  # the longest watching first
        self._asides: dict[str, bytes] = {}
        self._held: dict[str, asyncio.TimerHandle] = {}
        """Asides that went out lately, until the next may."""
        self._newer: set[str] = set()
        """Of those: what was told since."""
        self._closed = False

    def seats(self, *, own: bool) -> bool:
        """Whether there is room for another client. For the station's ``own`` page a stranger gives way."""
        if self._closed:
            return False
        if len(self._clients) < MAX_CLIENTS:
            return True
        stranger = next((one for one in self._clients if own and not one.own), None)
        if stranger is None:
            return False
        self._leave(stranger)
        return True

    def _leave(self, client: _Client) -> None:
        self._clients.pop(client, None)
        client.seated = False
        client.woken.set()

    def offer(self, view: View) -> None:
        """A newer view; any that still waits is forgotten."""
        self._offered = view
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wait_ms = self._coalescer.wait_ms(view, self._now_ms())
        if wait_ms == 0:
            self._broadcast()
        elif wait_ms is not None:
            self._timer = self._loop.call_later(wait_ms / 1000, self._broadcast)

    def tell(self, name: str, value: object) -> None:
        """The newest ``value`` (JSON) of the aside ``name``."""
        frame = b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(value))
        if frame == self._asides.get(name):
            return
        self._asides[name] = frame
        if name not in self._held:
            self._send_aside(name)
        else:
            self._newer.add(name)

    def _send_aside(self, name: str) -> None:
        self._held[name] = self._loop.call_later(INTERVAL_MS / 1000, self._let_go, name)
        for client in self._clients:
            client.wants.add(name)
            client.woken.set()

    def _let_go(self, name: str) -> None:
        del self._held[name]
        if name in self._newer:
            # Again what was sent, too: a client may have taken what was between.
            self._newer.discard(name)
            self._send_aside(name)

    def renew(self, run: str) -> None:
        """Pages of the run before are old ones from now on."""
        self._run = run
        self._coalescer = Coalescer()
        if self._offered is not None:
            self.offer(self._offered)

    def close(self) -> None:
        """Ends every stream after what it is sending."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for held in self._held.values():
            held.cancel()
        for client in self._clients:
            client.woken.set()

    async def stream(self, send: Send, *, own: bool) -> None:
        """One client's events until it, its seat or the server goes. TimeoutError: it does not read."""
        client = _Client(self._asides, own=own)
        sent = b""
        if self._frame is not None or client.wants:
            client.woken.set()
        self._clients[client] = None
        try:
            await _in_time(send, b"retry: %d\n\n" % RETRY_MS)
            while client.seated and not self._closed:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await client.woken.wait()
                except TimeoutError:
                    sent = b""  # nothing new: the same once more, as a sign of life
                client.woken.clear()
                while client.wants and not self._closed:
                    await _in_time(send, self._asides[client.wants.pop()])
                if self._frame is not None and self._frame is not sent and not self._closed:
                    sent = self._frame
                    await _in_time(send, sent)
        finally:
            self._leave(client)

    def _broadcast(self) -> None:
        self._timer = None
        assert self._offered is not None, "broadcast before an offer"
        self._coalescer.sent(self._offered, self._now_ms())
        self._count += 1
        data = msgspec.json.encode(self._offered)
        self._frame = b"id: %s-%d\ndata: %s\n\n" % (self._run.encode(), self._count, data)
        for client in self._clients:
            client.woken.set()

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)


async def _in_time(send: Send, body: bytes) -> None:
    async with asyncio.timeout(SEND_S):
        await send({"type": "http.response.body", "body": body, "more_body": True})

"""uvicorn's HTTP connections with an end to everything that a peer can leave undone.

uvicorn refuses everybody once a number of connections is open, so that whoever opens as many and says
nothing shuts the panel out. Here the newcomer always comes in, and another goes for it: the oldest that
keeps the server waiting (for a whole request, or to read its answer), else the oldest that is not the
panel's own stream. Whole requests are answered within milliseconds, so that the latter are few. Deadlines
end the rest: a head that never completes (RFC 9112, 9.5 lets a server close at any time), a body that
drips after its answer, an answer that nobody reads.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 128
"""A panel needs six and a stream. More than thrice ``ACCEPTED_AT_ONCE``: a newcomer's request is read
three turns of the loop after it was let in, so that no flood pushes it out before."""
ACCEPTED_AT_ONCE = 32
REQUEST_S = 5.0
"""A first request whose head is not complete by then never will be."""
BETWEEN_S = 10.0
"""From an answer to the next whole request, all that is unread or unsent included. uvicorn closes an
idle connection earlier."""
UNREAD_S = 5.0
"""So long the peer's buffers may be full."""

Address = tuple[str, int]


class Connections:
    """The open connections by the peer's address, the oldest first; the loop's own."""

    def __init__(self) -> None:
        self._open: dict[Address, _Bounded] = {}

    def abort(self, peer: Address) -> None:
        """Ends a connection now; what is still unsent is lost, as its reader wished."""
        if peer in self._open:
            self._open[peer].transport.abort()

    def keep(self, peer: Address) -> None:
        """Never ends this one to make room: it is the page's own stream."""
        if peer in self._open:
            self._open[peer].kept = True

    def protocol(self) -> type[asyncio.Protocol]:
        """The class of connections that uvicorn makes."""

        class Bounded(_Bounded):
            others = self

        return Bounded

    def _admit(self, newcomer: _Bounded, peer: Address) -> None:
        self._open[peer] = newcomer
        if len(self._open) <= MAX_CONNECTIONS:
            return
        olds = list(self._open.items())[:-1]
        lag = [address for address, one in olds if one.lags and not one.kept]
        served = [address for address, one in olds if not one.kept]
        self._open.pop((lag or served or [peer])[0]).transport.abort()

    def _left(self, leaver: _Bounded, peer: Address) -> None:
        if self._open.get(peer) is leaver:
            del self._open[peer]


class _Bounded(H11Protocol):
    others: Connections
    kept = False
    _peer: Address | None = None
    _request: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether nothing is asked just now."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def lags(self) -> bool:
        """Whether it is the peer's turn: to ask, to ask to the end, or to read."""
        return self.waits or self.cycle.more_body or self.flow.write_paused

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._request = self.loop.call_later(REQUEST_S, transport.abort)
        self._peer = self.client
        if self._peer is not None:
            self.others._admit(self, self._peer)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.waits:
            _cancel(self._request)

    def on_response_complete(self) -> None:
        super().on_response_complete()  # may begin the next one, which had come already
        if self.waits:
            _cancel(self._request)
            self._request = self.loop.call_later(BETWEEN_S, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        _cancel(self._unread)
        self._unread = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._request)
        _cancel(self._unread)
        if self._peer is not None:
            self.others._left(self, self._peer)
        super().connection_lost(exc)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()

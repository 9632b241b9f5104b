"""uvicorn's HTTP connections with two ends more: one that asks nothing, and one that reads nothing.

uvicorn bounds the number of connections and closes idle ones between requests, but waits for ever
for a first request that never completes, and flushes to a peer that never reads.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 5.0
"""A first request whose head is not complete by then never will be."""

Address = tuple[str, int]


class Connections:
    """The open connections by the peer's address; the loop's own."""

    def __init__(self) -> None:
        self._open: dict[Address, asyncio.Transport] = {}

    def abort(self, peer: Address) -> None:
        """Ends a connection now; what is still unsent is lost, as its reader wished."""
        if peer in self._open:
            self._open[peer].abort()

    def protocol(self) -> type[asyncio.Protocol]:
        """The class of connections that uvicorn makes."""
        opened = self._open

        class BoundedProtocol(H11Protocol):
            _deadline: asyncio.TimerHandle

            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                self._peer = self.client
                if self._peer is not None:
                    opened[self._peer] = transport
                self._deadline = self.loop.call_later(REQUEST_S, self._give_up)

            def connection_lost(self, exc: Exception | None) -> None:
                self._deadline.cancel()
                if self._peer is not None:
                    opened.pop(self._peer, None)
                super().connection_lost(exc)

            def _give_up(self) -> None:
                if not self.headers:  # None until a request has come
                    self.transport.abort()

        return BoundedProtocol

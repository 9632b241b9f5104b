"""The screen's web server: the station's only asyncio loop, in a thread of its own.

uvicorn is told little: no signal handlers (they are the main thread's), no access log (who stood
here when is nobody's business), no websockets, bounded connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
from collections.abc import Sequence

import uvicorn

from drivers.clock import boottime_ms
from kiosk.core.errors import OperatorError
from kiosk.core.view import View
from kiosk.screen import page, texts
from kiosk.screen.app import Act, Taker, web_app
from kiosk.screen.connections import ACCEPTED_AT_ONCE, Connections
from kiosk.screen.feed import Feed
from kiosk.screen.setup import Setup
from kiosk.screen.texts import Language

QUEUE = 1_024
"""Who may knock before we have opened: a full queue would make the panel knock again a second later."""
HEAD_BYTES = 16_384
SEND_BUFFER_BYTES = 65_536
"""What the kernel may hold for a client that does not read."""
BEAT_S = 0.25
START_S = 10.0
STOP_S = 2.0


class _Server(uvicorn.Server):
    """uvicorn, saying when it listens."""

    def __init__(self, ready: threading.Event, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            # asyncio takes one number for this and for what it accepts in a turn.
            listener.listen(QUEUE)
        self._ready.set()


class ScreenServer:
    """``GET /``, ``GET /events``, ``POST /act`` on a loopback address; ``port`` 0 picks a free one.

    ``act(action, bin)`` hears what residents touch, in a thread of the server's; ``takers`` what is touched
    beside that. ``languages`` that the page speaks, the station's own where none are named.
    """

    name = "screen"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        setup: Setup,
        act: Act,
        takers: Sequence[Taker] = (),
        languages: Sequence[Language] = (),
    ) -> None:
        self._address = (host, port)
        self._setup = setup
        self._act = act
        self._takers = takers
        self._languages = languages or texts.load()
        self._token = secrets.token_urlsafe(32)
        self._assets: dict[str, page.Asset] = {}
        self._lock = threading.Lock()
        self._newest: View | None = None
        self._told: dict[str, object] = {}
        self._offering = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._feed: Feed | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._beat_ms = boottime_ms()
        self.port = port

    # -- any thread -----------------------------------------------------------------------------

    def start(self) -> None:
        """Listen and serve. OperatorError when the address is taken."""
        assert self._thread is None, "screen started twice"
        listener = self._listen()
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name=self.name, daemon=True
        )
        self._thread.start()
        self._ready.wait(START_S)

    def stop(self) -> None:
        """End every stream and the server, within ``STOP_S``. May be called twice."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is not None:
                loop.call_soon_threadsafe(self._end)
        if self._thread is not None:
            self._thread.join(STOP_S)

    def beat_ms(self) -> int:
        """Boottime at the loop's last sign of life, for the watchdog."""
        return self._beat_ms

    def publish(self, view: View) -> None:
        """Show ``view`` from now on. Never waits: the newest wins, the loop is woken once."""
        with self._lock:
            self._newest = view
            if self._loop is not None and not self._offering:
                self._offering = True
                self._loop.call_soon_threadsafe(self._offer)

    def tell(self, name: str, value: object) -> None:
        """Send ``value`` as the event ``name`` beside the views, now and to every page that comes later."""
        with self._lock:
            self._told[name] = value
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._tell, name)

    def renew(self, setup: Setup) -> None:
        """Other names for the same bins, from now on: pages load themselves anew."""
        with self._lock:
            self._setup = setup
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._renew)

    # -- the server's thread --------------------------------------------------------------------

    def _listen(self) -> socket.socket:
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise OperatorError(
                "screen_port",
                f"The screen's address {host} port {port} cannot be used ({error.strerror}).",
                "End the program that has it, or set another screen.port.",
                port=port,
                reason=error.strerror,
            ) from error
        return listener

    def _run(self, listener: socket.socket) -> None:
        asyncio.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        run = secrets.token_hex(8)
        connections = Connections()
        self._feed = Feed(run, loop)
        self._assets.update(self._made(run))
        app = web_app(
            assets=self._assets,
            feed=self._feed,
            connections=connections,
            act=self._act,
            bins=frozenset(self._setup.bins),
            takers=self._takers,
            token=self._token,
            port=self.port,
        )
        self._server = _Server(
            self._ready,
            uvicorn.Config(
                app,
                http=connections.protocol(),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                backlog=ACCEPTED_AT_ONCE,
                h11_max_incomplete_event_size=HEAD_BYTES,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=1,
            ),
        )
        with self._lock:
            self._loop = loop
            if self._newest is not None:
                self._feed.offer(self._newest)
            for name, value in self._told.items():
                self._feed.tell(name, value)
        beating = asyncio.create_task(self._beat())
        await self._server.serve(sockets=[listener])
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        with self._lock:
            self._loop = None

    async def _beat(self) -> None:
        while True:
            self._beat_ms = boottime_ms()
            await asyncio.sleep(BEAT_S)

    def _offer(self) -> None:
        with self._lock:
            view, self._offering = self._newest, False
        assert view is not None and self._feed is not None, "offered before it was published"
        self._feed.offer(view)

    def _tell(self, name: str) -> None:
        with self._lock:
            value = self._told[name]
        assert self._feed is not None, "told before it ran"
        self._feed.tell(name, value)

    def _made(self, run: str) -> dict[str, page.Asset]:
        return page.assets(self._setup, self._languages, run=run, token=self._token)

    def _renew(self) -> None:
        assert self._feed is not None, "renewed before it ran"
        run = secrets.token_hex(8)
        self._assets.update(self._made(run))
        self._feed.renew(run)

    def _end(self) -> None:
        assert self._feed is not None and self._server is not None, "stopped before it ran"
        self._feed.close()
        self._server.should_exit = True

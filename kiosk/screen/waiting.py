"""A page that asks for patience while the station cannot serve its own yet (``kiosk.recounting``).

Invariant: it is the same for everybody, takes nothing, and knows nothing. One connection at a time, for
``PATIENCE_S`` at the most; whatever asks for another path (the stream of a page that was open before) is
hung up on, so that it tries again.
"""

from __future__ import annotations

import html
import logging
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources

from kiosk.screen import texts

LOG = logging.getLogger("kiosk")
PATIENCE_S = 2.0
POLL_S = 0.1
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
)
PLACE = "<!--sentences-->"


class _Answer(BaseHTTPRequestHandler):
    page = b""

    def setup(self) -> None:
        # Of the whole connection: http.server's own time-out begins anew with each byte that drips in.
        self._end = threading.Timer(PATIENCE_S, self._hang_up)
        self._end.daemon = True
        self._end.start()
        super().setup()

    def finish(self) -> None:
        self._end.cancel()
        super().finish()

    def _hang_up(self) -> None:
        with suppress(OSError):  # it has ended by itself
            self.request.shutdown(socket.SHUT_RDWR)

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/":
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(self.page)))
        self.send_header("cache-control", "no-store")
        self.send_header("content-security-policy", POLICY)
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        """Nothing: a browser that looks every two seconds is no news."""


class _Server(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """A browser that left, or was hung up on: no news either."""


class WaitingPage:
    """Served from ``start`` to ``stop``, on the station's own address."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._server: HTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Where the address is taken there is no page: the station itself says so later."""
        answer = type("_WaitingAnswer", (_Answer,), {"page": _page()})
        try:
            server = _Server(self._address, answer)
        except OSError as error:
            LOG.warning("no page asks for patience meanwhile (%s)", error.strerror)
            return
        self._server = server
        self._thread = threading.Thread(
            target=lambda: server.serve_forever(POLL_S), name="waiting-page", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """The address is free when this returns."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(2 * PATIENCE_S)
            self._server.server_close()
            self._server = None


def _page() -> bytes:
    said = [
        f'<p lang="{html.escape(one.tag)}">{html.escape(one.words["reconnecting"])}</p>'
        for one in texts.load()
    ]
    page = (resources.files("kiosk.screen.assets") / "waiting.html").read_text("utf-8")
    assert page.count(PLACE) == 1
    return page.replace(PLACE, "\n".join(said)).encode()

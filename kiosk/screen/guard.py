"""Who may speak to the page's server, and what a browser may do with its answers.

The server listens on loopback, but the browser that visits some other page lives there too: a
foreign page must neither read the state (a name that resolves to 127.0.0.1) nor press a button (a
form posted across). So every request names this host, and a request that names an origin names ours.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def own_hosts(port: int) -> frozenset[str]:
    """What ``Host`` may say. A browser leaves the port out where it is 80."""
    bare = frozenset(LOOPBACK) if port == 80 else frozenset[str]()
    return bare | {f"{host}:{port}" for host in LOOPBACK}


class Guard:
    """Refuses strangers (403) and adds ``SECURITY_HEADERS`` to every answer."""

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        self._hosts = own_hosts(port)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "the server offers neither lifespan nor websockets"

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            refused = PlainTextResponse("This is another host's page.\n", 403)
            await refused(scope, receive, send_guarded)
        elif not self._origins.issuperset(origins):
            refused = PlainTextResponse("Only the station's own page may ask.\n", 403)
            await refused(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

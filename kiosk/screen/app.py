"""The web application: the page and its parts from memory, the events, the touches."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kiosk.core.events import TouchAction
from kiosk.screen.connections import Connections
from kiosk.screen.feed import Feed
from kiosk.screen.guard import Guard
from kiosk.screen.page import Asset

MAX_BODY_BYTES = 256
BODY_S = 2.0
TOKEN_HEADER = "x-kiosk-token"

RESIDENT_ACTIONS: frozenset[TouchAction] = frozenset(
    {"claim", "balance", "begin_card", "goodbye", "count", "full", "bag_swap", "indicator_zeroed"}
)
"""What anybody before the screen may do. The rules take the last two only as answers to a question,
a scale's repair is the caretaker's."""
BIN_ACTIONS: frozenset[TouchAction] = frozenset({"count", "full", "bag_swap", "indicator_zeroed"})

Act = Callable[[TouchAction, str | None], None]
"""Hands a touch to the rules; may wait for room in the station's inbox."""


class TouchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /act``: ``{"action":"full","bin":"b1"}``; ``bin`` only for what concerns one."""

    action: TouchAction
    bin: str | None = None


class Refused(Exception):
    """A touch that is not taken, with its HTTP status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def web_app(
    *,
    assets: Mapping[str, Asset],
    feed: Feed,
    connections: Connections,
    act: Act,
    bins: frozenset[str],
    token: str,
    port: int,
) -> Starlette:
    """All routes behind the guard."""
    routes = [Route(path, _served(assets, path)) for path in assets]
    routes.append(Route("/events", Events(feed, connections), methods=["GET"]))
    routes.append(Route("/act", Touches(act, bins, token).take, methods=["POST"]))
    return Starlette(routes=routes, middleware=[Middleware(Guard, port=port)])


def _served(assets: Mapping[str, Asset], path: str) -> Callable[[Request], Awaitable[Response]]:
    async def serve(_request: Request) -> Response:
        asset = assets[path]  # the page changes with the city's catalogue
        headers = {"cache-control": "no-store"}
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    return serve


class Events:
    """``GET /events``. Each event is one View as JSON; its id is ``run-count``.

    ``run`` changes when the station restarts or its items' names do, by which a page knows that it
    is an old one.
    """

    def __init__(self, feed: Feed, connections: Connections) -> None:
        self._feed = feed
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._feed.full:
            busy = PlainTextResponse("Too many are looking.\n", 503, {"retry-after": "2"})
            await busy(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async with asyncio.TaskGroup() as tasks:
                streaming = tasks.create_task(self._feed.stream(send))
                leaving = tasks.create_task(_left(receive))
                streaming.add_done_callback(lambda _: leaving.cancel())
                leaving.add_done_callback(lambda _: streaming.cancel())
        except* TimeoutError:
            self._connections.abort(scope["client"])
            await _left(receive)  # uvicorn has seen it go
        else:
            await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    """Returns when the browser has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Touches:
    """``POST /act``: 204 taken, 403 not ours or not a resident's, 4xx otherwise."""

    def __init__(self, act: Act, bins: frozenset[str], token: str) -> None:
        self._act = act
        self._bins = bins
        self._token = token
        self._busy = False

    async def take(self, request: Request) -> Response:
        try:
            touch = await self._checked(request)
            if self._busy:  # one finger at a time; the inbox may be waiting
                raise Refused(429, "The touch before this one is still on its way.")
        except Refused as refused:
            return PlainTextResponse(f"{refused}\n", refused.status)
        self._busy = True
        try:
            await asyncio.to_thread(self._act, touch.action, touch.bin)
        finally:
            self._busy = False
        return Response(status_code=204)

    async def _checked(self, request: Request) -> TouchBody:
        if "origin" not in request.headers:  # the guard has looked at it; a browser always sends it
            raise Refused(403, "Only the station's own page may touch.")
        token = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(token.encode("latin-1"), self._token.encode()):
            raise Refused(403, "The page is an old one; load it again.")
        if request.headers.get("content-type") != "application/json":
            raise Refused(415, "A touch is application/json.")
        try:
            touch = msgspec.json.decode(await _body(request), type=TouchBody)
        except msgspec.MsgspecError as error:
            raise Refused(400, "That is no touch.") from error
        if touch.action not in RESIDENT_ACTIONS:
            raise Refused(403, "That is the caretaker's.")
        if (touch.bin in self._bins) != (touch.action in BIN_ACTIONS) or (
            touch.bin is not None and touch.action not in BIN_ACTIONS
        ):
            raise Refused(400, "That touch needs one of this station's bins, or none.")
        return touch


async def _body(request: Request) -> bytes:
    """At most ``MAX_BODY_BYTES`` within ``BODY_S``."""
    body = b""
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise Refused(413, "That is too much for a touch.")
    except TimeoutError as error:
        raise Refused(408, "The touch did not come to its end.") from error
    except ClientDisconnect as error:
        raise Refused(400, "The touch broke off.") from error
    return body

"""The web application: the page and its parts from memory, the events, the touches."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kiosk.core.errors import KioskError
from kiosk.core.events import TouchAction
from kiosk.screen.connections import Connections
from kiosk.screen.feed import Feed
from kiosk.screen.guard import Guard
from kiosk.screen.page import Asset

MAX_BODY_BYTES = 2_048
BODY_S = 2.0
TOKEN_HEADER = "x-kiosk-token"
JSON = "application/json"

RESIDENT_ACTIONS: frozenset[TouchAction] = frozenset(
    {"claim", "balance", "begin_card", "goodbye", "count", "full", "bag_swap"}
)
"""What anybody before the screen may do; the caretaker's corner has more (``kiosk.corner.shapes``)."""
BIN_ACTIONS: frozenset[TouchAction] = frozenset({"count", "full", "bag_swap"})

Act = Callable[[TouchAction, str | None], None]
"""Hands a touch to the rules; may wait for room in the station's inbox."""


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes touches that are more than a finger on a bin (a vote, the caretaker's corner).

    ``shape`` a struct with ``tag_field="action"`` and ``forbid_unknown_fields``: its tag is the action.
    ``take`` runs in a thread of the server's; what it gives back is the answer as JSON (None: 204), a
    KioskError of its (a refusal, storage that fails, rules that are busy) is told with 409.
    """

    shape: type[msgspec.Struct]
    take: Callable[[Any], object]

    @property
    def action(self) -> str:
        tag = self.shape.__struct_config__.tag
        assert isinstance(tag, str), "a taker's shape names its action by its tag"
        return tag


class _Named(msgspec.Struct, frozen=True):
    """Whichever touch: its action says what the rest has to be."""

    action: str


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
    takers: Sequence[Taker],
    token: str,
    port: int,
) -> Starlette:
    """All routes behind the guard."""
    routes = [Route(path, _served(assets, path)) for path in assets]
    routes.append(Route("/events", Events(feed, connections, token), methods=["GET"]))
    routes.append(Route("/act", Touches(act, bins, takers, token).take, methods=["POST"]))
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
    is an old one. The station's own page says so by its token (``?page=``): whoever else watches, or
    only holds a connection, gives way to it.
    """

    def __init__(self, feed: Feed, connections: Connections, token: str) -> None:
        self._feed = feed
        self._connections = connections
        self._own = b"page=" + token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = hmac.compare_digest(scope["query_string"], self._own)
        if not self._feed.seats(own=own):
            busy = PlainTextResponse("Too many are looking.\n", 503, {"retry-after": "2"})
            await busy(scope, receive, send)
            return
        if own:
            self._connections.keep(scope["client"])
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async with asyncio.TaskGroup() as tasks:
                streaming = tasks.create_task(self._feed.stream(send, own=own))
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
    """``POST /act``: 200 or 204 taken, 403 not ours or not a resident's, 409 refused and why, 4xx
    otherwise."""

    def __init__(self, act: Act, bins: frozenset[str], takers: Sequence[Taker], token: str) -> None:
        self._act = act
        self._bins = bins
        self._takers = {taker.action: taker for taker in takers}
        self._token = token
        self._busy = False

    async def take(self, request: Request) -> Response:
        try:
            do = self._meant(await self._checked(request))
            if self._busy:  # one finger at a time; the inbox may be waiting
                raise Refused(429, "The touch before this one is still on its way.")
        except Refused as refused:
            return PlainTextResponse(f"{refused}\n", refused.status)
        self._busy = True
        try:
            answer = await asyncio.to_thread(do)
        except KioskError as error:
            told = {"code": error.code, "what": error.what, "todo": error.todo}
            return Response(msgspec.json.encode(told), 409, media_type=JSON)
        finally:
            self._busy = False
        if answer is None:
            return Response(status_code=204)
        return Response(msgspec.json.encode(answer), media_type=JSON)

    async def _checked(self, request: Request) -> bytes:
        """The touch's bytes, from the station's own page."""
        if "origin" not in request.headers:  # the guard has looked at it; a browser always sends it
            raise Refused(403, "Only the station's own page may touch.")
        token = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(token.encode("latin-1"), self._token.encode()):
            raise Refused(403, "The page is an old one; load it again.")
        if request.headers.get("content-type") != JSON:
            raise Refused(415, "A touch is application/json.")
        return await _body(request)

    def _meant(self, body: bytes) -> Callable[[], object]:
        """What the touch sets going."""
        try:
            taker = self._takers.get(msgspec.json.decode(body, type=_Named).action)
            if taker is not None:
                asked = msgspec.json.decode(body, type=taker.shape)
                return lambda: taker.take(asked)
            touch = msgspec.json.decode(body, type=TouchBody)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Refused(400, "That is no touch.") from error
        if touch.action not in RESIDENT_ACTIONS:
            raise Refused(403, "That is the caretaker's.")
        if (touch.bin in self._bins) != (touch.action in BIN_ACTIONS) or (
            touch.bin is not None and touch.action not in BIN_ACTIONS
        ):
            raise Refused(400, "That touch needs one of this station's bins, or none.")
        return lambda: self._act(touch.action, touch.bin)


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

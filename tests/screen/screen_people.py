"""A screen server in the test's own process, and those who speak HTTP to it."""

from __future__ import annotations

import http.client
import json
import queue
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kiosk.core.errors import OperatorError, StorageError
from kiosk.core.events import TouchAction
from kiosk.screen import ScreenServer, Setup, Taker
from kiosk.screen.texts import Language

LONG_S = 20.0
"""How long a test waits before it calls something absent that should have come."""

Touched = tuple[TouchAction, str | None]


class Vote(msgspec.Struct, frozen=True, tag_field="action", tag="vote", forbid_unknown_fields=True):
    """A touch that says more than which bin."""

    choice: int


class Station:
    """What stands behind the screen: it notes the touches."""

    def __init__(self, station: Setup, port: int = 0, languages: Sequence[Language] = ()) -> None:
        self.touched: queue.Queue[Touched] = queue.Queue()
        self.screen = ScreenServer(
            "127.0.0.1",
            port,
            setup=station,
            act=self._act,
            takers=[Taker(Vote, self._voted)],
            languages=languages,
        )

    def _voted(self, vote: Vote) -> object:
        if vote.choice == 5:
            raise StorageError("disk_full", "The disk is full.", "Make room.")
        if vote.choice > 3:
            raise OperatorError("no_choice", "There is no such answer.", "Take one of three.")
        return {"kept": vote.choice} if vote.choice else None

    def _act(self, action: TouchAction, bin_: str | None) -> None:
        self.touched.put((action, bin_))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.screen.port}"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str


class Browser:
    """A browser's part of the conversation, with what it would send by itself."""

    def __init__(self, station: Station) -> None:
        self.station = station

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.station.screen.port, timeout=LONG_S
        )
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read().decode())
        finally:
            connection.close()

    def token(self) -> str:
        found = re.search(r'name="kiosk-token" content="([^"]+)"', self.ask("GET", "/").body)
        assert found is not None
        return found[1]

    def touch(self, touch: object, **changed: str | None) -> Answer:
        """As the page does it, but for ``changed`` headers (None leaves one out)."""
        headers: dict[str, str | None] = {
            "content-type": "application/json",
            "origin": self.station.origin,
            "x-kiosk-token": self.token(),
        }
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.ask("POST", "/act", sent, json.dumps(touch).encode())


class Watching:
    """One client of ``/events``, reading a line at a time; with ``token`` it is the station's page."""

    def __init__(self, port: int, token: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG_S)
        self.connection.request("GET", f"/events?page={token}" if token else "/events")
        self.answer = self.connection.getresponse()
        self.last_id = ""

    def next(self, name: str = "message") -> dict[str, Any]:
        """The next event's data; ``name`` of one that comes beside the views."""
        event = "message"
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream ended"
            field, _, value = line.rstrip("\n").partition(": ")
            if field == "id":
                self.last_id = value
            if field == "event":
                event = value
            if field == "data":
                if event == name:
                    said: dict[str, Any] = json.loads(value)
                    return said
                event = "message"

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            view = self.next()
            if wanted(view):
                return view

    def close(self) -> None:
        self.answer.close()
        self.connection.close()

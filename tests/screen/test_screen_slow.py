"""Five hundred who keep the server busy with nothing: the panel is served, and all is bounded."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from screen_people import LONG_S, Browser, Station, Watching
from screen_scenes import view
from slow_people import slow_people

from kiosk.screen.connections import MAX_CONNECTIONS
from kiosk.screen.feed import MAX_CLIENTS

SLOW = 500
GREETINGS = 40


def test_the_panel_is_served_while_five_hundred_ask_slowly(
    station: Station, browser: Browser
) -> None:
    station.screen.publish(view())
    page = Watching(station.screen.port, browser.token())
    page.next()
    with slow_people(station.screen.port, SLOW) as people:
        until(lambda: people.began > SLOW, "nobody was ever sent away")
        token = browser.token()
        for number in range(GREETINGS):
            station.screen.publish(view(phase="greeting", checkins=number))
            page.until(lambda seen, number=number: seen["checkins"] == number)  # type: ignore[misc]
            assert browser.ask("GET", "/screen.js").status == 200
        late = Watching(station.screen.port, token)
        assert late.next()["checkins"] == GREETINGS - 1, "a page that loads anew finds its seat"
        assert browser.touch({"action": "claim"}).status == 204
        page.close()
        late.close()


def test_for_the_stations_own_page_a_stranger_gives_way(
    station: Station, browser: Browser, watch: Callable[[], Watching]
) -> None:
    station.screen.publish(view())
    strangers = [watch() for _ in range(MAX_CLIENTS)]
    for stranger in strangers:
        stranger.next()
    own = Watching(station.screen.port, browser.token())
    assert own.next()["phase"] == "waiting"
    with pytest.raises(AssertionError, match="the stream ended"):
        strangers[0].until(lambda _: False)
    assert browser.ask("GET", "/events").status == 503, "a stranger makes no room for itself"
    assert browser.ask("GET", "/events?page=guessed").status == 503
    own.close()


def test_more_connections_than_there_is_room_for_end_the_longest_silent_first(
    station: Station, bare: Callable[[], socket.socket], browser: Browser
) -> None:
    silent = [bare() for _ in range(MAX_CONNECTIONS)]
    assert browser.ask("GET", "/").status == 200
    assert silent[0].recv(1) == b""
    silent[-1].settimeout(0.2)
    with pytest.raises(TimeoutError):
        silent[-1].recv(1)


def test_a_body_that_drips_after_its_answer_is_given_up(
    station: Station, bare: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.screen.connections.BETWEEN_S", 0.3)
    slow = bare()
    host = f"127.0.0.1:{station.screen.port}"
    slow.sendall(f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\n".encode())
    assert slow.recv(65_536).startswith(b"HTTP/1.1 405")
    until(lambda: gone(slow), "it was listened to for ever")


def test_an_answer_that_nobody_reads_is_given_up(
    station: Station, bare: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.screen.connections.UNREAD_S", 0.2)
    deaf = bare()
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{station.screen.port}\r\n\r\n".encode()
    until(lambda: gone(deaf, request), "its answers were kept for ever")


def gone(client: socket.socket, says: bytes = b"x") -> bool:
    """Whether the server hung up on who says this."""
    time.sleep(0.02)
    try:
        client.setblocking(False)
        client.send(says)
    except BlockingIOError:
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False


def until(seen: Callable[[], bool], trouble: str) -> None:
    limit_s = time.monotonic() + LONG_S
    while not seen():
        assert time.monotonic() < limit_s, trouble
        time.sleep(0.01)

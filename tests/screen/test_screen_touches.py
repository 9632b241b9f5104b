"""Who may touch, and what: only the station's own page, only what is a resident's."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable

import pytest
from screen_people import LONG_S, Browser, Station

from kiosk.core.errors import OperatorError
from kiosk.screen import ScreenServer
from kiosk.screen.app import MAX_BODY_BYTES

CLAIM = {"action": "claim"}


def test_a_touch_reaches_the_rules(station: Station, browser: Browser) -> None:
    assert browser.touch(CLAIM).status == 204
    assert station.touched.get(timeout=LONG_S) == ("claim", None)
    assert browser.touch({"action": "full", "bin": "b2"}).status == 204
    assert station.touched.get(timeout=LONG_S) == ("full", "b2")


def test_a_touch_that_says_more_is_taken_answered_or_refused_in_words(browser: Browser) -> None:
    assert browser.touch({"action": "vote", "choice": 0}).status == 204
    assert browser.touch({"action": "vote", "choice": 2}).body == '{"kept":2}'
    refused = browser.touch({"action": "vote", "choice": 4})
    assert (refused.status, json.loads(refused.body)["code"]) == (409, "no_choice")
    unkept = browser.touch({"action": "vote", "choice": 5})
    assert (unkept.status, json.loads(unkept.body)["code"]) == (409, "disk_full")
    for wrong in ({"choice": "2"}, {}, {"choice": 1, "card": "k"}, {"choice": 1, "bin": "b1"}):
        assert browser.touch({"action": "vote", **wrong}).status == 400


@pytest.mark.parametrize(
    ("touch", "status"),
    [
        ({"action": "scale_broken", "bin": "b1"}, 403),
        ({"action": "scale_mended", "bin": "b1"}, 403),
        ({"action": "open_sesame"}, 400),
        ({"action": "full"}, 400),
        ({"action": "full", "bin": "b99"}, 400),
        ({"action": "claim", "bin": "b1"}, 400),
        ({"action": "claim", "bin": "b99"}, 400),
        ({"action": "claim", "t_ms": 0}, 400),
        (["claim"], 400),
        ("claim", 400),
        ({"action": "claim", "bin": {"$ne": None}}, 400),
    ],
)
def test_what_is_no_residents_touch_changes_nothing(
    station: Station, browser: Browser, touch: object, status: int
) -> None:
    assert browser.touch(touch).status == status
    assert station.touched.empty()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"x_kiosk_token": None}, 403),
        ({"x_kiosk_token": "guessed"}, 403),
        ({"x_kiosk_token": "ü"}, 403),
        ({"origin": None}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_page_in_the_same_browser_cannot_touch(
    station: Station, browser: Browser, changed: dict[str, str | None], status: int
) -> None:
    assert browser.touch(CLAIM, **changed).status == status
    assert station.touched.empty()


def test_a_foreign_name_for_this_machine_reads_nothing(browser: Browser) -> None:
    for path in ("/", "/events", "/screen.js"):
        answer = browser.ask("GET", path, {"Host": "rebound.example"})
        assert answer.status == 403
        assert "kiosk-token" not in answer.body


def test_a_touch_without_end_is_refused_before_it_is_kept(
    station: Station, browser: Browser
) -> None:
    assert browser.touch({"action": "claim", "bin": "x" * MAX_BODY_BYTES}).status == 413
    assert station.touched.empty()


def test_a_chunked_touch_is_bounded_too(station: Station, browser: Browser) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", station.screen.port, timeout=LONG_S)
    headers = {
        "content-type": "application/json",
        "origin": station.origin,
        "x-kiosk-token": browser.token(),
    }
    connection.request("POST", "/act", iter([b"[" * 100] * 100), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_touch_that_stops_halfway_ends(
    station: Station,
    browser: Browser,
    bare: Callable[[], socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kiosk.screen.app.BODY_S", 0.2)
    half = bare()
    lines = (
        "POST /act HTTP/1.1",
        f"Host: 127.0.0.1:{station.screen.port}",
        f"Origin: {station.origin}",
        f"X-Kiosk-Token: {browser.token()}",
        "Content-Type: application/json",
        "Content-Length: 20",
    )
    half.sendall("\r\n".join([*lines, "", json.dumps(CLAIM)[:5]]).encode())
    assert half.recv(1024).startswith(b"HTTP/1.1 408")
    assert station.touched.empty()


def test_nothing_but_the_three_ways_in(browser: Browser) -> None:
    assert browser.ask("GET", "/../../etc/passwd").status == 404
    assert browser.ask("GET", "/assets/pictures.toml").status == 404
    assert browser.ask("GET", "/act").status == 405
    assert browser.ask("POST", "/").status == 405


def test_every_answer_carries_the_security_headers(browser: Browser) -> None:
    for path in ("/", "/screen.js", "/nowhere"):
        headers = browser.ask("GET", path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_a_taken_port_is_the_operators_to_mend(station: Station) -> None:
    second = ScreenServer(
        "127.0.0.1", station.screen.port, setup=station.screen._setup, act=lambda _a, _b: None
    )
    with pytest.raises(OperatorError) as refused:
        second.start()
    assert refused.value.code == "screen_port"
    second.stop()


def test_it_stops_while_pages_look_on_and_may_be_stopped_twice(station: Station) -> None:
    assert station.screen.beat_ms() > 0
    station.screen.stop()
    station.screen.stop()
    with pytest.raises(ConnectionRefusedError), socket.socket() as late:
        late.connect(("127.0.0.1", station.screen.port))

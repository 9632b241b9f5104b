"""The page that asks for patience: whoever holds its one connection holds up no start."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time

import pytest
from screen_people import LONG_S

from kiosk.screen import waiting
from kiosk.screen.waiting import WaitingPage


def test_who_drips_a_request_is_hung_up_on_and_the_next_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.2)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    page = WaitingPage("127.0.0.1", port)
    page.start()
    with socket.create_connection(("127.0.0.1", port)) as slow, pytest.raises(OSError):
        for _ in range(round(LONG_S / 0.05)):
            slow.sendall(b"G")
            time.sleep(0.05)
    browser = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG_S)
    browser.request("GET", "/")
    assert browser.getresponse().status == 200
    browser.close()
    page.stop()
    socket.create_server(("127.0.0.1", port)).close()

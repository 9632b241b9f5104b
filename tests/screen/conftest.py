"""A running screen, its browsers and its watchers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page
from screen_people import LONG_S, Browser, Station, Watching
from screen_scenes import setup
from shots import PANELS, browser_page


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser's page on the panel as it lies, where nothing moves."""
    with browser_page(PANELS["wide"]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        opened.emulate_media(reduced_motion="reduce")
        yield opened


@pytest.fixture
def station() -> Iterator[Station]:
    running = Station(setup(4))
    running.screen.start()
    yield running
    running.screen.stop()


@pytest.fixture
def browser(station: Station) -> Browser:
    return Browser(station)


@pytest.fixture
def watch(station: Station) -> Iterator[Callable[[], Watching]]:
    opened: list[Watching] = []

    def open_one() -> Watching:
        opened.append(Watching(station.screen.port))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def bare(station: Station) -> Iterator[Callable[[], socket.socket]]:
    """A connection that says only what the test says."""
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(LONG_S)
        client.connect(("127.0.0.1", station.screen.port))
        opened.append(client)
        return client

    yield connect
    for one in opened:
        one.close()

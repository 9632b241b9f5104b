"""One station's folder, short enough for a socket's path."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_site import WELL, Site

from kiosk.control import ControlServer
from kiosk.facts import Facts


@pytest.fixture
def site(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv("KIOSK_CONFIG", raising=False)
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder:
        site = Site(Path(folder), capsys)
        site.lay_out()
        yield site


@pytest.fixture
def run(site: Site) -> Iterator[Callable[[Facts], None]]:
    """Starts the station with given facts; stops it at the end."""
    servers: list[ControlServer] = []

    def started(facts: Facts = WELL) -> None:
        servers.append(site.running(facts))

    yield started
    for server in servers:
        server.stop()

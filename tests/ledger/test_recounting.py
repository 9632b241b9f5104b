"""The first start after an update that counts a large ledger anew: nobody kills it, everybody is told."""

from __future__ import annotations

import html
import http.client
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ledger_site import Site

from kiosk.core.effects import Item
from kiosk.core.entries import Alarm
from kiosk.ledger.projections import COUNTED
from kiosk.recounting import EXTEND_S, Recounting
from kiosk.screen import texts

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0


@pytest.fixture
def large(site: Site) -> Site:
    """As a program of before left it, whose projections mean something else."""
    with closing(site.open()) as ledger:
        for _ in range(2):
            ledger.append([Item(Alarm("hot", "station", "on", ""))] * 1_000)
        ledger.append([Item(Alarm("hot", "station", "off", ""))] * 500)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as db:
        db.execute("UPDATE projected SET version = 0")
    return site


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


def got(port: int, path: str) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        assert (answer.status, answer.getheader("cache-control")) == (200, "no-store")
        return answer.read().decode()


def test_systemd_is_asked_for_time_and_the_screen_for_patience(
    large: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, seen = free_port(), list[str]()
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with Recounting("127.0.0.1", port) as counting:

            def looked_at(done: int, whole: int) -> None:
                counting(done, whole)
                seen.append(got(port, "/"))
                with pytest.raises(http.client.RemoteDisconnected):
                    got(port, "/events?page=old")

            large.open(looked_at).close()
        told = systemd.recv(1_024).decode()
        assert systemd.recv(1_024) == b"STATUS="
    assert told.splitlines()[0] == f"EXTEND_TIMEOUT_USEC={EXTEND_S * 1_000_000}"
    assert f"{COUNTED} of 2501 entries" in told
    (page,) = seen
    for language in texts.load():
        assert html.escape(language.words["reconnecting"]) in page
    socket.create_server(("127.0.0.1", port)).close()  # the station's own page may listen there
    large.open(lambda *_: pytest.fail("counted twice")).close()


def test_where_the_address_is_taken_it_counts_all_the_same(large: Site) -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as other,
        Recounting("127.0.0.1", other.getsockname()[1]) as counting,
    ):
        large.open(counting).close()


def test_the_unit_gives_as_long_as_each_sign_of_progress_asks_for() -> None:
    unit = (ROOT / "systemd/kiosk-station.service").read_text(encoding="utf-8")
    assert re.search(r"^TimeoutStartSec=(\d+)s$", unit, re.MULTILINE)[1] == str(EXTEND_S)  # type: ignore[index]
    assert "Type=notify\nNotifyAccess=main" in unit, "the watchdog begins with READY=1"

"""A city's database, and a real broker in a folder of its own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sync_site import CITY, STATION, STATION_KEY

from sync.receiver.database import open_database
from sync.receiver.registry import add_station

PATIENCE_S = 30.0


@pytest.fixture
def city(tmp_path: Path) -> Iterator[sa.Engine]:
    """A fresh database that knows the station's key."""
    engine = open_database(f"sqlite:///{tmp_path / 'city.db'}")
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    yield engine
    engine.dispose()


class Mosquitto:
    """A real broker on its own port; it keeps nothing, and may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "persistence false\nmax_inflight_messages 20\nlog_type error\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"},
        )  # fmt: skip
        give_up_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("mosquitto does not listen")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    yield mosquitto
    mosquitto.kill()

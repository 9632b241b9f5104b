"""However many signals come and how quickly: each process ends in its own order, with its own code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hw_sim import demo_site
from hw_sim.demo_site import Site

CITY_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
"""RFC 8032, 7.1, the first test's."""

BIN = Path(sys.executable).parent
STORM = (signal.SIGTERM, signal.SIGINT) * 100
PATIENCE_S = 60.0
"""No assertion hangs on it: a process that never ends fails the test instead of holding it."""

PROCESSES = {
    "world": ("hw-sim", '"what": "up"', "world", "{site.scenario}", "--folder", "{site.folder}"),
    "station": ("kiosk", "is up", "run", "--config", "{site.settings}"),
    "uplink": ("kiosk", "no station", "uplink", "--config", "{site.settings}"),
    "receiver": (
        *("kiosk-receiver", "Connection refused", "run", "--broker", "mqtt://127.0.0.1:{port}"),
        *("--database", "sqlite:///{site.city_db}"),
    ),
}
"""The command, and what it says once it listens to signals."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A demo's folder, with nothing running in it."""
    made = Site(tmp_path_factory.mktemp("demo"))
    demo_site.clear(made, keep=False)
    demo_site.make_keys(made)
    scenario = demo_site.make_scenario(made, screen_port=demo_site.free_port(), seed=1, speed=1.0)
    demo_site.write_settings(made, scenario, CITY_KEY, demo_site.free_port())
    return made


@contextmanager
def listening(name: str, site: Site) -> Iterator[subprocess.Popen[str]]:
    """The process once it has said that it is there."""
    program, said, *words = PROCESSES[name]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = subprocess.Popen(
        [str(BIN / program), *(word.format(site=site, port=port) for word in words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        heard = []
        for line in process.stdout:
            heard.append(line)
            if said in line:
                break
        else:
            raise AssertionError("".join(heard))
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", PROCESSES)
def test_a_storm_of_signals_ends_it_once_and_well(name: str, site: Site) -> None:
    with listening(name, site) as process:
        for number in STORM:
            os.kill(process.pid, number)
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
        assert "Traceback" not in said

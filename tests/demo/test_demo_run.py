"""The whole demo once, with kills: nothing lost, nothing twice, at the station and at the city."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from hw_sim.accounting import read_station

PATIENCE_S = 180.0
"""Sixty seconds, the tail of at most another sixty, and a slow machine's start."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_minute_with_four_kills_is_accounted_for(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    wishes = {
        "DEMO_DIR": str(folder),
        "DEMO_S": "60",
        "DEMO_KILLS": "4",
        "DEMO_SPEED": "10",
        "DEMO_PORT": str(free_port()),
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("hw-sim")), "demo"],
        env={**os.environ, **wishes},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    logs = "".join(
        f"== {log.name}\n{log.read_text(errors='replace')[-2_000:]}\n"
        for log in sorted((folder / "logs").glob("*.log"))
    )
    assert done.returncode == 0, done.stdout + done.stderr + logs
    assert "everything is accounted for" in done.stdout
    for victim in ("station", "uplink", "broker", "receiver"):
        assert f"kill -9 {victim}" in done.stdout
    assert list((folder / "pids").iterdir()) == []
    ledger = read_station(folder / "station" / "ledger.db")
    kinds = [row.value["kind"] for row in ledger.rows]
    assert kinds.count("boot") >= 2
    assert kinds.count("weighing") >= 3
    truth = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    assert all({"t_ms", "bin", "grams"} <= set(line) for line in truth)

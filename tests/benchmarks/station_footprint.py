"""Start to the first stable weight, memory and processor use of a real ``kiosk run`` over the bench.

    python tests/benchmarks/station_footprint.py

Two HX711 at 10 SPS on the chip model, a camera on the loopback stream, lamps and a lid. Prints one
JSON object; ``docs/benchmarks.md`` keeps the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hw_sim.bench import Bench, Hx711Wiring
from hw_sim.mjpeg import CameraPeer
from hw_sim.station_file import head, make_keys

from kiosk.control.client import ControlClient
from kiosk.core.errors import KioskError

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
{bins}
[[reader]]
id = "qr"
kind = "camera"
source = "{camera}"
"""
BIN = """
[[bin]]
id = "b{n}"
item = "pet-bottle"
lamp_pin = {lamp}
[bin.scale]
kind = "hx711"
dout_pin = {dout}
sck_pin = {sck}
counts_per_gram = 43.0
zero_counts = 84000
max_g = 60000
division_g = 20
"""
STEADY_S = 20.0
START_LIMIT_S = 30.0


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def states(socket: Path) -> list[str]:
    try:
        with ControlClient(socket, timeout_s=2) as client:
            return [one["state"] for one in client.call("facts")["bins"]]
    except (KioskError, OSError):
        return []


def share(pid: int, seconds: float) -> float:
    before = cpu_s(pid)
    time.sleep(seconds)
    return (cpu_s(pid) - before) / seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_keys(folder / "keys")
        camera = CameraPeer(0)
        wiring = [Hx711Wiring(5, 6), Hx711Wiring(13, 19)]
        bench = Bench.create(folder / "bench.mem", wiring)
        for chip in range(2):
            bench.load(chip, 84_000.0)
        bins = BIN.format(n=1, dout=5, sck=6, lamp=20) + BIN.format(n=2, dout=13, sck=19, lamp=21)
        text = head("bench", "bench", screen_port=18_099) + SETTINGS.format(
            bins=bins, camera=camera.url
        )
        (folder / "station.toml").write_text(text, encoding="utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "hw-sim/bench-site"),
            "HW_SIM_BENCH": str(folder / "bench.mem"),
            "GPIOZERO_PIN_FACTORY": "bench",
        }
        kiosk = Path(sys.executable).with_name("kiosk")
        began = time.monotonic()
        station = subprocess.Popen(
            [kiosk, "run", "--config", folder / "station.toml"],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            socket = folder / "run/control.sock"
            while states(socket).count("ready") < 2:
                if time.monotonic() - began > START_LIMIT_S:
                    raise SystemExit("the scales never became ready")
                time.sleep(0.02)
            first_stable_s = time.monotonic() - began
            time.sleep(3)
            idle = share(station.pid, STEADY_S)
            for beat in range(40):
                bench.load(beat % 2, 84_000.0 + 43 * 150 * (beat // 2 + 1))
                time.sleep(0.01)
            camera.show("NOT-A-CARD", STEADY_S)
            busy = share(station.pid, STEADY_S / 2)
            result = {
                "first_stable_s": round(first_stable_s, 2),
                "station_rss_mb": round(rss_mb(station.pid), 1),
                "idle_share_of_a_core": round(idle, 3),
                "busy_share_of_a_core": round(busy, 3),
            }
        finally:
            station.terminate()
            station.wait(10)
            camera.stop()
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Bytes of a station's line when nothing happens, and of one live weighing, over TLS with certificates.

Real uplink, real mosquitto behind TLS, real receiver; a proxy between uplink and broker counts every byte
of TCP payload in both directions, TLS's own among them. TCP and IP headers are reckoned: 40 bytes (IPv4,
no options) a segment with payload and one bare acknowledgement for each, which is more than there are.

``--keepalive`` seconds between pings as they are run here (the settings' 900 would take half an hour); a
ping is as long whatever the interval, so a day is ``86400 / 900`` pings, ``86400 / 3600`` messages on
health and as many connections as asked (``--connects``).

``--wait N`` does nothing of that: one connection, left alone for N intervals of ``--keepalive`` seconds in
real time, and then a weighing over it. Two of 900 s take half an hour, and no processor.

    .venv/bin/python tests/benchmarks/idle_traffic.py [--keepalive 5] [--connects 4] [--plain]
    .venv/bin/python tests/benchmarks/idle_traffic.py --keepalive 900 --wait 2
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sync"))

import msgspec
from city_site import eventually
from counting_proxy import CountingProxy
from link_site import Line
from sync_site import CITY, STATION

from sync.messages import Health

HEADERS_BYTES = 80
QUIET_S = 1.5


class Count:
    """What passed since the last look, when the line has been quiet for a while."""

    def __init__(self, proxy: CountingProxy) -> None:
        self._proxy = proxy
        self._since_s = 0.0

    def take(self) -> tuple[int, int]:
        """(bytes of TCP payload, with headers reckoned)."""
        while self._proxy.passed and time.monotonic() - self._proxy.passed[-1].at_s < QUIET_S:
            time.sleep(0.05)
        payload, pieces = self._proxy.total(self._since_s), self._proxy.pieces(self._since_s)
        self._since_s = time.monotonic()
        return payload, payload + HEADERS_BYTES * pieces


def measure(folder: Path, keepalive_s: int, metered: bool) -> dict[str, tuple[int, int]]:
    line = Line(folder)
    proxy = CountingProxy(line.broker.tls_port)
    count = Count(proxy)
    found: dict[str, tuple[int, int]] = {}
    try:
        line.receiver()
        line.station.know_the_time()
        line.station.drop()
        uplink = line.uplink(port=proxy.port, keepalive_s=keepalive_s, metered=metered)
        eventually(line.arrived, "the first connection")
        count.take()
        singles = []
        for _ in range(5):
            line.station.drop()
            eventually(line.arrived, "a live weighing")
            singles.append(count.take())
        found["one live weighing"] = middle(singles)
        line.station.check_in()
        eventually(line.arrived, "a check-in")
        found["one check-in"] = count.take()
        pings = []
        for _ in range(3):
            time.sleep(keepalive_s + 0.5)
            pings.append(count.take())
        found["a ping"] = middle(pings)
        before = proxy.connections
        line.broker.kill()
        line.broker.start()
        line.hurry(uplink)
        eventually(lambda: proxy.connections > before, "a new connection")
        eventually(lambda: line.station.links[-1]["online"], "up again")
        count.take()
        # The broker that was started anew knows no session: the one after it may be resumed.
        proxy.cut()
        line.hurry(uplink)
        eventually(lambda: proxy.connections > before + 1, "another connection")
        eventually(lambda: line.station.links[-1]["online"], "up again")
        found["a connection with birth, retained words"] = count.take()
    finally:
        line.close()
        proxy.close()
    return found


def wait_out(folder: Path, keepalive_s: int, intervals: int, metered: bool) -> str:
    """What passes over one connection that is left alone, and whether it still carries a weighing after."""
    line = Line(folder)
    proxy = CountingProxy(line.broker.tls_port)
    count = Count(proxy)
    try:
        line.receiver()
        line.station.know_the_time()
        line.station.drop()
        line.uplink(port=proxy.port, keepalive_s=keepalive_s, metered=metered)
        eventually(line.arrived, "the first connection")
        count.take()
        begun_s = time.monotonic()
        told = len(line.station.links)
        time.sleep(intervals * keepalive_s + keepalive_s // 10)
        payload, all_bytes = count.take()
        passed = [each for each in proxy.passed if each.at_s >= begun_s]
        after_s = ", ".join(f"{each.at_s - begun_s:.1f}" for each in passed if each.up)
        waited_s = time.monotonic() - begun_s
        line.station.drop()
        eventually(line.arrived, "a weighing after the silence")
        live, _ = count.take()
        return (
            f"{waited_s:.0f} s left alone at a keepalive of {keepalive_s} s: {payload} bytes, with headers "
            f"{all_bytes}\n    pieces up after {after_s} s; connections {proxy.connections}; "
            f"words of the link {len(line.station.links) - told}; a weighing after it arrived "
            f"({live} bytes)\n"
        )
    finally:
        line.close()
        proxy.close()


def health() -> tuple[int, int]:
    """A message on the health of a station with six scales and two readers: MQTT and TLS reckoned around
    its JSON (two header bytes, topic, its length, no properties; 22 bytes for a TLS 1.3 record)."""
    said = Health(
        queue=12, uptime_s=86_400, disk_free_bytes=12_345_678_901, temperature_mdeg=54_321,
        under_voltage=False, scales={f"b{n}": "ok" for n in range(6)}, readers={"qr": "ok", "nfc": "ok"},
    )  # fmt: skip
    topic = f"kiosk/v1/{CITY}/{STATION}/health"
    payload = len(msgspec.json.encode(said)) + len(topic) + 6 + 22
    return payload, payload + HEADERS_BYTES


def middle(found: list[tuple[int, int]]) -> tuple[int, int]:
    return (
        int(statistics.median(each[0] for each in found)),
        int(statistics.median(each[1] for each in found)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--keepalive", type=int, default=5)
    parser.add_argument("--connects", type=int, default=4)
    parser.add_argument("--plain", action="store_true", help="without metered = true")
    parser.add_argument("--wait", type=int, metavar="N", help="leave a line alone for N intervals")
    asked = parser.parse_args()
    if asked.wait:
        with tempfile.TemporaryDirectory() as folder:
            said = wait_out(Path(folder), asked.keepalive, asked.wait, not asked.plain)
        sys.stdout.write(said)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.keepalive, not asked.plain)
    found["a message on health (reckoned)"] = health()
    for name, (payload, all_bytes) in found.items():
        sys.stdout.write(f"{name:44} {payload:6} bytes, with headers {all_bytes:6}\n")
    day = {
        "a ping": 86_400 // 900,
        "a message on health (reckoned)": 24,
        "a connection with birth, retained words": asked.connects,
    }
    sums = [sum(found[name][kind] * times for name, times in day.items()) for kind in (0, 1)]
    told = " + ".join(f"{times} x {name}" for name, times in day.items())
    sys.stdout.write(f"a day of {told}:\n    {sums[0]} bytes, with headers {sums[1]}\n")


if __name__ == "__main__":
    main()

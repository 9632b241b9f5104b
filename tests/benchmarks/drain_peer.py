"""How fast ThingsBoard's gateway drains its store to PUBACK, which is all that it offers.

Runs in the peers' environment (tests/benchmarks/README.md); ``drain.py --peer`` calls it with that
environment's Python, in the same run as ours. The store holds N records as its own ``put`` writes them
(one weighing each, the same fields as ours) before the gateway starts; a subscriber counts records by
their time stamps. It ends when all have come. One JSON line: records, seconds, records a second,
processor seconds, peak memory.

``--storage sqlite|memory``; ``--tuned`` its best by trying: packs of 10,000 records, 128 KiB messages, no
delay, no statistics; without it as shipped but for the address, the limits of a demonstration account, and
(sqlite) the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

GIVE_UP_S = 900.0
BOOT = "0f" * 16


def record(n: int) -> str:
    """One weighing as an event of the gateway's store."""
    values = {
        "seq": n, "kind": "weighing", "bin": f"b{n % 6}", "item": "pet-bottle", "bag": f"bag-{n // 300}",
        "visit": f"5e1f2a90c3-{n // 3}", "net_g": 40 + n % 900, "gross_before_g": (n * 40) % 60_000,
        "gross_after_g": (n * 40) % 60_000 + 40 + n % 900, "uncertainty_g": 14, "division_g": 20,
        "adjustment": 1, "mode": "estimate", "catalogue": 1, "tariff": 1, "points": 0, "boot": BOOT,
        "boot_ms": 1000 * n, "clock": "synced",
    }  # fmt: skip
    telemetry = [{"ts": 1_790_000_000_000 + 1000 * n, "values": values}]
    return json.dumps({"deviceName": "hall-1", "deviceType": "kiosk", "telemetry": telemetry})


def configuration(port: int, storage: str, tuned: bool, folder: Path) -> dict[str, Any]:
    """``tb_gateway.json``."""
    board: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "remoteShell": False, "remoteConfiguration": False,
        "latencyDebugMode": False, "statistics": {"enable": not tuned, "statsSendPeriodInSeconds": 60},
        "deviceFiltering": {"enable": False}, "maxPayloadSizeBytes": 8196, "minPackSendDelayMS": 50,
        "minPackSizeToSend": 500, "checkConnectorsConfigurationInSeconds": 60,
        "handleDeviceRenaming": True, "qos": 1, "reportStrategy": {"type": "ON_RECEIVED"},
        "security": {"type": "accessToken", "accessToken": "token"},
        "checkingDeviceActivity": {"checkDeviceInactivity": False},
    }  # fmt: skip
    for name in ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits",
                 "deviceRateLimits", "deviceDpRateLimits"):  # fmt: skip
        board[name] = "0:0,"
    kept: dict[str, Any] = {
        "type": storage,
        "read_records_count": 100,
        "max_records_count": 100_000,
    }
    if storage == "sqlite":
        kept = {
            "type": storage,
            "data_file_path": f"{folder}/data/",
            "max_read_records_count": 1000,
        }
    if tuned:
        board |= {
            "maxPayloadSizeBytes": 128 * 1024,
            "minPackSendDelayMS": 0,
            "minPackSizeToSend": 1,
        }
        kept |= {
            "read_records_count": 10_000,
            "max_read_records_count": 10_000,
            "size_limit": 100_000,
        }
    if storage == "memory":
        kept["max_records_count"] = 10_000_000
    return {"thingsboard": board, "storage": kept, "grpc": {"enabled": False}, "connectors": []}


def fill_sqlite(folder: Path, records: int) -> None:
    (folder / "data").mkdir()
    database = sqlite3.connect(folder / "data" / "data.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(
        "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL,"
        " message TEXT NOT NULL)"
    )
    database.execute("CREATE INDEX idx_timestamp ON messages (timestamp)")
    now_ms = int(time.time() * 1000)
    database.executemany(
        "INSERT INTO messages (timestamp, message) VALUES (?, ?)",
        ((now_ms, record(n)) for n in range(1, records + 1)),
    )
    database.commit()
    database.close()


GATEWAY = """
import sys
records, filled = int(sys.argv[1]), sys.argv[2]
from thingsboard_gateway.storage.memory.memory_event_storage import MemoryEventStorage
from drain_peer import record
made = MemoryEventStorage.__init__
def full(self, *args):
    made(self, *args)
    for n in range(1, records + 1):
        self.put(record(n))
    open(filled, "w").close()
MemoryEventStorage.__init__ = full
sys.argv[1:] = []
from thingsboard_gateway.tb_gateway import daemon
daemon()
"""


class Counted:
    """Counts records on the broker."""

    def __init__(self, port: int) -> None:
        self.records = 0
        self.first_s = 0.0
        self.last_s = 0.0
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="count")
        client.on_message = self._came
        client.connect("127.0.0.1", port)
        client.subscribe("#", qos=0)
        client.loop_start()

    def _came(self, client: Any, _data: Any, message: Any) -> None:
        asked = "v1/devices/me/rpc/request/"
        if message.topic.startswith(asked) and b"getSessionLimits" in message.payload:
            # It sends nothing before its server has told it the limits: there are none here.
            none = {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""}
            limits = {
                "rateLimits": none, "gatewayRateLimits": none, "maxPayloadSize": 128 * 1024,
                "maxInflightMessages": 100,
            }  # fmt: skip
            answer = message.topic.replace("request", "response")
            client.publish(answer, json.dumps(limits), qos=1)
        found = message.payload.count(b'"kind"')
        if found:
            self.first_s = self.first_s or time.monotonic()
            self.last_s = time.monotonic()
            self.records += found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--storage", choices=["sqlite", "memory"], default="sqlite")
    parser.add_argument("--tuned", action="store_true")
    args = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mosquitto.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "persistence false\nmax_queued_messages 0\nmax_packet_size 2000000\n"
        )
        (folder / "tb_gateway.json").write_text(
            json.dumps(configuration(port, args.storage, args.tuned, folder))
        )
        if args.storage == "sqlite":
            fill_sqlite(folder, args.records)
        broker = subprocess.Popen(
            ["mosquitto", "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin"},
        )  # fmt: skip
        time.sleep(1)
        counted = Counted(port)
        environment = os.environ | {
            "TB_GW_CONFIG_DIR": f"{folder}/",
            "PYTHONPATH": str(Path(__file__).parent),
        }
        gateway = subprocess.Popen(
            [sys.executable, "-c", GATEWAY, str(args.records), str(folder / "filled")],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        give_up_s = time.monotonic() + GIVE_UP_S
        peak_kb = 0
        while counted.records < args.records and time.monotonic() < give_up_s:
            time.sleep(0.2)
            peak_kb = max(peak_kb, _rss_kb(gateway.pid))
            if gateway.poll() is not None:
                break
        gateway.terminate()
        try:
            gateway.wait(10)
        except subprocess.TimeoutExpired:
            gateway.kill()
            gateway.wait()
        broker.terminate()
        broker.wait()
    took_s = counted.last_s - counted.first_s
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "peer": f"thingsboard-gateway {args.storage}{' tuned' if args.tuned else ' as shipped'}",
        "records": counted.records,
        "asked": args.records,
        "seconds": round(took_s, 2),
        "per_s": round(counted.records / took_s) if took_s else 0,
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(peak_kb / 1024, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


def _rss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = [line for line in text.splitlines() if line.startswith("VmRSS")]
    return int(found[0].split()[1]) if found else 0


if __name__ == "__main__":
    main()

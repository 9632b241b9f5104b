"""All processes between a station's ledger and the city's database, and what each has cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from city_site import BIN, CityDatabase, Mosquitto, Program, ask, eventually
from hw_sim.postgres import Postgres
from hw_sim.station_file import head
from ledger_site import Site

TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = """
[[bin]]
id = "b1"
item = "pet-bottle"
[city]
public_key = "{key}"
[mqtt]
host = "127.0.0.1"
port = {port}
compress = "{compress}"
"""
GIVE_UP_S = 1_200.0


class Station:
    """``drain_station.py``, spoken to in lines."""

    def __init__(self, site: Site, city_key: str) -> None:
        script = Path(__file__).with_name("drain_station.py")
        self.process = subprocess.Popen(
            [sys.executable, script, site.folder, city_key],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._line()

    def ask(self, word: str) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the station ended"
        return line.strip()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Wire:
    """A proxy before the broker that counts what passes, both ways."""

    def __init__(self, port: int) -> None:
        self.total = 0
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            broker = socket.create_connection(("127.0.0.1", self._to))
            for each in (client, broker):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for one, other in ((client, broker), (broker, client)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        while data := one.recv(65_536):
            self.total += len(data)
            other.sendall(data)
        other.close()


class City:
    """Broker, database, receivers and station run; the uplink does when it is started."""

    def __init__(
        self, folder: Path, site: Site, database: str, *, compress: str, receivers: int, wire: bool
    ) -> None:
        with ExitStack() as held:
            self.broker = Mosquitto(folder)
            held.callback(self.broker.kill)
            self.server = Postgres() if database == "postgresql" else None
            if self.server is not None:
                held.callback(self.server.close)
            self.url = (
                f"sqlite:///{folder / 'city.db'}" if self.server is None else self.server.url()
            )
            own = ("--key", str(folder / "city.key"))
            key = ask("key", "--database", self.url, *own)["public_key"]
            ask(
                "station", "add", site.station, "--city", "demo",
                "--key", site.signer.public_key.hex(), "--database", self.url,
            )  # fmt: skip
            self.receivers = []
            for n in range(receivers):
                broker = f"mqtt://127.0.0.1:{self.broker.port}"
                program = Program(
                    folder / f"receiver-{n}.log", BIN / "kiosk-receiver", "run",
                    "--database", self.url, "--broker", broker, *own,
                )  # fmt: skip
                held.callback(program.kill)
                self.receivers.append(program)
                eventually(lambda program=program: program.has_said("listening"), "it listens")
            self.station = Station(site, key)
            held.callback(self.station.close)
            self.wire = Wire(self.broker.port) if wire else None
            self._folder = folder
            self._config = folder / "station.toml"
            self._config.write_text(
                head("hall-1", "demo", folder=str(site.folder), run=".")
                + SETTINGS.format(
                    key=key,
                    compress=compress,
                    port=self.wire.port if self.wire is not None else self.broker.port,
                ),
                encoding="utf-8",
            )
            self._database = CityDatabase(self.url)
            held.callback(self._database.close)
            self._uplink: Program | None = None
            self._held = held.pop_all()

    def start_uplink(self) -> None:
        self._uplink = Program(
            self._folder / "uplink.log", BIN / "kiosk", "uplink", "--config", self._config
        )
        self._held.callback(self._uplink.kill)

    def check(self) -> None:
        """Raises where the uplink has ended."""
        if self._uplink is not None and self._uplink.code is not None:
            raise SystemExit((self._folder / "uplink.log").read_text(encoding="utf-8"))

    def watermark(self) -> int:
        rows = self._database.rows("SELECT watermark FROM ledger")
        return int(rows[0][0]) if rows else 0

    def until_committed(self, seq: int) -> float:
        """Milliseconds until the database has the entry."""
        return self._until(lambda: self.watermark() >= seq)

    def until_verified(self, seq: int) -> float:
        """Milliseconds until the database has it joined on, or parked."""
        parked = f"SELECT 1 FROM parked WHERE last >= {seq} AND first <= {seq}"
        return self._until(lambda: self.watermark() >= seq or bool(self._database.rows(parked)))

    def _until(self, there: Callable[[], bool]) -> float:
        began_s = time.monotonic()
        while not there():
            self.check()
            assert time.monotonic() - began_s < GIVE_UP_S, "never committed"
            time.sleep(0.001)
        return (time.monotonic() - began_s) * 1000

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds so far, by process."""
        used = {
            "station": _cpu_s(self.station.process.pid),
            "broker": _cpu_s(self.broker.pid),
            "receiver": sum(_cpu_s(each.pid) for each in self.receivers),
        }
        if self._uplink is not None:
            used["uplink"] = _cpu_s(self._uplink.pid)
        if self.server is not None:
            used["postgresql"] = sum(_cpu_s(pid) for pid in self.server.pids())
        return used

    def uplink_peak_mb(self) -> float:
        assert self._uplink is not None
        status = Path(f"/proc/{self._uplink.pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)

    def stop_receivers(self) -> None:
        for each in self.receivers:
            each.kill()
        self.receivers = []

    def close(self) -> None:
        self._held.close()


def _cpu_s(pid: int) -> float:
    """User and system time of a process and of its children that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS

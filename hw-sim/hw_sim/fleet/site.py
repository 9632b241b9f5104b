"""The city of a fleet: broker, receivers and database, its own or given ones."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from hw_sim import demo_site
from hw_sim.chaos.sources import BIN
from hw_sim.demo_site import DemoError
from hw_sim.fleet.book import CITY, Book
from hw_sim.postgres import NoPostgres, Postgres
from hw_sim.supervisor import leash
from sync.receiver.broker_url import parse_broker
from sync.receiver.database import open_database
from sync.receiver.registry import add_station
from sync.signing import Signer

QUEUED_MESSAGES = 50_000
"""A receiver's, at the broker: all windows of a thousand stations at once."""
START_S = 40.0
TICKS_A_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Given:
    """What is there already; None for one of our own. ``receivers`` is how many we start."""

    broker: str | None = None
    database: str | None = None
    sqlite: bool = False
    receivers: int = 2
    city_key: Path | None = None


class Process:
    """A process that is killed and started again when the scenario says so."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = [*leash(), *command]
        self._log = log
        self._spent_s = 0.0
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        """-9."""
        self._spent_s += cpu_s([self._process.pid])
        self._process.kill()
        self._process.wait()

    def has_said(self, words: str) -> bool:
        return words in self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()

    @property
    def cpu_s(self) -> float:
        """Processor time over all its lives."""
        return self._spent_s + cpu_s([self._process.pid])


class City:
    """Running when made; ``close`` takes away what is ours."""

    def __init__(self, given: Given) -> None:
        self._held = ExitStack()
        self.broker: Process | None = None
        self.receivers: list[Process] = []
        self.postgres: Postgres | None = None
        try:
            self._make(given)
        except BaseException:  # whatever it is: nothing of ours stays behind
            self.close()
            raise

    def close(self) -> None:
        self._held.close()

    def _make(self, given: Given) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kiosk-fleet-"))
        self._held.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.key_file = given.city_key or self.folder / "city.key"
        self.key = (
            Signer.load(self.key_file) if given.city_key else Signer.generate(self.key_file)
        ).public_key
        self.database = given.database or self._own_database(given)
        self.engine = open_database(self.database, serving=True)
        self._held.callback(self.engine.dispose)
        self.broker_url = given.broker or self._own_broker()
        parsed = parse_broker(self.broker_url)
        if parsed.ca_file is not None or parsed.username is not None:
            raise DemoError("A fleet speaks mqtt:// without a user. Give a listener for trials.")
        self.address = (parsed.host, parsed.port)
        for number in range(given.receivers):
            command = [
                *(str(BIN / "kiosk-receiver"), "run", "--database", self.database),
                *("--broker", self.broker_url, "--key", str(self.key_file)),
            ]
            self.receivers.append(Process(command, self.folder / f"receiver-{number}.log"))
            self._held.callback(self.receivers[-1].close)
        for receiver in self.receivers:
            _until(lambda: receiver.has_said("listening"), "A receiver does not listen.")  # noqa: B023

    def _own_database(self, given: Given) -> str:
        if not given.sqlite:
            try:
                self.postgres = Postgres()
            except NoPostgres:
                pass  # then SQLite, which the summary says
            else:
                self._held.callback(self.postgres.close)
                return self.postgres.url()
        return f"sqlite:///{self.folder / 'city.db'}"

    def _own_broker(self) -> str:
        mosquitto = shutil.which("mosquitto", path=demo_site.PATH)
        if mosquitto is None:
            raise DemoError("There is no mosquitto here. Install it: sudo apt install mosquitto")
        port = demo_site.free_port()
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            f"set_tcp_nodelay true\nmax_queued_messages {QUEUED_MESSAGES}\nlog_type error\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.broker = Process([mosquitto, "-c", str(config)], self.folder / "broker.log")
        self._held.callback(self.broker.close)
        self.await_broker(("127.0.0.1", port))
        return f"mqtt://127.0.0.1:{port}"

    def await_broker(self, address: tuple[str, int]) -> None:
        """Until it listens."""

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(address) == 0

        _until(listens, f"Nobody listens on {address[0]}:{address[1]}.")

    def register(self, books: list[Book]) -> None:
        """Every station's public key."""
        with self.engine.begin() as connection:
            for book in books:
                add_station(connection, CITY, book.name, book.signer.public_key)

    def cpu_s(self) -> dict[str, float]:
        """Processor time so far of what is ours, in seconds."""
        spent = {"receivers": sum(each.cpu_s for each in self.receivers)}
        if self.broker is not None:
            spent["broker"] = self.broker.cpu_s
        if self.postgres is not None:
            spent["postgres"] = cpu_s(self.postgres.pids())
        return spent

    def size_bytes(self) -> int:
        """Of the whole database, indices too."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                return int(
                    connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
                )
            pages = connection.scalar(sa.text("PRAGMA page_count"))
            return int(pages) * int(connection.scalar(sa.text("PRAGMA page_size")))

    def differences(self, books: list[Book]) -> list[str]:
        """What the city lacks or has too much of, a sentence each; none is what is wanted."""
        found = []
        with self.engine.connect() as connection:
            counted = {
                name: (count, last)
                for name, count, last in connection.execute(
                    sa.text("SELECT ledger, count(*), max(seq) FROM entry GROUP BY ledger")
                )
            }
            heads = {
                name: (seq, bytes(head))
                for name, seq, head in connection.execute(
                    sa.text("SELECT ledger, watermark, head FROM ledger")
                )
            }
            for table in ("parked", "quarantine"):
                left = connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
                if left:
                    found.append(f"{left} rows are left in {table}")
        for book in books:
            own = (book.head, book.head)
            if counted.get(book.ledger) != own:
                found.append(f"{book.name}: the city has {counted.get(book.ledger)} of {own}")
            if heads.get(book.ledger) != (book.head, book.head_hash):
                found.append(f"{book.name}: the city's head is another")
        return found


def _until(true: Callable[[], bool], words: str) -> None:
    give_up_s = time.monotonic() + START_S
    while not true():
        if time.monotonic() > give_up_s:
            raise DemoError(words)
        time.sleep(0.01)


def cpu_s(pids: list[int]) -> float:
    """User and system time of these processes and of their children that ended."""
    spent = 0
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            continue  # it ended
        spent += sum(int(word) for word in words[11:15])
    return spent / TICKS_A_S

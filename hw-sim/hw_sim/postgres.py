"""A real PostgreSQL server in a folder of its own, for worlds and tests: started, killed, thrown away.

It listens on a Unix socket in that folder and on nothing else. The server refuses to run as root, so
there it becomes Debian's user ``postgres``; the folder lies in the system's temporary folder, as that
user may not look into root's. Durability is as shipped (``fsync`` on): a kill is meant to prove something.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

START_S = 30.0
USER = "postgres"
SETTINGS = {"listen_addresses": "", "max_connections": "60", "max_wal_size": "2GB"}


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine."""


def programs() -> Path:
    """The folder of ``initdb`` and ``postgres``, of the newest version; NoPostgres where there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    initdb = shutil.which("initdb")
    if initdb is None:
        raise NoPostgres("PostgreSQL is not here: apt-get install postgresql")
    return Path(initdb).resolve().parent


class Postgres:
    """One server. Made running, with a database ``city``; ``close`` takes everything away."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        self._programs = programs()
        self._settings = SETTINGS | (settings or {})
        self._as_user = ["setpriv", "--reuid", USER, "--regid", USER, "--init-groups"]
        if os.geteuid() != 0:
            self._as_user = []
        self.folder = Path(tempfile.mkdtemp(prefix="kiosk-pg-"))
        if self._as_user:
            shutil.chown(self.folder, USER, USER)
        self._run([self._programs / "initdb", "-D", self.folder / "data", "-A", "trust",
                   "-U", "city", "-E", "UTF8", "--locale", "C", "-N"])  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        self.create("city")

    def url(self, database: str = "city") -> str:
        """For SQLAlchemy and ``kiosk-receiver --database``."""
        return f"postgresql+psycopg://city@/{database}?host={self.folder}"

    def start(self) -> None:
        """Again after ``kill``; returns when it answers."""
        options = [
            word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")
        ]
        command = [
            self._programs / "postgres",
            "-D",
            self.folder / "data",
            "-k",
            self.folder,
            *options,
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user, *map(str, command)], stdout=log, stderr=log, cwd=self.folder
            )
        give_up_s = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > give_up_s or self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL does not start: {self.folder / 'log'}")
            time.sleep(0.05)

    def create(self, database: str) -> None:
        """One more database, empty."""
        self._run(
            [
                self._programs / "createdb",
                "-h",
                self.folder,
                "-U",
                "city",
                "-T",
                "template0",
                database,
            ]
        )

    def kill(self) -> None:
        """As a power cut does, less the disk: SIGKILL for the server and all it started."""
        assert self._process is not None
        children = _children(self._process.pid)
        self._process.kill()
        self._process.wait()
        for child in children:
            _kill(child)
        # The next start waits for the old backends to let go of the shared memory.
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def pids(self) -> list[int]:
        """The server's process and those that it has started."""
        assert self._process is not None
        return [self._process.pid, *_children(self._process.pid)]

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        asked = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-d", "postgres"]
        return subprocess.run(asked, check=False).returncode == 0

    def _run(self, command: Sequence[str | Path]) -> None:
        subprocess.run(
            [*self._as_user, *map(str, command)],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(word) for word in path.read_text(encoding="ascii").split()]
    except OSError:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return

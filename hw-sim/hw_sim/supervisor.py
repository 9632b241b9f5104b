"""Keeps a few processes alive: each is started again soon after it dies, whoever killed it.

Each child belongs to one thread that starts it, writes its pid file, waits for it and starts it again
``RESTART_S`` later. A child that cannot live (``MAX_DEATHS`` by its own fault within
``DEATHS_WITHIN_S``) ends the run with its log's last words rather than spinning for ever. One that is
killed from outside, or ended when asked from outside, comes back each time: ``RESTART_S`` bounds how
often. A child's children are its own. When this process dies without a word, the kernel kills its
children (``setpriv --pdeathsig``, util-linux): none of them has anything to lose by that.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESTART_S = 0.1
STOP_S = 8.0
"""After SIGTERM; then it is killed."""
MAX_DEATHS = 8
DEATHS_WITHIN_S = 15.0
LAST_WORDS_BYTES = 1_500
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)
"""Signals that a process earns by its own fault; any other comes from outside."""

Told = Callable[[str, str], None]
"""Called with a child's name and what happened: ``started``, ``died``."""


@dataclass(frozen=True, slots=True)
class Child:
    """What to run. ``output`` gets each line of standard output where it is not for the log."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    restarts: bool = True
    output: Callable[[str], None] | None = None


class Keeper:
    """Keeps one child."""

    def __init__(self, child: Child, folder: Path, told: Told) -> None:
        self.child = child
        self.starts = 0
        self.failure: str | None = None
        self._pid_file = folder / "pids" / f"{child.name}.pid"
        self._log = folder / "logs" / f"{child.name}.log"
        self._told = told
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=f"keep-{child.name}", daemon=True)

    def start(self) -> None:
        """Start the child; returns when it has a pid."""
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._started.wait(STOP_S)

    @property
    def pid(self) -> int | None:
        """The living child's, None between two lives."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def send(self, number: signal.Signals) -> bool:
        """Signal the child; False when there is none just now."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                return False
            self._process.send_signal(number)
            return True

    def stop(self) -> None:
        """End the child: asked first, killed when it does not listen. Idempotent."""
        self._stopping.set()
        self.send(signal.SIGTERM)
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            self.failure = f"{self.child.name} did not end within {STOP_S:.0f} s of SIGTERM"
            self.send(signal.SIGKILL)
            self._thread.join(STOP_S)
        self._pid_file.unlink(missing_ok=True)

    def _keep(self) -> None:
        deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        while not self._stopping.is_set():
            code = self._live_once()
            if self._stopping.is_set():
                return
            self._told(self.child.name, "died")
            if not self.child.restarts:
                self.failure = f"{self.child.name} ended by itself ({code}): {self._last_words()}"
                return
            if code > 0 or -code in CRASHES:
                deaths.append(time.monotonic())
            if len(deaths) == MAX_DEATHS and deaths[-1] - deaths[0] < DEATHS_WITHIN_S:
                self.failure = f"{self.child.name} keeps dying ({code}): {self._last_words()}"
                return
            self._stopping.wait(RESTART_S)

    def _live_once(self) -> int:
        """One life of the child; its exit code."""
        with self._log.open("ab") as log:
            own_output = self.child.output is not None
            with self._lock:
                process = subprocess.Popen(
                    [*leash(), *self.child.command],
                    env={**os.environ, **self.child.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if own_output else log,
                    stderr=log,
                    text=True,
                    start_new_session=True,
                )
                self._process = process
            self.starts += 1
            self._write_pid(process.pid)
            self._started.set()
            self._told(self.child.name, "started")
            if self._stopping.is_set():  # asked to stop while it was being started
                self.send(signal.SIGTERM)
            if self.child.output is not None and process.stdout is not None:
                for line in process.stdout:
                    self.child.output(line.rstrip("\n"))
                process.stdout.close()
            return process.wait()

    def _write_pid(self, pid: int) -> None:
        draft = self._pid_file.with_suffix(".draft")
        draft.write_text(f"{pid}\n")
        draft.replace(self._pid_file)

    def _last_words(self) -> str:
        words = self._log.read_bytes()[-LAST_WORDS_BYTES:].decode("utf-8", "replace").strip()
        return words.splitlines()[-1] if words else "it said nothing"


def leash() -> list[str]:
    """A prefix that lets the kernel kill the child when the thread that keeps it is gone."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []

"""Work that takes a while: a guided adjustment, a card that changes hands. One at a time, in a thread.

A job tells how far it is (``event: corner``), hears a touch that agrees to its last step, and ends: by
itself, by a touch, with the corner, or with the station. However it ends, it says how.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from kiosk.core.errors import KioskError, OperatorError

LOG = logging.getLogger("kiosk.corner")
STOP_S = 3.0

Told = dict[str, Any]


class Cancelled(Exception):
    """Somebody wanted no more."""


class Job:
    """What a work sees of its job. ``tell`` and ``check`` in its thread, the rest from anywhere."""

    def __init__(self, kind: str, told: Callable[[Told | None], None], **more: object) -> None:
        self._publish = told
        self.told: Told = {"kind": kind, "step": "begins", **more}
        self._cancelled = threading.Event()
        self._agreed = threading.Event()
        self._telling = threading.Lock()

    def tell(self, **changes: object) -> None:
        """What nobody wants any more is told to nobody: nothing follows the word that there is no job."""
        self.told = {**self.told, **changes}
        with self._telling:
            if not self._cancelled.is_set():
                self._publish(self.told)

    def check(self) -> None:
        """Raises Cancelled where nobody wants it any more."""
        if self._cancelled.is_set():
            raise Cancelled

    def cancel(self) -> None:
        with self._telling:
            self._cancelled.set()

    def agree(self) -> None:
        """To what was asked for (step ``agree``); a touch on a page of before agrees to nothing."""
        if self.told["step"] == "agree":
            self._agreed.set()

    @property
    def agreed(self) -> bool:
        return self._agreed.is_set()


class Jobs:
    """``told`` publishes how far the job is, None where there is none."""

    def __init__(self, told: Callable[[Told | None], None]) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._thread: threading.Thread | None = None

    def start(self, kind: str, run: Callable[[Job], None], **more: object) -> None:
        """Raises OperatorError while another one is being done."""
        with self._lock:
            ending = self._thread if self._job is None else None
        if ending is not None:
            # It was cancelled, and is putting things back: for that it needs the rules, and those may be
            # waiting for our lock.
            ending.join(STOP_S)
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise OperatorError(
                    "corner_busy", "Something else is being done here.", "Wait for it, or end it."
                )
            job = Job(kind, self._told, **more)
            self._job = job
            self._thread = threading.Thread(
                target=self._run, args=(job, run), name="corner-job", daemon=True
            )
            self._thread.start()

    def agree(self) -> None:
        with self._lock:
            if self._job is not None:
                self._job.agree()

    def cancel(self) -> None:
        """Ends the job; what it told goes, too. The thread follows within a heartbeat."""
        with self._lock:
            job, self._job = self._job, None
        if job is not None:
            job.cancel()
        self._told(None)

    def stop(self) -> None:
        """With the station."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _run(self, job: Job, run: Callable[[Job], None]) -> None:
        job.tell()
        try:
            run(job)
        except Cancelled:
            pass
        except KioskError as error:
            LOG.info("%s came to nothing: %s", job.told["kind"], error.code)
            job.tell(step="ended", why=error.code)

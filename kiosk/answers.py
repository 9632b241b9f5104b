"""Answers of the rules to who asked through the control socket.

The rules live on the main thread, the asker waits on its connection's. A question goes in as an event with
a name of its own (``request``), its answer comes out as an effect.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from kiosk.core.effects import Answered
from kiosk.core.errors import DeviceError
from kiosk.core.events import Event

WAIT_S = 5.0
"""The rules answer at the next event, or when storage lets them."""
MAX_WAITING = 16
NO_ANSWER = "no_answer"
"""The code of an error that says nothing of whether what was asked for is done yet."""


class Answers:
    """``ask`` on any thread, ``tell`` on the main one."""

    def __init__(self, post: Callable[[Event], None]) -> None:
        self._post = post
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[str, SimpleQueue[Answered]] = {}

    def ask(self, question: Callable[[str], Event], *, wait_s: float = WAIT_S) -> Answered:
        """Posts ``question(request)`` and waits for its answer, for ``wait_s`` at most.

        Raises DeviceError where none comes.
        """
        with self._box() as (request, box):
            self._post(question(request))
            try:
                return box.get(timeout=wait_s)
            except Empty:
                raise _silent() from None

    @contextmanager
    def talk(
        self, question: Callable[[str], Event], end: Callable[[str], Event]
    ) -> Iterator[SimpleQueue[Answered]]:
        """Posts a question that may have several answers; ``end(request)`` when the block is left,
        however that comes. Raises DeviceError where too many wait already."""
        with self._box() as (request, box):
            self._post(question(request))
            try:
                yield box
            finally:
                self._post(end(request))

    @contextmanager
    def _box(self) -> Iterator[tuple[str, SimpleQueue[Answered]]]:
        request, box = f"r{next(self._numbers)}", SimpleQueue[Answered]()
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                raise _silent()
            self._waiting[request] = box
        try:
            yield request, box
        finally:
            with self._lock:
                del self._waiting[request]

    def tell(self, answered: Answered) -> None:
        """An answer; who does not wait any more does not get it."""
        with self._lock:
            box = self._waiting.get(answered.request)
        if box is not None:
            box.put(answered)


def _silent() -> DeviceError:
    return DeviceError(
        NO_ANSWER,
        "The station did not answer in time.",
        "Try again in a moment; kiosk doctor says what is wrong.",
    )

"""What the drivers' tests share: an inbox to look into, and how long to wait for what must come."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import Any

from hw_sim.bench import Bench, Hx711Wiring

from kiosk.core.events import Event

LONG_S = 20.0
"""How long a test waits before it calls something absent that should have come."""

MakeBench = Callable[[Sequence[Hx711Wiring]], Bench]


class Inbox:
    """Where a device posts, and the test looks."""

    def __init__(self) -> None:
        self.queue: queue.Queue[Event] = queue.Queue()
        self.post = self.queue.put

    def wait(
        self, kind: type | tuple[type, ...], match: Callable[[Any], bool] | None = None
    ) -> Any:
        """The next event of that kind (that matches); others are passed over."""
        while True:
            event = self.queue.get(timeout=LONG_S)
            if isinstance(event, kind) and (match is None or match(event)):
                return event

    def drain(self) -> list[Event]:
        """Everything posted so far."""
        return [self.queue.get_nowait() for _ in range(self.queue.qsize())]

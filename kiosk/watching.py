"""The newest view for whoever looks: the watch stream of the control socket, and tests of them.

A slow watcher misses views, never delays the station: only the newest is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import msgspec

from kiosk.core.view import View

HEARTBEAT_S = 1.0


class Board:
    """One view at a time, with a count that tells a watcher whether it is new."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._view: View | None = None
        self._count = 0

    def put(self, view: View) -> bool:
        """Shows ``view``; whether it differs from the one before."""
        with self._changed:
            if view == self._view:
                return False
            self._view = view
            self._count += 1
            self._changed.notify_all()
            return True

    @property
    def view(self) -> View | None:
        with self._changed:
            return self._view

    def stream(self, _args: dict[str, Any]) -> Generator[dict[str, Any] | None, None, None]:
        """Every new view as a plain dict; None each second in which there was none."""
        seen = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._count != seen, HEARTBEAT_S)  # noqa: B023
                fresh, seen = self._count != seen, self._count
                view = self._view
            yield msgspec.to_builtins(view) if fresh and view is not None else None

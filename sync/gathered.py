"""Live entries that wait for one another, where the settings want fewer and larger messages.

The first that comes begins a wait of ``wait_ms``; at its end what there is goes. ``ENOUGH``, which are
compressed as well as a larger batch, wait for no others, and what has waited once does not wait again.
"""

from __future__ import annotations

ENOUGH = 100
"""Entries."""


class Gathered:
    """``wait_ms`` 0: nothing waits."""

    def __init__(self, wait_ms: int) -> None:
        self._wait_ms = wait_ms
        self._up_to = 0  # entries up to here have waited
        self.due_ms: int | None = None

    def ready(self, sent: int, head: int, now_ms: int) -> bool:
        """Whether the entries after ``sent`` may go; else ``due_ms`` says when."""
        if not self._wait_ms or sent < self._up_to or head - sent >= ENOUGH:
            return True
        if self.due_ms is None:
            self.due_ms = now_ms + self._wait_ms
        return False

    def tick(self, head: int, now_ms: int) -> None:
        """Time has passed."""
        if self.due_ms is not None and now_ms >= self.due_ms:
            self.due_ms, self._up_to = None, head

    def forget(self) -> None:
        """The link is gone: whoever waited goes first when it is back."""
        self.due_ms = None

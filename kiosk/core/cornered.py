"""What is known of the caretaker's corner (its rules: ``corner``). In memory only: a restart ends it."""

from __future__ import annotations

from dataclasses import dataclass

UNTOUCHED_MS = 180_000
"""An open corner that nobody touches is closed: as long as a guided adjustment waits for its bottle."""


@dataclass(frozen=True, slots=True)
class Bags:
    """Bag changes of one bin since the start, and what the last bag held."""

    count: int = 0
    net_g: int | None = None


@dataclass(slots=True)
class Corner:
    """``until_ms`` (boottime) it is open; ``touched_ms`` the last touch; ``by`` the card that opened it,
    so that one left at the reader is not greeted."""

    until_ms: int = 0
    touched_ms: int = 0
    by: bytes | None = None

    def is_open(self, t_ms: int) -> bool:
        return t_ms < self.until_ms

    def stir(self, t_ms: int) -> None:
        self.touched_ms, self.until_ms = t_ms, t_ms + UNTOUCHED_MS

    def end(self) -> None:
        self.until_ms, self.by = 0, None

"""How long something has lain before a bin's fill sensor, or nothing has.

Theory. A sensor under a flap sees whatever falls past it, the hand that drops it, and a heap that the next
bag pushes down. What is full stays so: a word counts only once it has held for the bin's
``full_hold_ms``, and each movement at the bin begins that anew (field.md, failure 12).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Filling:
    """What the sensor says, since when; ``blocked`` None while nobody knows."""

    blocked: bool | None = None
    since_ms: int = 0

    def seen(self, t_ms: int, blocked: bool | None) -> None:
        if blocked != self.blocked:
            self.blocked, self.since_ms = blocked, t_ms

    def disturb(self, t_ms: int) -> None:
        """Somebody is at the bin: what the sensor says counts from here on."""
        self.since_ms = max(self.since_ms, t_ms)

    def held(self, t_ms: int, hold_ms: int) -> bool | None:
        """What it has said for so long; None for nothing."""
        return self.blocked if t_ms - self.since_ms >= hold_ms else None

"""What a station does when it is hot: the screen keeps still, then dark, and the scales weigh to the last.

Theory. A Raspberry Pi slows itself down from 80 °C on, and what moves on the screen is most of what the
screen costs. So motion ends first, then brightness; each comes back only ``back_mc`` lower, or the screen
would go to and fro at the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.view import Warm


@dataclass(frozen=True, slots=True)
class HeatRules:
    """In 1/1000 °C: where motion ends, where it gets dark, and how much cooler either comes back."""

    still_mc: int = 75_000
    dim_mc: int = 82_000
    back_mc: int = 5_000

    def after(self, warm: Warm | None, temperature_mc: int) -> Warm | None:
        """What is to be done at ``temperature_mc`` where ``warm`` is what was done before.

        >>> rules, warm = HeatRules(), None
        >>> for celsius in (74, 75, 82, 78, 77, 71, 70):
        ...     warm = rules.after(warm, celsius * 1000)
        ...     print(celsius, warm)
        74 None
        75 still
        82 dim
        78 dim
        77 still
        71 still
        70 None
        """
        if temperature_mc >= self.dim_mc or (
            warm == "dim" and self._stays(temperature_mc, self.dim_mc)
        ):
            return "dim"
        if temperature_mc >= self.still_mc or (warm and self._stays(temperature_mc, self.still_mc)):
            return "still"
        return None

    def _stays(self, temperature_mc: int, limit_mc: int) -> bool:
        return temperature_mc > limit_mc - self.back_mc

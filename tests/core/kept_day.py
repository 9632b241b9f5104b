"""A day of which every written entry is kept, for stories that ask what was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hw_sim.days import Day

from kiosk.core.config import Crowd
from kiosk.core.effects import Item
from kiosk.core.events import Event


class KeptDay(Day):
    """Begun with ``rules`` other than a usual day's."""

    def __init__(self, crowd: Crowd = "together", **rules: Any) -> None:
        super().__init__(1, crowd=crowd)
        self.rules = replace(self.rules, **rules)
        self.items: list[Item] = []
        append = self.books.append

        def kept(items: tuple[Item, ...]) -> tuple[int, ...]:
            self.items += items
            return append(items)

        self.books.append = kept  # type: ignore[method-assign]
        self._start(same_boot=True)
        self.run(4_000)

    def tell(self, event: Event) -> list[str]:
        """The answers to it."""
        known = len(self.answers)
        self.post(event)
        return [answer.code for answer in self.answers[known:]]

    @property
    def phase(self) -> str:
        return self.station.view().phase

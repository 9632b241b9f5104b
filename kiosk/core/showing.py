"""What the screen shows now: one phase at a time, each with its end.

Invariant: a phase that says "done" begins only after the ledger has committed.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.view import Phase
from kiosk.core.visits import Visit

RESULT_MS = 4_000
"""How long a weight stays before the thanks."""

REFUSED_MS = 6_000
WELCOME_MS = 4_000
ANSWER_MS = 30_000
"""How long the city's answer is waited for."""
BALANCE_MS = 8_000


@dataclass(slots=True)
class Showing:
    """The phase and what it speaks of. ``visit`` also after its end, for the thanks; ``certified`` only
    with a weight that was recorded as such (one that still moves, or a sum, is none). ``ask`` while its
    answer is waited for, ``balance`` while that is shown: both go with their phase."""

    phase: Phase = "waiting"
    since_ms: int = 0
    bin: str | None = None
    net_g: int | None = None
    visit: Visit | None = None
    certified: bool = False
    ask: str | None = None
    balance: int | None = None

    def show(
        self,
        phase: Phase,
        t_ms: int,
        *,
        bin_id: str | None = None,
        net_g: int | None = None,
        visit: Visit | None = None,
        certified: bool = False,
        ask: str | None = None,
        balance: int | None = None,
    ) -> None:
        self.phase, self.since_ms = phase, t_ms
        self.bin, self.net_g, self.visit, self.certified = bin_id, net_g, visit, certified
        self.ask, self.balance = ask, balance

    def rest(self, t_ms: int, current: Visit | None) -> None:
        """Back to what is true between two happenings: greeted, thanked, or waiting."""
        if current is None:
            self.show("waiting", t_ms)
        elif current.net_g or current.pieces:
            self.thank(t_ms, current)
        else:
            self.show("greeting", t_ms, visit=current)

    def thank(self, t_ms: int, visit: Visit) -> None:
        self.show("no_card" if visit.pseudonym is None else "thanks", t_ms, visit=visit)

    def pass_time(self, t_ms: int, current: Visit | None, thanks_ms: int, moving: bool) -> None:
        """The ends of phases that end by themselves."""
        age_ms = t_ms - self.since_ms
        if self.phase in ("recorded", "small", "taken_out"):
            if age_ms >= RESULT_MS:
                thanked = self.visit or current
                if thanked is None or (thanked.ended_ms is not None and current is not None):
                    self.rest(t_ms, current)  # whoever waits is greeted before anybody is thanked
                else:
                    self.thank(t_ms, thanked)
        elif self.phase in ("thanks", "no_card"):
            if age_ms >= thanks_ms and (self.visit is None or self.visit.ended_ms is not None):
                self.rest(t_ms, current)
        elif self.phase == "balance_asked":
            if age_ms >= ANSWER_MS:
                self.show("balance_unknown", t_ms)
        elif self.phase == "balance":
            if age_ms >= BALANCE_MS:
                self.rest(t_ms, current)
        elif self.phase in ("refused", "spare", "stopped", "balance_unknown"):
            if age_ms >= REFUSED_MS:
                self.rest(t_ms, current)
        elif self.phase == "welcome":
            if age_ms >= WELCOME_MS:
                self.rest(t_ms, current)
        elif self.phase == "greeting":
            if current is None:
                self.show("waiting", t_ms)
        elif self.phase == "weighing" and not moving:
            self.rest(t_ms, current)

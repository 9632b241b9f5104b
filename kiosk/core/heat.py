"""The station's own warmth: what the screen does about it (``heat_rules``), and the entry that says so.

Nothing else changes: cards are read and drops are weighed for as long as the machine runs.
"""

from __future__ import annotations

from kiosk.core.entries import Alarm
from kiosk.core.events import Heated
from kiosk.core.intents import Write
from kiosk.core.state import State

SUBJECT = "station"
DEVICE = "thermometer:station"


def felt(state: State, reading: Heated) -> None:
    """A reading. An alarm says when it became so hot that the screen is dark, and when that ended."""
    state.temperature_mc = reading.temperature_mc
    before, state.warm = state.warm, state.rules.heat.after(state.warm, reading.temperature_mc)
    hot = state.warm == "dim"
    if hot != (before == "dim"):
        _tell(state, hot=hot, detail=f"{reading.temperature_mc // 1000} °C")


def unfelt(state: State) -> None:
    """The thermometer is away: nobody knows that it is hot, so the screen is bright and the alarm over."""
    if state.warm == "dim":
        _tell(state, hot=False, detail="")
    state.warm = state.temperature_mc = None


def _tell(state: State, *, hot: bool, detail: str) -> None:
    state.intend(Write(Alarm("hot", SUBJECT, "on" if hot else "off", detail)))

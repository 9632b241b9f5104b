"""A bin is full by somebody's word or its fill sensor's, until its bag is changed.

Invariant: what is full is so after a restart too, for it is an entry (``bin_full``); a ``bag_swap`` ends
it. By weight it is full without an entry: the books say it (``Bin.full``).

Each says it once a bag. What a sensor says counts only when it has held (``filling``), either way, so a
loose wire writes no more than one entry in ``full_hold_ms``. A sensor that is lost says nothing: what it
said last stands until the bag is changed, or it is back and says something else.
"""

from __future__ import annotations

from kiosk.core.entries import BinFull
from kiosk.core.events import DeviceLost, FillMoved
from kiosk.core.intents import Fill
from kiosk.core.state import State


def sensed(state: State, event: FillMoved) -> None:
    bin_ = state.bins.get(event.bin)
    if bin_ is not None:
        bin_.filling.seen(event.t_ms, event.blocked)


def sensor_lost(state: State, event: DeviceLost) -> None:
    """A device is away; if it is a bin's fill sensor, it says nothing any more."""
    kind, _, name = event.device.partition(":")
    bin_ = state.bins.get(name) if kind == "fill" else None
    if bin_ is not None:
        bin_.filling.seen(event.t_ms, None)


def pass_time(state: State, t_ms: int) -> None:
    """What a sensor has said for long enough is to be written."""
    for bin_ in state.bins.values():
        hold_ms = bin_.rules.full_hold_ms
        if hold_ms is None or bin_.filling.blocked is None:
            continue
        if bin_.moving_since_ms is not None or bin_.lid_open:
            bin_.filling.disturb(t_ms)
        held = bin_.filling.held(t_ms, hold_ms)
        wanted = Fill(bin_.rules.bin, "sensor", bool(held))
        if held is not None and held != ("sensor" in bin_.full_by) and wanted not in state.intents:
            state.intend(wanted)


def decide(state: State, fill: Fill) -> tuple[BinFull, ...] | None:
    """The entry; None where it is so already."""
    bin_ = state.bins[fill.bin]
    if fill.full == (fill.by in bin_.full_by):
        return None
    return (BinFull(fill.bin, bin_.rules.item, bin_.book.bag, fill.by, fill.full),)

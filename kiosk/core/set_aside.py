"""A scale that a caretaker has set aside as broken: its bin is used as one without a scale.

Invariant: what is set aside is so after a restart too, for it is an entry (``scale_broken``), until a
caretaker says that it is mended. Nobody else takes it back: a cell that hangs by one wire weighs something
at every start.

What fell in meanwhile was weighed by nobody. The first stable weight of the mended scale joins it to the
books as ``unscaled``, however many restarts lie between (``gaps``).
"""

from __future__ import annotations

from kiosk.core.bin import Bin
from kiosk.core.entries import ScaleBroken
from kiosk.core.intents import Write
from kiosk.core.state import State


def touched(state: State, bin_: Bin, broken: bool) -> None:
    """A caretaker's word; nothing where it was said already, durable or still to be written."""
    name = bin_.rules.bin
    said = bin_.broken
    for intent in state.intents:
        if isinstance(intent, Write) and isinstance(intent.draft, ScaleBroken):
            said = intent.draft.broken if intent.draft.bin == name else said
    if bin_.rules.scale is not None and said != broken:
        state.intend(Write(ScaleBroken(name, broken)))


def believe(bin_: Bin, draft: ScaleBroken) -> None:
    """It is durable: the bin weighs no more, or has to find out what it weighs."""
    bin_.broken = draft.broken
    bin_.interrupt()
    if bin_.stage == "starting":
        bin_.stage = "gap"

"""Small changes while nobody is known to be there: wind makes them, too.

Invariant: what nobody's card stands for, and is small, is written only when it has lain still for a while;
until then it is neither lost nor anybody else's.

Theory. Wind, a door, somebody who leans on the wall: they push for seconds, and in a lull the bin stands
still at a weight that it does not hold. What was dropped goes on lying there. So a change below ``SMALL_D``
with no card's visit open waits for ``SURE_MS`` of stillness; if the bin moves again before, its next weight
counts from where all of it began. A card that is shown meanwhile ends the doubt at once: what its
resident does then is not mixed with it. Whoever dropped something small without a card goes on seeing its
weight until then (``waits_in_sight``): the page that waits for somebody would say that nothing was taken.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.bin import Bin
from kiosk.core.intents import Settle
from kiosk.core.owners import Owner
from kiosk.core.settled import Level, Settled
from kiosk.core.state import State

SMALL_D = 10
SURE_MS = 5_000


def nobody_known(owner: Owner) -> bool:
    """Whether no card stands for a change."""
    return owner.anonymous or (owner.visit is not None and owner.visit.pseudonym is None)


def is_doubtful(bin_: Bin, settled: Settled, change_g: int) -> bool:
    """Whether this change of nobody's has to lie still first."""
    return not settled.sure and abs(change_g) < SMALL_D * bin_.scale.division_g


def wait(bin_: Bin, left: Level, settled: Settled) -> None:
    bin_.doubted = replace(settled, before=left, sure=True)


def left(bin_: Bin, settled: Settled, left: Level, owner: Owner) -> Level:
    """Where a change begins: what was in doubt before it belongs to it, unless somebody is there now."""
    doubted, bin_.doubted = bin_.doubted, None
    if doubted is None or doubted.before is None or settled.sure or not nobody_known(owner):
        return left
    return doubted.before


def brought(settled: Settled, base: Level) -> bool:
    """Whether more lies there than before, for all that the scale can tell."""
    return settled.gross_g - base.gross_g > settled.uncertainty_g


def waits_in_sight(state: State) -> bool:
    """Whether what somebody seems to have dropped still has to lie still."""
    return any(
        bin_.stage == "normal"
        and (doubted := bin_.doubted) is not None
        and doubted.before is not None
        and brought(doubted, doubted.before)
        for bin_ in state.bins.values()
    )


def pass_time(state: State, t_ms: int) -> None:
    """Ends doubts about what goes on lying there."""
    doubtful = [bin_ for bin_ in state.bins.values() if bin_.doubted is not None]
    if not doubtful:
        return
    carded = any(visit.pseudonym is not None for visit in state.visits.open())
    for bin_ in doubtful:
        doubted = bin_.doubted
        if doubted is None or bin_.moving_since_ms is not None or bin_.stage != "normal":
            continue
        if any(isinstance(i, Settle) and i.settled.bin == bin_.rules.bin for i in state.intents):
            continue
        if t_ms - doubted.t_ms >= SURE_MS or carded:
            state.intend(Settle(doubted))

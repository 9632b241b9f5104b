"""Samples in, stable weights out, and what a stable weight is: a gap closed, a bag, or a drop.

A bin that stands still is held back for ``handover_ms`` while a card may still say whose its change is
(``owners``); then it is decided by what the bin is doing.
"""

from __future__ import annotations

from kiosk.core import bags, drops, gaps, limits
from kiosk.core.bin import Bin
from kiosk.core.effects import Effect, Item
from kiosk.core.entries import AnyDraft
from kiosk.core.events import CountsBlock, IndicatorReading
from kiosk.core.intents import Settle
from kiosk.core.settle import Motion
from kiosk.core.settled import Settled
from kiosk.core.state import State


def sampled(state: State, event: CountsBlock | IndicatorReading) -> bool:
    """A scale spoke; whether it said anything but more of the same."""
    bin_ = state.bins.get(event.bin)
    if bin_ is None:
        return False
    before_ms = bin_.moving_since_ms
    signs = bin_.feed(event)
    for sign in signs:
        state.visits.somebody_is_at_a_bin(sign.t_ms, state.rules.crowd)
        if isinstance(sign, Motion):
            _show_moving(state, bin_, sign.t_ms)
        else:
            state.held.append(sign)
    if bin_.stage in ("normal", "away") and bin_.is_over(state.now.boot_ms):
        gaps.go_over(bin_, None)
        return True
    return bool(signs) or bin_.moving_since_ms != before_ms


def _show_moving(state: State, bin_: Bin, t_ms: int) -> None:
    if bin_.weighs:
        visit = state.visits.current()
        state.showing.show("weighing", t_ms, bin_id=bin_.rules.bin, visit=visit)


def pass_time(state: State, t_ms: int) -> None:
    """Lets go of what no card can change any more."""
    for settled in [s for s in state.held if _is_ripe(state, s, t_ms)]:
        state.held.remove(settled)
        state.intend(Settle(settled))


def _is_ripe(state: State, settled: Settled, t_ms: int) -> bool:
    if state.rules.crowd == "together" or state.bins[settled.bin].stage != "normal":
        return True
    return t_ms - settled.began_ms >= state.rules.handover_ms


def decide(state: State, settled: Settled) -> tuple[AnyDraft, ...] | None:
    """What a bin's standing still means, by what the bin was doing."""
    bin_ = state.bins[settled.bin]
    if bin_.lost or bin_.broken or bin_.stage in ("none", "question", "service"):
        return None
    if settled.gross_g > limits.overload_g(bin_.scale):
        gaps.go_over(bin_, settled)
        return None
    if bin_.stage == "over":
        settled = gaps.below_max(bin_, settled) or settled
    if bin_.stage in ("starting", "gap"):
        return gaps.join(state, bin_, settled)
    if bin_.stage in ("away", "over"):
        return gaps.come_back(state, bin_, settled)
    if bin_.below_empty(settled.gross_g):
        gaps.go_away(bin_)
        return None
    if bin_.swap is not None:
        bags.go_on(state, bin_, bin_.swap, settled)
        return None
    return drops.decide(state, bin_, settled)


def done(state: State, settled: Settled, items: tuple[Item, ...]) -> list[Effect]:
    """What was decided is durable (or there was nothing to write)."""
    bin_ = state.bins[settled.bin]
    if bin_.stage in ("starting", "gap", "away", "over"):
        gaps.done(state, bin_, items)
        return []
    return drops.done(state, bin_, settled, items)

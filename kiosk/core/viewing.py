"""From the state to what the screen draws (``view``)."""

from __future__ import annotations

from kiosk.core import certified, checkins, classroom, corner, devices, touches
from kiosk.core.bin import Bin
from kiosk.core.cornered import Bags
from kiosk.core.events import Moment
from kiosk.core.points import entitled
from kiosk.core.quiet_hours import is_quiet
from kiosk.core.state import State
from kiosk.core.view import Awaiting, BinState, BinView, ScaleKind, View
from kiosk.core.visits import Visit


def view(state: State, *, storage_trouble: bool) -> View:
    """What the screen has to draw now."""
    showing = state.showing
    active = state.bins.get(showing.bin) if showing.bin else None
    visit = showing.visit if _is_its_own(state, showing.visit) else None
    taking_turns = state.rules.crowd == "one_by_one"
    current = state.visits.current()
    t_ms = state.now.boot_ms
    cards_readable = devices.cards_readable(state)
    claiming = cards_readable and state.claim_until_ms > t_ms
    orders = state.orders
    waiting = showing.phase == "waiting"
    return View(
        phase="closed" if waiting and orders.closed is not None else showing.phase,
        since_ms=showing.since_ms,
        bin=showing.bin,
        net_g=showing.net_g,
        live_g=None if active is None else _rounded(active, _live_change_g(active)),
        visit_g=0 if visit is None else visit.brought_g(),
        points=_points(visit),
        points_limited=_limited(visit),
        estimate=not showing.certified,
        checkins=state.counters.checkins,
        refusals=state.counters.refusals,
        records=state.counters.records,
        visits_open=len(state.visits.open()),
        can_claim=cards_readable and not claiming and checkins.claimable(state, t_ms) is not None,
        claiming=claiming,
        can_begin=cards_readable and state.rules.self_issue and state.awaited is None,
        awaiting=_awaiting(state) if cards_readable else None,
        cards_readable=cards_readable,
        online=state.online,
        storage_trouble=storage_trouble,
        bins=tuple(
            _bin_view(
                b,
                state.now,
                locked=name in orders.locked,
                bags=state.bags.get(name, Bags()),
            )
            for name, b in state.bins.items()
        ),
        closed=orders.closed,
        message=None if orders.message is None else orders.message.text,
        here=state.here_until_ms > t_ms,
        can_ask=cards_readable and state.rules.balance and state.awaited is None,
        can_leave=touches.leaving(state) is not None,
        balance=showing.balance,
        turn=current.mark if taking_turns and current is not None else None,
        shown=visit.mark if taking_turns and visit is not None else None,
        greetings=tuple(mark for mark, _ in state.turns.greeted),
        resumed=state.turns.resumed,
        quiet=is_quiet(state.rules.quiet, state.known, state.now),
        warm=state.warm,
        corner=corner.seen(state),
        classroom=classroom.seen(state),
    )


def _awaiting(state: State) -> Awaiting | None:
    """What residents have to know of it: the corner draws its own."""
    if state.awaited is None or state.awaited.what == "corner":
        return None
    return state.awaited.what


def _is_its_own(state: State, visit: Visit | None) -> bool:
    """Whether nobody else would take its sum for theirs: in ``together`` several may stand there."""
    return state.rules.crowd == "one_by_one" or len(state.visits.open()) <= 1 or visit is None


def _points(visit: Visit | None) -> int | None:
    if visit is None or visit.tariff.mode == "none" or visit.pseudonym is None:
        return None
    return visit.points


def _limited(visit: Visit | None) -> bool:
    points = _points(visit)
    if points is None or visit is None:
        return False
    return points < entitled(visit.tariff, visit.net_g)


def _live_change_g(bin_: Bin) -> int | None:
    """What has been laid into the bin since it last stood still."""
    if bin_.live_g is None or bin_.book.gross_g is None:
        return None
    base_g = bin_.book.gross_g if bin_.base is None else bin_.base.gross_g
    return bin_.live_g - base_g


def _bin_view(bin_: Bin, now: Moment, *, locked: bool, bags: Bags) -> BinView:
    return BinView(
        bin=bin_.rules.bin,
        item=bin_.rules.item,
        state=_bin_state(bin_),
        live_g=_rounded(bin_, bin_.live_g),
        fill_pct=bin_.fill_pct(),
        certified=certified.is_certified(bin_, now),
        counted=bin_.scaleless,
        locked=locked,
        full=bin_.full(),
        scale=_scale_kind(bin_),
        broken=bin_.broken,
        bags=bags.count,
        bag_g=bags.net_g,
    )


def _scale_kind(bin_: Bin) -> ScaleKind:
    if bin_.rules.scale is None:
        return "none"
    return "counts" if bin_.counts else "indicator"


def _bin_state(bin_: Bin) -> BinState:
    """The one thing to know about a bin, the most pressing first."""
    if bin_.scaleless:
        return "full" if bin_.full() else "no_scale"
    if bin_.stage == "over" and not bin_.lost:
        return "overload"
    if bin_.lost or bin_.blind:
        return "trouble"
    if bin_.stage == "question":
        return "question"
    if bin_.stage in ("away", "service"):
        return "away"
    if bin_.stage in ("starting", "gap"):
        return "starting"
    if bin_.moving_since_ms is not None:
        return "weighing"
    return "full" if bin_.full() else "ready"


def _rounded(bin_: Bin, grams: int | None) -> int | None:
    """To the division, as a scale shows it."""
    if grams is None or bin_.rules.scale is None:
        return None
    d = bin_.rules.scale.division_g
    return round(grams / d) * d

"""A drop: what changed on a bin, whose it is, and its weighing.

Invariant: every entry on a bin begins where the bin's last one ended; what belongs to no visit is written
with its cause before the drop.

Theory. Within a visit changes are counted from ``base_g``, the level after the last counted one, so that
twenty grams ten times come out as two hundred. A change of less than ``min_increment_g`` (``least``) is
thanked and carried within the visit.
"""

from __future__ import annotations

from kiosk.core import bags, certified, doubts, least, putback, slow, uncertainty, zeroing
from kiosk.core.bin import Bin
from kiosk.core.effects import Beep, Effect, Item
from kiosk.core.entries import AnyDraft, Weighing
from kiosk.core.owners import NO_ONE, Owner, owner_of
from kiosk.core.points import visit_points
from kiosk.core.settled import Level, Settled
from kiosk.core.state import State
from kiosk.core.visits import Visit


def decide(state: State, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
    """The entries of a change on a bin that weighs; None where it is carried or waited for."""
    book_g = bin_.book.gross_g
    assert book_g is not None
    left = settled.before or Level(book_g, settled.left_sd_g)
    owner = _owner(state, settled)
    visit = owner.visit
    left = doubts.left(bin_, settled, left, owner)
    if bags.looks_changed(bin_, visit, left.gross_g, settled):
        bags.wait(bin_, left, settled)
        return None
    if bags.is_being_set(bin_, owner.anonymous, left.gross_g, settled):
        return bin_.unattributed("drift", book_g, settled.gross_g, settled.uncertainty_g)
    base = _base(bin_, visit, left, settled)
    base_g = base.gross_g
    change_g = settled.gross_g - base_g
    # A rounded value may flicker by one division on its own, where nobody is there.
    flicker_g = bin_.scale.division_g if owner.anonymous and bin_.quantised else 0
    if not least.counts(bin_.scale.min_increment_g, base, settled.after, flicker_g=flicker_g):
        if visit is not None:
            _carry(state, bin_, visit, base, settled)
        elif owner.anonymous and not settled.sure:
            doubts.wait(bin_, base, settled)  # a gust may go on from here
        elif owner.anonymous and doubts.brought(settled, base):
            _thank_small(state, bin_, None)
        return None
    if doubts.nobody_known(owner) and doubts.is_doubtful(bin_, settled, change_g):
        doubts.wait(bin_, base, settled)
        return None
    flush = zeroing.tare(bin_, base_g, book_g)
    if not flush:
        flush = bin_.flush(base_g, None if visit is None else visit.visit)
    if owner.anonymous and change_g < 0:
        removal = bin_.unattributed("removal", base_g, settled.gross_g, settled.uncertainty_g)
        return (*flush, *removal)
    back_g = putback.due_g(visit, bin_, change_g)
    if back_g and visit is not None:
        bin_.put_back = (visit.visit, back_g)
        came = base.shifted(back_g)
        flush = (*flush, *bin_.unattributed("removal", base_g, came.gross_g, settled.uncertainty_g))
        if back_g == change_g:
            return flush
        base = came
    if owner.anonymous:
        visit = Visit(state.name("v"), settled.began_ms, None, settled.t_ms, state.rules.tariff)
        state.visits.add(visit)
    return (*flush, _weighing(state, bin_, visit, base, settled))


def _base(bin_: Bin, visit: Visit | None, left: Level, settled: Settled) -> Level:
    """Where a change is counted from."""
    if visit is not None and bin_.engaged == visit.visit and bin_.base is not None:
        return bin_.base
    return slow.begun_at(bin_, visit, left, settled)


def _owner(state: State, settled: Settled) -> Owner:
    rules = state.rules
    until_ms = settled.t_ms
    if rules.crowd == "one_by_one":
        until_ms = max(until_ms, settled.began_ms + rules.handover_ms)
    owner = owner_of(settled.began_ms, until_ms, state.visits, rules.crowd, rules.handover_ms)
    return NO_ONE if owner.visit is not None and owner.visit.closed else owner


def _carry(state: State, bin_: Bin, visit: Visit, base: Level, settled: Settled) -> None:
    """Too little to be counted by itself: carried within the visit, thanked, never a 0."""
    bin_.engaged, bin_.base = visit.visit, base
    step_g = settled.gross_g - (settled.before or base).gross_g
    if step_g > settled.uncertainty_g:
        _thank_small(state, bin_, visit)


def _thank_small(state: State, bin_: Bin, visit: Visit | None) -> None:
    state.showing.show("small", state.now.boot_ms, bin_id=bin_.rules.bin, visit=visit)


def _weighing(
    state: State, bin_: Bin, visit: Visit | None, base: Level, settled: Settled
) -> Weighing:
    net_g = settled.gross_g - base.gross_g
    item = bin_.rules.item
    tariff = state.rules.tariff if visit is None else visit.tariff
    points = 0
    if visit is not None:
        points = _points(state, visit, item, net_g)
    return Weighing(
        bin=bin_.rules.bin,
        item=item,
        bag=bin_.book.bag,
        visit=None if visit is None else visit.visit,
        net_g=net_g,
        gross_before_g=base.gross_g,
        gross_after_g=settled.gross_g,
        uncertainty_g=uncertainty.weighing_g(
            net_g,
            left_sd_g=base.sd_g,
            after_sd_g=settled.after.sd_g,
            line=bin_.line,
            extra_sd_g=settled.extra_sd_g,
        ),
        division_g=bin_.scale.division_g,
        adjustment=bin_.book.adjustment,
        mode=certified.mode(bin_, base, settled.after, state.now),
        catalogue=state.rules.catalogue,
        tariff=tariff.number,
        points=points,
    )


def _points(state: State, visit: Visit, item: str, net_g: int) -> int:
    """What the drop changes the visit's points by, as far as the card's day has room."""
    if visit.tariff.mode == "visit":
        return 0  # its check-in had them
    after = {**visit.net_g, item: visit.net_g.get(item, 0) + net_g}
    due = visit_points(visit.tariff, after)
    room = state.residents.room(visit, state.now.day)
    return (due if room is None else min(due, visit.points + room)) - visit.points


def done(state: State, bin_: Bin, settled: Settled, items: tuple[Item, ...]) -> list[Effect]:
    """The drop is durable: it is shown, beeped, and its bin's lamp lights."""
    last = items[-1].draft if items else None
    if not isinstance(last, Weighing):
        putback.done(state, bin_, items)
        bin_.disengage()
        return []
    putback.done(state, bin_, items)
    bin_.weighed, bin_.swapped_ms = True, None
    visit = state.visits.get(last.visit)
    bin_.engaged = last.visit
    bin_.base = None if last.visit is None else settled.after
    bin_.watched = None
    if visit is not None:
        visit.touch(settled.t_ms)
    state.counters.records += 1
    t_ms = state.now.boot_ms  # it may have waited for its owner, or to lie still
    state.showing.show(
        "recorded" if last.net_g > 0 else "taken_out",
        t_ms,
        bin_id=settled.bin,
        net_g=last.net_g,
        visit=visit,
        certified=last.mode == "certified",
    )
    return [
        Beep("recorded"),
        *state.light(settled.bin, t_ms + state.rules.thanks_ms),
    ]

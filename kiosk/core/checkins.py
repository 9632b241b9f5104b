"""A card is shown: a check-in, a greeting once more, or a claim.

Invariant: a bare card always means "I am here". It claims a drop only after a touch on 「これは私です」,
and only for as long as that touch counts.

Theory (design.md, People). The same card again only greets again, and within ``reopen_ms`` of its
visit's end goes on with that visit's grams, so that its points come out as one visit's. In
``one_by_one`` a new card ends the turn before it; in ``together`` visits overlap.
"""

from __future__ import annotations

from kiosk.core.effects import Beep, Effect, Item
from kiosk.core.entries import (
    Alias,
    AnyDraft,
    CardAccount,
    CardBegun,
    CardJoined,
    Checkin,
    Claim,
)
from kiosk.core.events import CardSeen, Touch
from kiosk.core.intents import ClaimFor, Greet
from kiosk.core.state import State
from kiosk.core.visits import Visit


def shown(state: State, card: CardSeen) -> list[Effect]:
    """A card that is somebody's was shown: the tone says so at once, before anything is kept."""
    visit = claimable(state, card.t_ms)
    if state.claim_until_ms > card.t_ms and visit is not None:
        state.intend(ClaimFor(card, visit))
    else:
        state.intend(Greet(card))
    return [Beep("seen")]


# -- check-in -----------------------------------------------------------------------------------


def decide(state: State, card: CardSeen) -> tuple[AnyDraft, ...]:
    """The check-in; nothing to write for a card whose visit is open."""
    if state.visits.open_of(card.names) is not None:
        return ()
    begun = _begun(state, card, "")
    checkin = Checkin(
        visit=state.name("v") if state.rules.link_days > 0 else None,
        seal=None,
        by=card.by,
        proves=card.proves,
        tariff=begun.tariff.number,
        points=_visit_points(state, begun),
    )
    return (checkin, *_alias(state, card), *_renamed(card))


def item(card: CardSeen, draft: AnyDraft) -> Item:
    """The draft of a check-in or a claim with the pseudonym that its seal stands for."""
    match draft:
        case Checkin() | Claim() | CardAccount():
            return Item(draft, card.pseudonym)
        case Alias():
            return Item(draft, card.formerly, back=1)
        case CardJoined():
            return Item(draft, card.own, back=1)
        case CardBegun():
            return Item(draft, card.own)
        case _:
            return Item(draft)


def done(state: State, card: CardSeen, items: tuple[Item, ...]) -> None:
    """The check-in is durable: the visit begins."""
    again = state.visits.open_of(card.names)
    if again is not None:
        again.active_ms = card.t_ms
        _greet(state, card.t_ms, again)
        return
    if state.rules.crowd == "one_by_one":
        for earlier in state.visits:
            earlier.end(card.t_ms, "next_card")
    checkin = items[0].draft
    assert isinstance(checkin, Checkin)
    visit = _begun(state, card, checkin.visit or state.name("v"))
    state.residents.earn(visit, checkin.points, state.now.day)
    _tied(state, card, items)
    state.visits.add(visit)
    state.visits.bound(card.t_ms)
    _greet(state, card.t_ms, visit)


def somebody_else(state: State, t_ms: int, names: tuple[bytes, ...] = ()) -> None:
    """A card was shown that begins no visit now: whoever holds it is not the one whose turn it was, but
    for a moment after the check-in, where both lay in one purse. ``names`` as of its own."""
    if state.rules.crowd != "one_by_one":
        return
    for visit in state.visits.open():
        if t_ms - visit.opened_ms < state.rules.handover_ms:
            continue
        if visit.pseudonym is not None and set(visit.names).isdisjoint(names):
            visit.end(t_ms, "next_card")


def _begun(state: State, card: CardSeen, name: str) -> Visit:
    """A new visit of this card, which goes on with its last one where that was lately."""
    tariff = state.rules.tariff
    visit = Visit(name, card.t_ms, card.pseudonym, card.t_ms, tariff, card.formerly)
    state.residents.go_on(visit, card.t_ms, state.rules.reopen_ms)
    return visit


def _visit_points(state: State, visit: Visit) -> int:
    """Points for the visit itself, as far as the card's day has room."""
    due, room = _due(visit), state.residents.room(visit, state.now.day)
    return due if room is None else min(due, room)


def _due(visit: Visit) -> int:
    """What the tariff gives for the visit itself; a visit that goes on had it."""
    tariff = visit.tariff
    return tariff.per_visit if tariff.mode == "visit" and visit.points == 0 else 0


def _renamed(card: CardSeen) -> tuple[AnyDraft, ...]:
    """Whose card it is, once more under its new name: the old one ends with its key."""
    if not card.renamed:
        return ()
    if card.card is None:
        return (CardBegun(None),)
    return (CardAccount(None), CardJoined(None, 0))


def _alias(state: State, card: CardSeen) -> tuple[Alias, ...]:
    """Ties the card's new name to its old one, where that is still to be said."""
    due = state.residents.ties.is_due(card, state.now.day, state.rules.link_days)
    return (Alias(None, 0),) if due else ()


def _tied(state: State, card: CardSeen, items: tuple[Item, ...]) -> None:
    if any(isinstance(item.draft, Alias) for item in items):
        state.residents.ties.tie(card, state.now.day)


def _greet(state: State, t_ms: int, visit: Visit) -> None:
    state.counters.checkins += 1
    state.turns.greet(visit, t_ms)
    if state.showing.phase != "weighing":
        state.showing.show("greeting", t_ms, visit=visit)


# -- claim --------------------------------------------------------------------------------------


def claimable(state: State, t_ms: int) -> Visit | None:
    """The visit without a card that somebody may still say was theirs."""
    if state.rules.crowd != "one_by_one":
        return None
    for visit in reversed(list(state.visits)):
        fresh = t_ms - visit.active_ms <= state.rules.claim_ms or t_ms < state.claim_until_ms
        if visit.pseudonym is None and not visit.closed and fresh:
            return visit
    return None


def claim_touched(state: State, touch: Touch) -> None:
    """「これは私です」: the next card claims."""
    if claimable(state, touch.t_ms) is not None:
        state.claim_until_ms = touch.t_ms + state.rules.touch_ms


def decide_claim(state: State, claim: ClaimFor) -> tuple[AnyDraft, ...] | None:
    """The claim, with a check-in of no visit where the tariff gives something for the visit itself: only a
    check-in can say so. A check-in like any other where its visit was closed meanwhile, or earned more
    than the card's day has room for (its points are written and cannot be made less)."""
    visit, card = claim.visit, claim.card
    claimed = _as_the_cards(state, claim)
    room = state.residents.room(claimed, state.now.day)
    if visit.closed or (room is not None and visit.points > room):
        state.intend_first(Greet(card))
        return None
    points = _visit_points(state, claimed)
    came = Checkin(None, None, card.by, card.proves, claimed.tariff.number, points)
    return (Claim(visit.visit, None), *_alias(state, card), *((came,) if points else ()))


def _as_the_cards(state: State, claim: ClaimFor) -> Visit:
    """The claimed visit as its card begins it: one that goes on had the points for the visit itself."""
    visit, card = claim.visit, claim.card
    begun = Visit(
        visit.visit, visit.opened_ms, card.pseudonym, card.t_ms, visit.tariff, card.formerly
    )
    if begun.tariff.mode == "visit":
        begun.points = _begun(state, card, visit.visit).points
    return begun


def claimed(state: State, claim: ClaimFor, items: tuple[Item, ...]) -> None:
    """The claim is durable: the visit has its card."""
    visit, card = claim.visit, claim.card
    came = sum(one.draft.points for one in items if isinstance(one.draft, Checkin))
    points, visit.points = visit.points + came, _as_the_cards(state, claim).points
    visit.pseudonym, visit.formerly = card.pseudonym, card.formerly
    state.residents.earn(visit, points, state.now.day)
    _tied(state, card, items)
    state.claim_until_ms = 0
    _greet(state, card.t_ms, visit)
    if visit.net_g or visit.pieces:
        state.showing.thank(card.t_ms, visit)  # it is in already: "please put it in" would be wrong

"""A card is shown: a check-in, a greeting once more, or a claim.

Invariant: a bare card always means "I am here". It claims a drop only after a touch on 「これは私です」,
and only for as long as that touch counts.

Theory (design.md, People). The same card again only greets again, and within ``reopen_ms`` of its
visit's end goes on with that visit's grams, so that its points come out as one visit's. In
``one_by_one`` a new card ends the turn before it; in ``together`` visits overlap.
"""

from __future__ import annotations

from kiosk.core.effects import Beep, Effect, Item
from kiosk.core.entries import AnyDraft, Checkin, Claim
from kiosk.core.events import CardSeen, Touch
from kiosk.core.intents import ClaimFor, Greet
from kiosk.core.state import State
from kiosk.core.visits import Visit


def shown(state: State, card: CardSeen) -> list[Effect]:
    """A reader saw a card that the station takes: the tone says so at once, before anything is kept."""
    visit = claimable(state, card.t_ms)
    if state.claim_until_ms > card.t_ms and visit is not None:
        state.intend(ClaimFor(card, visit))
    else:
        state.intend(Greet(card))
    return [Beep("seen")]


# -- check-in -----------------------------------------------------------------------------------


def decide(state: State, card: CardSeen) -> tuple[AnyDraft, ...]:
    """The check-in; nothing to write for a card whose visit is open."""
    if state.visits.open_of(card.pseudonym) is not None:
        return ()
    tariff = state.rules.tariff
    fresh = not state.residents.is_credited(card.pseudonym, state.now.day)
    return (
        Checkin(
            visit=state.name("v") if state.rules.link_days > 0 else None,
            seal=None,
            by=card.by,
            proves=card.proves,
            tariff=tariff.number,
            points=tariff.per_visit if tariff.mode == "visit" and fresh else 0,
        ),
    )


def done(state: State, card: CardSeen, items: tuple[Item, ...]) -> None:
    """The check-in is durable: the visit begins."""
    again = state.visits.open_of(card.pseudonym)
    if again is not None:
        again.active_ms = card.t_ms
        _greet(state, card.t_ms, again)
        return
    if state.rules.crowd == "one_by_one":
        for earlier in state.visits:
            earlier.end(card.t_ms, "next_card")
    checkin = items[0].draft
    assert isinstance(checkin, Checkin)
    visit = Visit(checkin.visit or state.name("v"), card.t_ms, card.pseudonym, card.t_ms)
    state.residents.go_on(visit, card.t_ms, state.rules.reopen_ms)
    state.residents.credit(card.pseudonym, state.now.day)
    state.visits.add(visit)
    state.visits.bound(card.t_ms)
    _greet(state, card.t_ms, visit)


def _greet(state: State, t_ms: int, visit: Visit) -> None:
    state.counters.checkins += 1
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
    """The claim; where its visit was closed meanwhile the card is a check-in like any other."""
    if claim.visit.closed:
        state.intend_first(Greet(claim.card))
        return None
    return (Claim(claim.visit.visit, None),)


def claimed(state: State, claim: ClaimFor) -> None:
    """The claim is durable: the visit has its card."""
    claim.visit.pseudonym = claim.card.pseudonym
    state.claim_until_ms = 0
    _greet(state, claim.card.t_ms, claim.visit)

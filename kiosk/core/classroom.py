"""Class mode: children weigh in teams, without cards, and without anything of them in the ledger.

Invariants
  1. A weighing is the same entry with and without a class: of a visit without a card. Which team's it
     was is known here and nowhere else; the ledger holds how many teams there were and, at the end,
     their grams.
  2. What is a resident's is no team's: the drop of a visit with a card never counts, nor what nobody can
     tell apart while such a visit is open; a drop that a card claims afterwards is taken back.
  3. It ends: by the caretaker, after ``LESSON_MS``, or with the program (a restart gives the screen back
     to the residents; what was weighed is in the books).

Theory. The team whose turn it is when a weighing is durable gets it. What is put in comes from hands that
have just touched their team's picture; a drop that settles after the next touch is the only doubt, and
teams win nothing by it, for the screen adds all of them up.
"""

from __future__ import annotations

from kiosk.core.entries import AnyDraft, Claim, VisitClose, Weighing
from kiosk.core.intents import Teach
from kiosk.core.said import ClassBegin, ClassEnd
from kiosk.core.state import State
from kiosk.core.taught import ClassAsked, Classroom, TeamChosen
from kiosk.core.view import ClassView

LESSON_MS = 90 * 60_000


def chosen(state: State, event: TeamChosen) -> None:
    """A touch on a team: it is its turn."""
    room = state.classroom
    if room is not None and 0 <= event.team < len(room.grams):
        room.team = event.team


def decide(state: State, intent: Teach) -> tuple[AnyDraft, ...] | None:
    """The entries of a class that begins (the one before it ends) or ends; None where there is none."""
    asked, room = intent.asked, state.classroom
    ended = () if room is None else (ClassEnd(intent.reason, tuple(room.grams)),)
    if asked.teams:
        return (*ended, ClassBegin(asked.teams))
    if not ended:
        state.answer(asked.request, "no_class")
        return None
    return ended


def done(state: State, intent: Teach) -> None:
    state.answer(intent.asked.request, "done")


def believe(state: State, draft: AnyDraft) -> None:
    """One entry that the ledger has committed; called before it moves its visit."""
    room = state.classroom
    match draft:
        case ClassBegin():
            state.classroom = Classroom(state.now.boot_ms, [0] * draft.teams)
        case ClassEnd():
            state.classroom = None
        case Weighing() if room is not None and _is_the_classes(state, draft):
            room.add(draft.visit, draft.net_g)
        case Claim() if room is not None:
            room.give_back(draft.visit)
        case VisitClose() if room is not None:
            room.by_visit.pop(draft.visit, None)
        case _:
            pass


def _is_the_classes(state: State, draft: Weighing) -> bool:
    visit = state.visits.get(draft.visit)
    if visit is not None:
        return visit.pseudonym is None
    return not _resident_is_here(state)


def _resident_is_here(state: State) -> bool:
    return any(visit.pseudonym is not None for visit in state.visits.open())


def pass_time(state: State, t_ms: int) -> None:
    """A lesson that is over ends."""
    room = state.classroom
    if room is None or t_ms - room.begun_ms < LESSON_MS:
        return
    if not any(isinstance(intent, Teach) for intent in state.intents):
        state.intend(Teach(ClassAsked(t_ms, "", 0), "time"))


def seen(state: State) -> ClassView | None:
    """What the screen has to draw of it."""
    room = state.classroom
    if room is None:
        return None
    return ClassView(room.team, tuple(room.grams), not _resident_is_here(state))

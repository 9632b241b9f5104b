"""The kinds of ledger entries of what residents say together: votes, thanks, a class. Nobody is in them.

None holds a card, a visit, a name or a time of its own beside the entry's: see ``kiosk.core.voices`` for
what an entry's place in the ledger could still tell.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from kiosk.core.draft import Draft

MIN_ANSWERS, MAX_ANSWERS = 2, 4
MIN_TEAMS, MAX_TEAMS = 2, 4

SaidId = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", max_length=32)]
"""Of a question or a sentence, as the town's file names it."""
Count = Annotated[int, Meta(ge=0, le=1_000)]
Teams = Annotated[int, Meta(ge=MIN_TEAMS, le=MAX_TEAMS)]


class Voice(Draft, frozen=True, tag="voice"):
    """Answers to the question of the month: ``counts`` how many chose each answer, in the file's order,
    five or more in all; ``batch`` the question's, from 1."""

    question: SaidId
    batch: Annotated[int, Meta(ge=1, le=2**53)]
    counts: Annotated[tuple[Count, ...], Meta(min_length=MIN_ANSWERS, max_length=MAX_ANSWERS)]


class Thanked(Draft, frozen=True, tag="thanked"):
    """Somebody thanked the neighbours with a prepared sentence."""

    sentence: SaidId


class ClassBegin(Draft, frozen=True, tag="class_begin"):
    """A class came to weigh in ``teams`` teams. A restart ends it without another entry."""

    teams: Teams


class ClassEnd(Draft, frozen=True, tag="class_end"):
    """It left: by the ``caretaker``, or because its ``time`` was over. ``grams`` of each team."""

    reason: Literal["caretaker", "time"]
    grams: Annotated[
        tuple[Annotated[int, Meta(ge=-(2**53), le=2**53)], ...],
        Meta(min_length=MIN_TEAMS, max_length=MAX_TEAMS),
    ]


AnySaid = Voice | Thanked
"""What a touch on the screen may have written."""

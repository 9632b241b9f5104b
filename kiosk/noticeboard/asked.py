"""Tables of ``town.toml`` for what residents may say and play: a question of the month, thanks, a quiz.

Each is off until its table is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta

from kiosk.core.catalogue import Misfit, halves
from kiosk.core.said import MAX_ANSWERS, MIN_ANSWERS
from kiosk.noticeboard.parts import MAX_HALVES, Lasting, Part, Pictured, Said, wide

MAX_THANKS = 4
"""Sentences that stand on one page with large pictures."""
MAX_OWN = 20
MAX_ANSWER_HALVES = 36
"""Half-width letters of what stands beside its picture (a Japanese letter counts two)."""

Id = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]


class Answer(Pictured, frozen=True, kw_only=True):
    """One answer."""


class Asking(Lasting, frozen=True, kw_only=True, rename={"answers": "answer"}):
    """A question to all, with ``answers`` of which a touch chooses one. ``id`` is its own for ever: another
    question has another."""

    id: Id
    answers: Annotated[tuple[Answer, ...], Meta(min_length=MIN_ANSWERS, max_length=MAX_ANSWERS)]


class Thankful(Pictured, frozen=True, kw_only=True):
    """A sentence that thanks the neighbours; ``id`` stands in the ledger."""

    id: Id


class QuizQuestion(Said, frozen=True, kw_only=True):
    """A question of the town's own: the ``right`` answer and two ``wrong`` ones."""

    right: Pictured
    wrong: Annotated[tuple[Pictured, Pictured], Meta()]


class Quiz(Part, frozen=True, kw_only=True, rename={"questions": "question"}):
    """The children's quiz: of the station's own items, and of these."""

    questions: Annotated[tuple[QuizQuestion, ...], Meta(max_length=MAX_OWN)] = ()


def sentences_of_asked(
    question: Asking | None, thanks: Sequence[Thankful], quiz: Quiz | None
) -> Iterator[tuple[str, Said]]:
    """Every sentence with its place."""
    if question is not None:
        yield "question", question
        for number, answer in enumerate(question.answers):
            yield f"question.answer[{number}]", answer
    for number, one in enumerate(thanks):
        yield f"thanks[{number}]", one
    for number, own in enumerate(() if quiz is None else quiz.questions):
        place = f"quiz.question[{number}]"
        yield place, own
        yield f"{place}.right", own.right
        yield from ((f"{place}.wrong[{at}]", one) for at, one in enumerate(own.wrong))


def short_ones(
    question: Asking | None, thanks: Sequence[Thankful], quiz: Quiz | None
) -> Iterator[tuple[str, Said]]:
    """Those that are touched, with their places."""
    for place, said in sentences_of_asked(question, thanks, quiz):
        if isinstance(said, Pictured):
            yield place, said


def misfits_of_asked(
    question: Asking | None, thanks: Sequence[Thankful], quiz: Quiz | None
) -> Iterator[Misfit]:
    """What does not fit together."""
    if question is not None:
        yield from question.misfits("question")
    for place, said in short_ones(question, thanks, quiz):
        for language, text in said.written.items():
            if MAX_ANSWER_HALVES < halves(text) <= MAX_HALVES:
                yield wide(f"{place}.{language}", MAX_ANSWER_HALVES)
    seen: set[str] = set()
    for number, one in enumerate(thanks):
        if one.id in seen:
            yield Misfit(
                "town_twice",
                f"thanks[{number}].id",
                f"another sentence has the id {one.id}.",
                "Give each its own.",
                {"value": one.id},
            )
        seen.add(one.id)

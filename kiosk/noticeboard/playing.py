"""What the screen is told of what residents may say and play (event ``play``), and the quiz's knowledge.

Nothing of anybody is in it: votes as the ledger's entries told of them (five and more), thanks as counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from kiosk.core.catalogue import Catalogue
from kiosk.core.quiz import ByLanguage, Knowledge, Question, Shown
from kiosk.ledger.heard import Thanks, Votes
from kiosk.noticeboard.asked import Asking, Quiz
from kiosk.noticeboard.parts import Pictured
from kiosk.noticeboard.shape import TownFile
from kiosk.screen.setup import item_words
from kiosk.screen.texts.town import Spoken

USUAL_PICTURE = "question"
THANKS_PICTURE = "thanks"
NO_VOTES = Votes({}, 0)
NO_THANKS = Thanks(0, 0)


class Sentence(msgspec.Struct, frozen=True):
    """A prepared one, with its picture."""

    id: str
    words: ByLanguage
    picture: str


class QuestionTold(msgspec.Struct, frozen=True):
    """The question of the month. ``counts`` by answer, None before the first five."""

    id: str
    words: ByLanguage
    answers: tuple[Shown, ...]
    counts: tuple[int, ...] | None


class ThanksTold(msgspec.Struct, frozen=True):
    """``today`` and ``week`` None where the clock does not know the day."""

    sentences: tuple[Sentence, ...]
    today: int | None
    week: int | None


class PlayTold(msgspec.Struct, frozen=True):
    """The whole value; what is off is None or false."""

    question: QuestionTold | None = None
    thanks: ThanksTold | None = None
    quiz: bool = False


def asked_now(town: TownFile, today: date | None) -> Asking | None:
    """The question, where it is asked today."""
    question = town.question
    return question if question is not None and question.is_on(today) else None


def played(
    town: TownFile, today: date | None, votes: Votes, thanks: Thanks, *, quiz: bool
) -> PlayTold:
    """``votes`` of the question that is asked now; ``quiz`` whether a round can be made."""
    question = asked_now(town, today)
    return PlayTold(
        None if question is None else _question(question, votes),
        None if not town.thanks else _thanks(town, None if today is None else thanks),
        quiz,
    )


def _question(question: Asking, votes: Votes) -> QuestionTold:
    places = range(len(question.answers))
    counts = tuple(votes.counts.get(place, 0) for place in places) if votes.batches else None
    answers = tuple(_shown(one) for one in question.answers)
    return QuestionTold(question.id, question.words, answers, counts)


def _thanks(town: TownFile, thanks: Thanks | None) -> ThanksTold:
    sentences = tuple(
        Sentence(one.id, one.words, one.picture or THANKS_PICTURE) for one in town.thanks
    )
    if thanks is None:
        return ThanksTold(sentences, None, None)
    return ThanksTold(sentences, thanks.today, thanks.week)


def knowledge(
    items: Iterable[str],
    catalogue: Catalogue,
    becomes: Mapping[str, Pictured],
    pictures: frozenset[str],
    spoken: Spoken,
) -> dict[str, Knowledge]:
    """What the quiz knows of the station's items: those with a pictogram of their own, called as the bins'
    signs call them in each language."""
    found: dict[str, Knowledge] = {}
    for code in dict.fromkeys(items):
        item = catalogue.items.get(code)
        if item is None or code not in pictures:
            continue
        name = {one: _plain(item_words(item, code, one, spoken).name) for one in spoken.codes}
        end = becomes.get(code)
        found[code] = Knowledge(
            Shown(name, code), None if end is None or end.picture is None else _shown(end)
        )
    return found


def own(quiz: Quiz) -> tuple[Question, ...]:
    """The town's questions, the right answer first."""
    return tuple(
        Question(
            "own",
            Shown(one.words, USUAL_PICTURE),
            (_shown(one.right), *(_shown(wrong) for wrong in one.wrong)),
            0,
        )
        for one in quiz.questions
    )


def _plain(name: str) -> str:
    """Without what stands in brackets."""
    return name.split("（")[0].split("(")[0].strip()


def _shown(one: Pictured) -> Shown:
    return Shown(one.words, one.picture or USUAL_PICTURE)

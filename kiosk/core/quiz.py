"""The children's quiz: a round of questions with three answers, made of what this station collects.

Invariants
  1. Every question has exactly one right answer, and no two answers read or look the same: neither the item
     nor what it becomes is shared by two of them.
  2. It asks only after items that this station has bins for, and is answered with those only.
  3. The same seed makes the same round; nothing of a round is kept.

SHA-256 in counter mode chooses: the rules know no chance (``random``), and the edge gives the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec

ROUND = 5
ANSWERS = 3

ByLanguage = dict[str, str]
Kind = Literal["bin", "becomes", "own"]
T = TypeVar("T")


class Shown(msgspec.Struct, frozen=True):
    """Words by language, and a pictogram."""

    words: ByLanguage
    picture: str


class Question(msgspec.Struct, frozen=True):
    """``bin`` where does ``about`` go, ``becomes`` what does it become, ``own`` the town's sentence (then
    ``about`` holds it). ``right`` is the place of the right answer."""

    kind: Kind
    about: Shown
    answers: tuple[Shown, ...]
    right: int


class Knowledge(msgspec.Struct, frozen=True):
    """What is known of one item: its name, and what it becomes (None where nobody says)."""

    name: Shown
    becomes: Shown | None = None


@dataclass(slots=True)
class Dice:
    """Whole numbers, the same for the same seed."""

    seed: int
    rolled: int = 0

    def below(self, limit: int) -> int:
        """From 0 on."""
        self.rolled += 1
        told = hashlib.sha256(f"kiosk-quiz\n{self.seed}\n{self.rolled}".encode()).digest()
        return int.from_bytes(told[:8], "big") % limit

    def some(self, several: Sequence[T], count: int) -> list[T]:
        """So many of them in any order, none twice."""
        left = list(several)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]


def quiz(
    items: Mapping[str, Knowledge], own: Sequence[Question], seed: int, length: int = ROUND
) -> tuple[Question, ...]:
    """A round of at most ``length`` questions; none where the station has too few things to tell apart.

    ``items`` by code, of this station only; ``own`` the town's, with their right answer first or anywhere.
    """
    dice = Dice(seed)
    pool = [
        *(one for code in items if (one := _where(items, code, dice)) is not None),
        *(one for code in items if (one := _becomes(items, code, dice)) is not None),
        *(_mixed(one.kind, one.about, one.answers[one.right], _wrong(one), dice) for one in own),
    ]
    return tuple(dice.some(pool, length))


def _where(items: Mapping[str, Knowledge], code: str, dice: Dice) -> Question | None:
    """Which item becomes this? Asked so that the picture of the answer is not the question's."""
    becomes = items[code].becomes
    if becomes is None:
        return None
    others = [
        one.name
        for other, one in items.items()
        if other != code
        and _differs(one.name, items[code].name)
        and _not_also(one.becomes, becomes)
    ]
    return _asked("bin", becomes, items[code].name, others, dice)


def _becomes(items: Mapping[str, Knowledge], code: str, dice: Dice) -> Question | None:
    """What does this item become?"""
    right = items[code].becomes
    if right is None:
        return None
    others = [one.becomes for one in items.values() if one.becomes and _differs(one.becomes, right)]
    return _asked("becomes", items[code].name, right, others, dice)


def _asked(
    kind: Kind, about: Shown, right: Shown, others: Sequence[Shown], dice: Dice
) -> Question | None:
    wrong: list[Shown] = []
    for one in dice.some(others, len(others)):
        if len(wrong) < ANSWERS - 1 and all(_differs(one, known) for known in wrong):
            wrong.append(one)
    return _mixed(kind, about, right, wrong, dice) if len(wrong) == ANSWERS - 1 else None


def _mixed(kind: Kind, about: Shown, right: Shown, wrong: Sequence[Shown], dice: Dice) -> Question:
    answers = dice.some([right, *wrong], ANSWERS)
    return Question(kind, about, tuple(answers), answers.index(right))


def _wrong(one: Question) -> list[Shown]:
    return [answer for place, answer in enumerate(one.answers) if place != one.right]


def _differs(one: Shown, other: Shown) -> bool:
    """In every language, and to the eye where both have pictures of their own."""
    return one.picture != other.picture and all(
        words != other.words.get(language) for language, words in one.words.items()
    )


def _not_also(becomes: Shown | None, right: Shown) -> bool:
    """Whether an item's end is certainly not the one that is asked for."""
    return becomes is not None and _differs(becomes, right)

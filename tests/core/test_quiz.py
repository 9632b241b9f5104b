"""The quiz: one right answer, only what this station collects, and the same again for the same seed."""

from __future__ import annotations

import os
import random

from kiosk.core.quiz import ROUND, Knowledge, Question, Shown, quiz

SEARCH = int(os.environ.get("KIOSK_SEARCH_SIZE", "100"))


def shown(name: str, picture: str | None = None) -> Shown:
    return Shown({"ja": name, "easy": name, "en": name}, picture or name)


def station(dice: random.Random) -> dict[str, Knowledge]:
    """Items of which some become the same, or nothing that anybody knows."""
    ends = [None, *(shown(f"end-{n}", f"end-{n % 4}") for n in range(6))]
    return {
        f"item-{n}": Knowledge(shown(f"item-{n}"), dice.choice(ends))
        for n in range(dice.randint(0, 9))
    }


OWN = Question("own", shown("いつ？"), (shown("朝"), shown("昼"), shown("夜")), 0)


def test_every_question_has_one_right_answer_of_this_station() -> None:
    asked = 0
    for seed in range(SEARCH):
        dice = random.Random(seed)
        items = station(dice)
        own = [OWN] * dice.randint(0, 2)
        made = quiz(items, own, seed)
        assert made == quiz(items, own, seed)
        assert len(made) <= ROUND
        asked += len(made)
        for one in made:
            assert len(one.answers) == 3
            assert len({answer.picture for answer in one.answers}) == 3
            assert len({answer.words["ja"] for answer in one.answers}) == 3
            assert [place for place in range(3) if is_right(one, place, items)] == [one.right]
    assert asked > SEARCH


def is_right(one: Question, place: int, items: dict[str, Knowledge]) -> bool:
    """As somebody would judge who knows the station's list and nothing else."""
    answer = one.answers[place]
    if one.kind == "own":
        return answer == OWN.answers[OWN.right]
    pairs = [(known.name, known.becomes) for known in items.values()]
    ours = {name.words["ja"] for name, _ in pairs} | {end.words["ja"] for _, end in pairs if end}
    assert answer.words["ja"] in ours
    pair = (answer, one.about) if one.kind == "bin" else (one.about, answer)
    return pair in pairs


def test_a_station_with_two_bins_has_no_question_but_the_towns_own() -> None:
    items = {code: Knowledge(shown(code), shown(f"of-{code}")) for code in ("a", "b")}
    assert quiz(items, [], 1) == ()
    assert [one.kind for one in quiz(items, [OWN], 1)] == ["own"]


def test_another_round_is_another_one() -> None:
    items = {f"i{n}": Knowledge(shown(f"i{n}"), shown(f"of-{n}")) for n in range(9)}
    told = [tuple(one.about.picture for one in quiz(items, [], seed)) for seed in range(20)]
    assert len(set(told)) > 10

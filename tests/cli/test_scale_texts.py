"""Whatever a scale's work can end in has words in every language."""

from __future__ import annotations

import ast
import sys
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest

from kiosk.cli.call import Call
from kiosk.cli.scale_adjust import ask_grams
from kiosk.cli.scale_guided import Cancelled
from kiosk.cli.texts import LANGUAGES, Language, Words
from kiosk.core import diagnosis
from kiosk.core.adjustment import Refusal
from kiosk.core.effects import ScaleAnswer
from kiosk.scale_work import name_of, refusal_words


def cases() -> set[tuple[str, str]]:
    """Every check's verdicts, as they stand in the source."""
    source = Path(diagnosis.__file__).read_text(encoding="utf-8")
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
            check = node.args[0]
            assert isinstance(check, ast.Constant)
            for case in ast.walk(node.args[2]):
                if isinstance(case, ast.Constant) and isinstance(case.value, str):
                    found.add((str(check.value), case.value))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_diagnosis_says_everything_and_what_is_wrong_has_a_next_step(language: Language) -> None:
    words = Words(language)
    assert len(cases()) > 20
    for check, case in cases():
        key = f"diagnosis.{check}.{case}"
        assert f"{key}.what" in words.all(), key
        harmless = case in ("ok", "some", "indicator")
        assert (f"{key}.todo" in words.all()) != harmless, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_said_with_its_figures(language: Language) -> None:
    for kind in get_args(Refusal):
        why = kind(*[1_234.5] * len(kind.__dataclass_fields__))
        what, todo = refusal_words(Words(language), why)
        assert what and todo and "{" not in what + todo, name_of(why)


@pytest.mark.parametrize(
    ("typed", "grams"),
    [
        ("2031", 2_031),
        ("２０３１", 2_031),
        ("2.031\n2031", 2_031),
        ("0", None),
        ("０", None),
    ],
)
def test_a_bottles_grams_are_typed_on_any_keyboard(
    typed: str, grams: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(f"{typed}\n"))
    with nullcontext() if grams else pytest.raises(Cancelled):
        assert ask_grams(Call(lang="en")) == grams


@pytest.mark.parametrize("language", ["ja", "easy"])
def test_what_the_rules_answer_is_said(language: Language) -> None:
    texts = Words(language).all()
    for code in set(get_args(ScaleAnswer)) - {"done"}:
        assert f"error.scale_{code}.what" in texts and f"error.scale_{code}.todo" in texts

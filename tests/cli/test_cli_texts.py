"""The three text catalogues say the same things."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from kiosk.cli.texts import Words

JA = Words("ja").all()


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", ["easy", "en"])
def test_the_same_texts_with_the_same_names(language: str) -> None:
    other = Words(language).all()  # type: ignore[arg-type]
    shared = {key for key in JA if language == "easy" or not key.startswith("error.")}
    assert set(other) == shared
    for key in shared:
        if not key.startswith("error."):
            assert names(other[key]) == names(JA[key]), key


def test_errors_end_as_sentences_in_japanese() -> None:
    for language in ("ja", "easy"):
        for key, text in Words(language).all().items():
            if key.startswith("error."):
                assert text.endswith("。"), key


def test_plain_japanese_uses_few_kanji() -> None:
    """Easy texts keep to kana and the few characters that everybody here learns first."""
    allowed = set("人日月火水木金土一二三上下中大小見市左右目何時分本名行外出入口手年力")
    for key, text in Words("easy").all().items():
        kanji = {one for one in re.sub(r"\{\w*\}", "", text) if "一" <= one <= "鿿"}
        assert kanji <= allowed | set("聞読"), (key, kanji - allowed)

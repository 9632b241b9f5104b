"""The three text catalogues say the same things."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from kiosk.cli.texts import Words
from kiosk.core.view import BinState, Phase
from kiosk.ledger.errors import _WORDS

ROOT = Path(__file__).parents[2]
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


def test_whatever_the_screen_shows_has_a_word_for_whoever_watches_from_the_terminal() -> None:
    for table, shown in (("phase", Phase), ("state", BinState)):
        said = {key for key in JA if key.startswith(f"{table}.")}
        assert said == {f"{table}.{one}" for one in get_args(shown)}


def test_errors_end_as_sentences_in_japanese() -> None:
    for language in ("ja", "easy"):
        for key, text in Words(language).all().items():
            if key.startswith("error."):
                assert text.endswith("。"), key


def test_what_stops_a_station_or_its_uplink_is_said_in_japanese() -> None:
    """Refusals of the control protocol are between programs; all others meet a caretaker."""
    files = [*ROOT.glob("kiosk/**/*.py"), *ROOT.glob("sync/mqtt*.py")]
    codes = set()
    for file in files:
        if file.parent.name == "control" and file.name != "server.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            made = isinstance(node, ast.Call) and getattr(node.func, "id", "")
            if made in ("OperatorError", "StorageError") and isinstance(node.args[0], ast.Constant):
                codes.add(node.args[0].value)
    codes -= {"unknown_op", "bad_arguments"}
    assert {"screen_port", "newer_ledger", "tls_files"} <= codes
    for language in ("ja", "easy"):
        texts = Words(language).all()
        for code in sorted(codes | set(_WORDS)):
            assert f"error.{code}.what" in texts and f"error.{code}.todo" in texts, code


def test_plain_japanese_uses_few_kanji() -> None:
    """Easy texts keep to kana and the few characters that everybody here learns first."""
    allowed = set("人日月火水木金土一二三上下中大小見市左右目何時分本名行外出入口手年力")
    for key, text in Words("easy").all().items():
        kanji = {one for one in re.sub(r"\{\w*\}", "", text) if "一" <= one <= "鿿"}
        assert kanji <= allowed | set("聞読"), (key, kanji - allowed)

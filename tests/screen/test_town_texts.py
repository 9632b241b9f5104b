"""A town's own languages and sentences: what counts, what is told, nobody left without words."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from screen_scenes import CATALOGUE as CATALOGUE_FILE

from kiosk import catalogue
from kiosk.screen import texts
from kiosk.screen.setup import item_words, overflow
from kiosk.screen.texts.town import MAX_LANGUAGES, Spoken, spoken
from kiosk.tomlfile import FileProblem

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
CATALOGUE = catalogue.load(CATALOGUE_FILE)
OWN = {one.code: one for one in texts.load()}
HEAD = 'code = "pt"\nname = "Português"\ntag = "pt-BR"\norder = 10\nlike = "en"\n'


def whole(head: str = HEAD, without: tuple[str, ...] = (), corner: bool = False) -> str:
    """A file of a new language with every sentence of its own."""
    lines = [head]
    for table in texts.TABLES if corner else texts.TABLES[:-1]:
        lines.append(f"[{table}]")
        for key, text in getattr(OWN["en"], table).items():
            if f"{table}.{key}" not in without:
                lines.append(f"{key} = {json.dumps('PT ' + text, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


Write = Callable[..., Spoken]


@pytest.fixture
def told(tmp_path: Path) -> Write:
    def write(**files: str) -> Spoken:
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return spoken(tmp_path, CATALOGUE)

    return write


def said(problem: FileProblem) -> tuple[str, str, str]:
    return problem.code, problem.file.name, problem.place


def test_a_language_more_has_its_button_and_every_sentence(told: Write) -> None:
    heard = told(pt=whole())
    assert heard.problems == ()
    assert [one.code for one in heard.languages] == ["ja", "easy", "en", "pt"]
    portuguese = heard.languages[-1]
    assert portuguese.words["waiting"].startswith("PT ")
    assert portuguese.corner == OWN["en"].corner, "caretakers have it as in the language it is like"


def test_without_a_word_on_it_the_corner_is_japanese(told: Write) -> None:
    heard = told(pt=whole(HEAD.replace('like = "en"\n', "")))
    assert heard.problems == ()
    assert heard.languages[-1].corner == OWN["ja"].corner


def test_a_sentence_that_is_missing_is_named_and_said_as_in_the_other_language(told: Write) -> None:
    heard = told(pt=whole(without=("words.thanks", "town.notice")))
    assert [said(one) for one in heard.problems] == [
        ("text_missing", "pt.toml", "words.thanks"),
        ("text_missing", "pt.toml", "town.notice"),
    ]
    assert heard.languages[-1].words["thanks"] == OWN["en"].words["thanks"]


def test_a_town_says_one_sentence_of_the_stations_in_its_own_words(told: Write) -> None:
    heard = told(ours='code = "ja"\n[words]\nthanks_plain = "おおきに"\n')
    assert heard.problems == ()
    japanese = heard.languages[0]
    assert japanese.words == {**OWN["ja"].words, "thanks_plain": "おおきに"}
    assert heard.languages[1:] == tuple(texts.load()[1:])


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        ('recorded = "{item} {weight}"', "text_placeholders", "words.recorded"),
        ('recorded = "{item} {weight}{estimate} {card}"', "text_placeholders", "words.recorded"),
        ('goodday = "hi"', "text_unknown", "words.goodday"),
        ('waiting = "  "', "text_unfit", "words.waiting"),
        ('waiting = "a\\nb"', "text_unfit", "words.waiting"),
        ('waiting = "\\u202eabc"', "text_unfit", "words.waiting"),
        (f'waiting = "{"x" * 301}"', "text_unfit", "words.waiting"),
        ("waiting = 3", "wrong_type", "words.waiting"),
    ],
)
def test_what_is_wrong_is_named_by_file_sentence_and_placeholder(
    told: Write, line: str, code: str, place: str
) -> None:
    heard = told(ours=f'code = "ja"\n[words]\n{line}\n')
    (problem,) = heard.problems
    assert problem.file.name == "ours.toml" and problem.place == place
    if code != "wrong_type":
        assert problem.code == code
    if code == "text_placeholders":
        assert "{estimate}, {item}, {weight}" in problem.what
    assert heard.languages == texts.load()


@pytest.mark.parametrize(
    ("head", "code", "place"),
    [
        ('code = "pt"\ntag = "pt"\n', "language_head", "name"),
        ('code = "pt"\nname = "Português"\n', "language_head", "tag"),
        (HEAD.replace('"pt"', '"PT!"'), "setting_form", "code"),
        (HEAD.replace("pt-BR", "pt_BR"), "setting_form", "tag"),
        (HEAD.replace("pt-BR", "pt-BR-BR"), "setting_form", "tag"),
        (HEAD.replace("pt-BR", "pt-b"), "setting_form", "tag"),
        (HEAD.replace("Portug", "\\u202egut"), "setting_form", "name"),
        (HEAD.replace("Português", "\u3000"), "setting_form", "name"),
    ],
)
def test_a_new_language_says_what_stands_on_its_button(
    told: Write, head: str, code: str, place: str
) -> None:
    assert [said(one) for one in told(pt=whole(head)).problems] == [(code, "pt.toml", place)]


@pytest.mark.parametrize(
    "sentence",
    ["年末は\u3000お休みです", "Bonjour\u00a0!", "नमस्\u200dते", "ありがとう👨\u200d👩\u200d👧"],
    ids=["wide space", "unbroken space", "joined letters", "joined pictures"],
)
def test_a_language_is_written_with_all_that_it_is_written_with(told: Write, sentence: str) -> None:
    heard = told(ours=f'code = "ja"\n[words]\nthanks_plain = "{sentence}"\n')
    assert heard.problems == ()
    assert heard.languages[0].words["thanks_plain"] == sentence


def test_one_language_has_one_file_and_the_screen_has_room_for_five(told: Write) -> None:
    twice = told(a='code = "ja"\n[words]\nback = "もどる"\n', b='code = "ja"\n')
    assert [said(one) for one in twice.problems] == [("language_twice", "b.toml", "code")]
    many = {f"z{n}": whole(HEAD.replace('"pt"', f'"x{"abcd"[n]}"')) for n in range(4)}
    heard = told(**many)
    assert len(heard.languages) == MAX_LANGUAGES
    assert [one.code for one in heard.problems].count("languages_many") == 2


def test_items_are_called_as_the_town_says_else_as_in_the_catalogue(told: Write) -> None:
    heard = told(
        pt=whole() + '[items.can-alu]\nname = "Lata"\nshort = ["Lata", "de alumínio"]\n',
        ours='code = "ja"\n[items.can-alu]\nname = "アルミの空き缶"\noverflow = "うらの棚"\n',
    )
    assert heard.problems == ()
    can, bottle = CATALOGUE.items["can-alu"], CATALOGUE.items["pet-bottle"]
    assert item_words(can, "can-alu", "pt", heard).short == ("Lata", "de alumínio")
    assert item_words(bottle, "pet-bottle", "pt", heard).name == bottle.en
    ours = item_words(can, "can-alu", "ja", heard)
    assert (ours.name, ours.short) == ("アルミの空き缶", can.short_ja)
    assert overflow(can, "can-alu", "ja", heard) == "うらの棚"
    assert overflow(can, "can-alu", "pt", heard) == can.overflow.en


def test_an_item_that_nobody_collects_and_a_sign_that_is_too_wide_are_told(told: Write) -> None:
    heard = told(
        ours='code = "ja"\n[items.gold]\nname = "金"\n'
        '[items.can-alu]\nshort = ["長すぎる名前のある缶", "x"]\n'
    )
    assert [said(one) for one in heard.problems] == [
        ("item_unknown", "ours.toml", "items.gold"),
        ("short_name", "ours.toml", "items.can-alu.short[0]"),
    ]
    cans = CATALOGUE.items["can-alu"]
    assert item_words(cans, "can-alu", "ja", heard).short == cans.short_ja, "the sign stays whole"


def test_a_folder_that_is_not_there_is_told_and_the_screen_speaks_all_the_same(
    tmp_path: Path,
) -> None:
    heard = spoken(tmp_path / "texts", CATALOGUE)
    assert [one.code for one in heard.problems] == ["texts_folder"]
    assert heard.languages == texts.load()


def test_whatever_lies_in_the_folder_nobody_is_left_without_a_sentence(tmp_path: Path) -> None:
    """Files cut, mixed and scribbled over: told or taken, never an exception, and every language whole."""
    rng = random.Random(5)
    good = whole(corner=True).encode()
    own = (resources.files(texts) / "ja.toml").read_bytes()
    file = tmp_path / "x.toml"
    refused = 0
    for _ in range(60 * SIZE):
        raw = bytearray(rng.choice((good, own)))
        for _ in range(rng.randint(0, 4)):
            at = rng.randrange(len(raw))
            scribble = rng.choice((b"{", b"}", b'"', b"\n", b"[words]\n", b"\xff", b"\0", b"={x}"))
            raw[at : at + rng.randint(0, 30)] = scribble
        if rng.random() < 0.3:
            del raw[rng.randrange(len(raw)) :]
        file.write_bytes(bytes(raw))
        heard = spoken(tmp_path, CATALOGUE)
        refused += bool(heard.problems)
        for language in heard.languages:
            texts.check(language, OWN["ja"])
    assert refused > 20 * SIZE

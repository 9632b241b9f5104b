"""``town.toml`` in people's hands: half-written, misspelt, scribbled over, and read again by itself."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from kiosk import catalogue
from kiosk.cli.texts import Words
from kiosk.noticeboard.file import MAX_BYTES, Watched, load, problems, signature
from kiosk.noticeboard.lines import line_of
from kiosk.noticeboard.shape import TownFile
from kiosk.noticeboard.tongues import OWN
from kiosk.tomlfile import FileProblem

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config/town.toml").read_text("utf-8")
CATALOGUE = catalogue.load(ROOT / "config/catalogue.toml")
SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Saves the text; each time the file is another one, as editors leave it."""
    file = tmp_path / "town.toml"
    saved = 0

    def save(text: str) -> Path:
        nonlocal saved
        saved += 1
        made = tmp_path / "new"
        made.write_text(text, "utf-8")
        os.utime(made, ns=(saved, saved))
        made.replace(file)
        return file

    return save


def test_the_example_is_right_and_says_something_of_everything(write: Write) -> None:
    file = write(EXAMPLE)
    assert problems(file, CATALOGUE) == []
    town = load(file)
    assert all(getattr(town, name) for name in TownFile.__struct_fields__)


def test_japanese_alone_suffices(write: Write) -> None:
    (notice,) = load(write('[[notice]]\nja = "お休みです"\n')).notices
    assert notice.words == {"ja": "お休みです", "easy": "お休みです", "en": "お休みです"}


def test_a_sentence_in_the_towns_own_language_goes_to_the_screen_too(write: Write) -> None:
    text = '[[notice]]\nja = "あすは休み"\npt = "Fechado amanhã"\n[quiz]\n[[quiz.question]]\nja = "a"\n'
    text += 'right = { ja = "b", pt = "c" }\nwrong = [{ ja = "d", id = 1 }, { ja = "e" }]\n'
    spoken = (*OWN, "pt")
    (found,) = problems(write(text), CATALOGUE, languages=spoken)
    assert (found.code, found.values["place"]) == (
        "setting_unknown",
        "quiz.question[0].wrong[0].id (line 8)",
    )
    town = load(write(text.replace(", id = 1", "")), spoken)
    (notice,) = town.notices
    assert notice.words == {**dict.fromkeys(OWN, "あすは休み"), "pt": "Fechado amanhã"}
    assert town.quiz is not None and town.quiz.questions[0].right.words["pt"] == "c"
    watched = Watched(write(text.replace(", id = 1", "")), spoken)
    assert watched.look() and watched.town == town


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('vi = "a"', "town_language"),
        ('more = { vi = "a" }', "town_language"),
        ('tagalog = "a"', "setting_unknown"),
        ('pt = ""', "setting_range"),
        ('pt = "a\\u202eb"', "setting_form"),
        ('pt = "' + "w" * 64 + 'w"', "setting_range"),
        ('pt = "' + "長" * 33 + '"', "town_wide"),
        ("pt = 3", "setting_type"),
    ],
)
def test_another_language_or_a_bad_sentence_in_it_is_refused_with_its_line(
    write: Write, line: str, code: str
) -> None:
    file = write(f'[[notice]]\nja = "a"\n{line}\n')
    (found,) = problems(file, CATALOGUE, languages=(*OWN, "pt"))
    name = "vi" if code == "town_language" else line.partition(" ")[0]
    at = "(line 1)" if line.startswith("more") else "(line 3)"
    assert (found.code, found.values["place"]) == (code, f"notice[0].{name} {at}")
    for language in ("ja", "easy", "en"):
        what, todo = Words(language).error(found)  # type: ignore[arg-type]
        assert "notice[0]" in what and todo


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ('[[notice]]\nja = "a"\n\n[[notice]]\nja = 3\n', "setting_type", "notice[1].ja (line 5)"),
        ('[[event]]\nja = "a"\ndate = 2026-13-06\n', "file_not_toml", "-"),
        ('[[event]]\nja = "a"\ndate = "soon"\n', "setting_value", "event[0].date (line 3)"),
        ('[[event]]\nja = "a"\n', "setting_missing", "event[0].date (line 1)"),
        ('[[notise]]\nja = "a"\n', "setting_unknown", "notise (line 1)"),
        ('\n[[notice]]\nja = "' + "長" * 33 + '"\n', "town_wide", "notice[0].ja (line 3)"),
        ('[[notice]]\nen = "a"\n', "setting_missing", "notice[0].ja (line 1)"),
        (
            '[[notice]]\nja = "a"\nfrom = 2026-12-02\nuntil = 2026-12-01\n',
            "town_days",
            "notice[0].until (line 4)",
        ),
        ('[[helper]]\nname = "花"\n', "town_helper", "helper[0] (line 1)"),
        (
            '[[helper]]\nname = "花"\nweekdays = ["moon"]\n',
            "setting_choice",
            "helper[0].weekdays[0] (line 3)",
        ),
        ('[[shelf]]\nja = "鉢"\npicture = "ufo"\n', "town_picture", "shelf[0].picture (line 3)"),
        ('[becomes.gold]\nja = "金"\n', "town_item", "becomes.gold (line 1)"),
        ('[[notice]]\nja = "a\\u001bb"\n', "setting_form", "notice[0].ja (line 2)"),
        ('[[notice]]\nja = "a\\u202eb"\n', "setting_form", "notice[0].ja (line 2)"),
        ('[[notice]]\nja = "　 "\n', "setting_form", "notice[0].ja (line 2)"),
        ("x" * (MAX_BYTES + 1), "file_too_big", "-"),
    ],
)
def test_a_mistake_is_said_with_its_line(write: Write, text: str, code: str, place: str) -> None:
    first, *_ = problems(write(text), CATALOGUE)
    assert (first.code, first.values["place"]) == (code, place)


def test_a_place_within_a_line_is_found_at_its_table() -> None:
    text = 'becomes = { "pet-cap" = { ja = "a" } }\n[[event]]\nja = "x"\n'
    assert line_of(text, "becomes.pet-cap.ja") == 1
    assert line_of(text, "event[0].en") == 2
    assert line_of(text, "event[7].en") is None


def test_the_last_good_one_goes_on_until_the_next_good_one(write: Write) -> None:
    file = write('[[notice]]\nja = "はじめ"\n')
    watched = Watched(file)
    assert watched.look() and not watched.look()
    write("[[notice]]\nja = ")
    assert not watched.look()
    assert watched.town.notices[0].ja == "はじめ"
    write('[[notice]]\nja = "つぎ"\n')
    assert watched.look()
    assert watched.town.notices[0].ja == "つぎ"
    file.unlink()
    assert not watched.look(), "an editor may be renaming"
    assert watched.look()
    assert watched.town == TownFile()
    assert not watched.look()
    write('[[notice]]\nja = "また"\n')
    assert watched.look()


def test_who_helps_today_is_asked_of_weekdays_and_dates(write: Write) -> None:
    text = '[[helper]]\nname = "花"\nweekdays = ["thu"]\ndates = [2026-12-06]\n'
    (helper,) = load(write(text)).helpers
    days = [date(2026, 12, day) for day in range(1, 9)]
    assert [day.day for day in days if helper.is_here(day)] == [3, 6]


@pytest.mark.parametrize("seed", range(3 * SIZE))
def test_whatever_is_scribbled_ends_as_a_town_or_a_problem_with_a_place(
    write: Write, seed: int
) -> None:
    draw = random.Random(seed)
    for _ in range(40):
        text = scribbled(draw, EXAMPLE)
        file = write(text)
        found = problems(file, CATALOGUE)
        for problem in found:
            assert problem.what.startswith(f"{file}: ") and len(problem.what) < 3_000
            assert problem.todo
        try:
            load(file)
        except FileProblem:
            assert found
        else:
            assert not found or all(one.code == "town_item" for one in found)


def scribbled(draw: random.Random, text: str) -> str:
    """A few strokes: a line twice, a line less, other letters, pieces exchanged."""
    lines = text.splitlines()
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(lines))
        match draw.randrange(6):
            case 0:
                lines.insert(at, lines[draw.randrange(len(lines))])
            case 1:
                del lines[at]
            case 2:
                cut = draw.randint(0, len(lines[at]))
                lines[at] = lines[at][:cut] + draw.choice('"=[]{}#\\\t\0界 9-') + lines[at][cut:]
            case 3:
                key, _, _ = lines[at].partition("=")
                junk = (
                    "[]",
                    "{}",
                    "-1",
                    "1e400",
                    "true",
                    '"\\u0007"',
                    "2026-02-29",
                    f'"{"長" * 99}"',
                )
                lines[at] = f"{key}= {draw.choice(junk)}"
            case 4:
                lines[at] = f"[[{draw.choice(('notice', 'event', 'x', 'helper.a'))}]]"
            case _:
                lines[at] = "[" * draw.randint(1, 40)
    return "\n".join(lines)


def test_a_pipe_with_the_files_name_keeps_nobody_waiting(tmp_path: Path) -> None:
    file = tmp_path / "town.toml"
    os.mkfifo(file)
    watched = Watched(file)
    assert not watched.look()
    assert [one.code for one in problems(file)] == ["file_unreadable"]
    file.unlink()
    file.write_text('[[notice]]\nja = "また"\n', "utf-8")
    assert watched.look()


def test_a_file_is_read_again_when_its_rights_or_its_contents_changed_behind_its_date(
    write: Write,
) -> None:
    file = write('[[notice]]\nja = "あ"\n')
    watched = Watched(file)
    assert watched.look()
    before = file.stat()
    with file.open("r+", encoding="utf-8") as opened:
        opened.write('[[notice]]\nja = "い"\n')
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.look()
    assert watched.town.notices[0].ja == "い"
    before = file.stat()
    file.chmod(0o640)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert signature(file) != (
        before.st_ino,
        before.st_size,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )

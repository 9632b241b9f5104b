"""What a town adds to the screen's words: a language more, or other words for single sentences.

Files ``*.toml`` of one folder (``paths.texts``), with the same tables as the station's own. A file whose
``code`` is ``ja``, ``easy`` or ``en`` puts its sentences in the place of the station's; any other code is
a language of its own, whose ``[words]``, ``[town]`` and ``[play]`` must be whole. What it lacks all the
same (a program that is newer than the file has sentences more) is taken from the language that it is
``like``, and so are the caretaker's corner and the items' names that it does not give.

Invariant: nothing in these files keeps a station from starting or leaves a resident without a sentence.
What is wrong is passed over and told as ``FileProblem`` s (``kiosk config check``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.core.catalogue import MAX_ITEMS, Catalogue, Code, short_misfits
from kiosk.screen.texts import MEASURE, TABLES, Language, load, placeholders
from kiosk.tomlfile import READABLE, TAG, FileProblem, convert, read_toml
from kiosk.tomlfile import problems as shape_problems

MAX_FILES = 16
MAX_LANGUAGES = 5
"""As many buttons as always stay in view, those of the station's own languages among them."""
MAX_SENTENCE = 300
"""Characters; the longest of the station's own has a third of it."""
MAX_NAME = 60
BORROWED = "corner"
"""The one table that a language need not have: caretakers read Japanese."""


Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern=READABLE)]


class ItemText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a town calls an item; ``short`` two lines for a small sign. None: as in the catalogue."""

    name: Name | None = None
    short: tuple[str, str] | None = None
    overflow: Name | None = None


Sentences = Annotated[dict[str, str], Meta(max_length=1_000)]


class TownFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file. ``name``, ``tag`` (as HTML's ``lang``) and ``order`` of the button: of a new language."""

    code: Annotated[str, Meta(pattern=r"\A[a-z]{2,8}\Z")]
    name: Annotated[str, Meta(min_length=1, max_length=20, pattern=READABLE)] | None = None
    tag: Annotated[str, Meta(pattern=TAG)] | None = None
    order: Annotated[int, Meta(ge=1, le=99)] = 50
    like: Literal["ja", "easy", "en"] = "ja"
    words: Sentences = {}
    town: Sentences = {}
    play: Sentences = {}
    corner: Sentences = {}
    items: Annotated[dict[Code, ItemText], Meta(max_length=MAX_ITEMS)] = {}


@dataclass(frozen=True, slots=True)
class Spoken:
    """All that the screen speaks: ``languages`` in the order of their buttons; ``items`` a town's names
    by language; ``like`` the language that stands in where a language has no name for an item."""

    languages: tuple[Language, ...]
    items: Mapping[str, Mapping[str, ItemText]] = field(default_factory=dict)
    like: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[FileProblem, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The languages."""
        return tuple(one.code for one in self.languages)


def spoken(folder: Path | None, catalogue: Catalogue | None = None) -> Spoken:
    """The station's own words with what the town's ``folder`` adds; ``catalogue`` to compare items with."""
    own = {one.code: one for one in load()}
    languages, found = dict(own), list[FileProblem]()
    items: dict[str, Mapping[str, ItemText]] = {}
    like: dict[str, str] = {}
    if folder is not None:
        seen: dict[str, Path] = {}
        for file in _files(folder, found):
            told = _read(file, found)
            if told is None or not _may_stand(told, file, own, seen, languages, found):
                continue
            seen[told.code] = file
            items[told.code] = _items(told, file, catalogue, found)
            languages[told.code] = _language(told, file, own, found)
            like[told.code] = told.like
    ordered = sorted(languages.values(), key=lambda one: (one.order, one.code))
    return Spoken(tuple(ordered), items, like, tuple(found))


def _files(folder: Path, found: list[FileProblem]) -> list[Path]:
    try:
        files = sorted(one for one in folder.iterdir() if one.name.endswith(".toml"))
    except OSError as error:
        found.append(
            FileProblem(
                "texts_folder",
                folder,
                "",
                f"the folder of the town's texts cannot be read ({error.strerror}).",
                "Correct paths.texts, or remove it.",
                reason=error.strerror,
            )
        )
        return []
    if len(files) > MAX_FILES:
        found.append(
            FileProblem(
                "texts_many",
                folder,
                "",
                f"there are more than {MAX_FILES} files of texts.",
                "Remove those that are not needed.",
                limit=MAX_FILES,
            )
        )
    return files[:MAX_FILES]


def _read(file: Path, found: list[FileProblem]) -> TownFile | None:
    try:
        tables = read_toml(file)
        if wrong := shape_problems(tables, TownFile, file):
            found += wrong
            return None
        return convert(tables, TownFile, file)
    except FileProblem as problem:
        found.append(problem)
        return None


def _may_stand(
    told: TownFile,
    file: Path,
    own: Mapping[str, Language],
    seen: Mapping[str, Path],
    languages: Mapping[str, Language],
    found: list[FileProblem],
) -> bool:
    """Whether the file as a whole can be taken."""
    if told.code in seen:
        found.append(
            FileProblem(
                "language_twice",
                file,
                "code",
                f"{seen[told.code].name} is of the language {told.code} too.",
                "Put both files together, or remove one.",
                value=told.code,
                other=seen[told.code].name,
            )
        )
    elif told.code in own:
        return True
    elif told.name is None or told.tag is None:
        found.append(
            FileProblem(
                "language_head",
                file,
                "name" if told.name is None else "tag",
                f"a language of its own ({told.code}) needs a name and a tag.",
                'Write both, for example name = "Português" and tag = "pt-BR".',
                value=told.code,
            )
        )
    elif len(languages) >= MAX_LANGUAGES:
        found.append(
            FileProblem(
                "languages_many",
                file,
                "code",
                f"the screen has room for {MAX_LANGUAGES} languages.",
                "Remove one of the files.",
                limit=MAX_LANGUAGES,
            )
        )
    else:
        return True
    return False


def _language(
    told: TownFile, file: Path, own: Mapping[str, Language], found: list[FileProblem]
) -> Language:
    base = own.get(told.code) or own[told.like]
    measure = own[MEASURE]
    tables: dict[str, dict[str, str]] = {}
    for table in TABLES:
        given: dict[str, str] = getattr(told, table)
        wanted: dict[str, str] = getattr(measure, table)
        whole = told.code not in own and table != BORROWED
        wrong = dict(_sentence_problems(file, table, given, wanted, whole=whole))
        found += wrong.values()
        good = {key: text for key, text in given.items() if key not in wrong}
        tables[table] = {**getattr(base, table), **good}
    if told.code in own:
        return msgspec.structs.replace(base, **tables)
    assert told.name is not None and told.tag is not None
    return Language(
        code=told.code, name=told.name, tag=told.tag, order=told.order, like=told.like, **tables
    )


def _sentence_problems(
    file: Path, table: str, given: dict[str, str], wanted: dict[str, str], *, whole: bool
) -> Iterator[tuple[str, FileProblem]]:
    """What is wrong, by sentence."""
    if whole:
        for key in sorted(wanted.keys() - given.keys()):
            yield (
                key,
                FileProblem(
                    "text_missing",
                    file,
                    f"{table}.{key}",
                    "this sentence is missing.",
                    "Translate it; until then another language's stands there.",
                ),
            )
    for key, text in given.items():
        place = f"{table}.{key}"
        if key not in wanted:
            yield (
                key,
                FileProblem(
                    "text_unknown",
                    file,
                    place,
                    "the screen has no such sentence.",
                    "Remove it, or write its name as in the station's own file.",
                ),
            )
        elif len(text) > MAX_SENTENCE or re.fullmatch(READABLE, text) is None:
            yield (
                key,
                FileProblem(
                    "text_unfit",
                    file,
                    place,
                    f"a sentence is one line of 1 to {MAX_SENTENCE} characters.",
                    "Correct it.",
                    limit=MAX_SENTENCE,
                ),
            )
        elif placeholders(text) != placeholders(wanted[key]):
            names = ", ".join(f"{{{one}}}" for one in sorted(placeholders(wanted[key]))) or "none"
            yield (
                key,
                FileProblem(
                    "text_placeholders",
                    file,
                    place,
                    f"what the station fills in must be the same as in Japanese: {names}.",
                    "Write exactly these in braces, each where it belongs.",
                    wanted=names,
                ),
            )


def _items(
    told: TownFile, file: Path, catalogue: Catalogue | None, found: list[FileProblem]
) -> dict[str, ItemText]:
    """Its items, without what is wrong in them."""
    good: dict[str, ItemText] = {}
    for code, item in told.items.items():
        if catalogue is not None and code not in catalogue.items:
            found.append(
                FileProblem(
                    "item_unknown",
                    file,
                    f"items.{code}",
                    f"the catalogue has no item {code}.",
                    "Write an item of the catalogue, or add it there.",
                    value=code,
                )
            )
        wrong = [
            FileProblem(one.code, file, one.place, one.what, one.todo, **one.values)
            for number, line in enumerate(item.short or ())
            for one in short_misfits(line, f"items.{code}.short[{number}]")
        ]
        found += wrong
        good[code] = msgspec.structs.replace(item, short=None) if wrong else item
    return good

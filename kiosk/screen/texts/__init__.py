"""The residents' words, one file a language. A town may change them; code holds none.

``ja.toml`` is the measure: every other language has the same keys with the same placeholders, so a
missing sentence is found at the start and never by a resident.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import msgspec

from kiosk.core.errors import OperatorError

MEASURE = "ja"
TABLES = ("words", "town", "play", "corner")
PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file. ``order`` of the buttons; ``tag`` as in HTML's ``lang``. ``words`` what every visit needs;
    ``town``, ``play`` and ``corner`` what stands behind it; ``like`` the language in which the page says
    what people here have not written in this one."""

    code: str
    name: str
    tag: str
    order: int
    words: dict[str, str]
    town: dict[str, str]
    play: dict[str, str]
    corner: dict[str, str]
    like: str = MEASURE


def load() -> tuple[Language, ...]:
    """All languages in the order of their buttons."""
    folder = resources.files(__name__)
    read = [
        msgspec.convert(tomllib.loads(file.read_text("utf-8")), Language)
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    languages = tuple(sorted(read, key=lambda language: language.order))
    measure = next(language for language in languages if language.code == MEASURE)
    for language in languages:
        check(language, measure)
    return languages


def check(language: Language, measure: Language) -> None:
    """OperatorError naming the first sentence that is missing, unknown or differently filled in."""
    for table in TABLES:
        _check_table(language, table, getattr(language, table), getattr(measure, table))


def _check_table(
    language: Language, table: str, said: dict[str, str], measure: dict[str, str]
) -> None:
    for key in sorted(said.keys() ^ measure.keys()):
        wrong = "lacks" if key in measure else "has an unknown sentence"
        raise _problem(language, f'{wrong} "{table}.{key}"')
    for key, sentence in said.items():
        if not sentence.strip():
            raise _problem(language, f'says nothing for "{table}.{key}"')
        if placeholders(sentence) != placeholders(measure[key]):
            wanted = ", ".join(sorted(placeholders(measure[key]))) or "none"
            raise _problem(language, f'has other placeholders in "{table}.{key}" than {wanted}')


def placeholders(sentence: str) -> frozenset[str]:
    """The names in braces.

    >>> sorted(placeholders("{item} {weight}{estimate}"))
    ['estimate', 'item', 'weight']
    """
    return frozenset(PLACEHOLDER.findall(sentence))


def _problem(language: Language, wrong: str) -> OperatorError:
    return OperatorError(
        "screen_texts",
        f"The screen's texts {language.code}.toml {wrong}.",
        f"Compare it with {MEASURE}.toml.",
    )

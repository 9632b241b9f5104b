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
PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file. ``order`` of the buttons; ``tag`` as in HTML's ``lang``."""

    code: str
    name: str
    tag: str
    order: int
    words: dict[str, str]


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
    for key in sorted(language.words.keys() ^ measure.words.keys()):
        wrong = "lacks" if key in measure.words else "has an unknown sentence"
        raise _problem(language, f'{wrong} "{key}"')
    for key, sentence in language.words.items():
        if not sentence.strip():
            raise _problem(language, f'says nothing for "{key}"')
        if placeholders(sentence) != placeholders(measure.words[key]):
            wanted = ", ".join(sorted(placeholders(measure.words[key]))) or "none"
            raise _problem(language, f'has other placeholders in "{key}" than {wanted}')


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

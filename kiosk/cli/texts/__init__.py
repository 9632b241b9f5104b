"""The words of the command line: one TOML file a language, the same keys in each.

``ja`` is written first; towns may change the files. Placeholders are ``{names}``. Only the section
``error`` may be shorter: an error whose code stands there is said in that language, any other in
the English of the error itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from kiosk.core.errors import KioskError

Language = Literal["ja", "easy", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "easy", "en")


class Words:
    """One language's texts, by dotted keys (``status.title``)."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._texts = _read(language)

    def __call__(self, key: str, **values: object) -> str:
        """The text; KeyError where the catalogue lacks it (our own mistake)."""
        return self._texts[key].format_map(values)

    def get(self, key: str, **values: object) -> str | None:
        """The text, None where the catalogue has none."""
        return self(key, **values) if key in self._texts else None

    def all(self) -> Mapping[str, str]:
        """Every text by its key, with its placeholders."""
        return self._texts

    def spoken(self, name: str, value: object) -> object:
        """A value of an error that is itself a word."""
        if name in ("expected", "got"):
            return self.kinds(value)
        if name == "reason":
            return self.get("reason." + re.sub(r"[^a-z]+", "_", f"{value}".lower())) or value
        return self(f"form.{value}") if name == "form" else value

    def kinds(self, words: object) -> str:
        """A type's name as settings errors carry it (``int >= 1``), in this language."""
        return re.sub(
            r"\b(str|int|float|bool|object|array|date)\b",
            lambda found: self(f"kind.{found[1]}"),
            f"{words}",
        )

    def error(self, error: KioskError) -> tuple[str, str]:
        """What is wrong and what to do, in this language where it has the words.

        An error with a ``case`` may have words of its own for it (``error.CODE_CASE.what``).
        """
        values: Mapping[str, object] = {"what": error.what, **error.values}
        spoken = {name: self.spoken(name, value) for name, value in values.items()}
        key = f"error.{error.code}"
        own = f"{key}_{values.get('case')}"
        try:
            what = self.get(f"{own}.what", **spoken) or self.get(f"{key}.what", **spoken)
            todo = self.get(f"{own}.todo", **spoken) or self.get(f"{key}.todo", **spoken)
        except KeyError:  # came from another program, which says no more than its own words
            return error.what, error.todo
        return what or error.what, todo or error.todo


@cache
def _read(language: Language) -> Mapping[str, str]:
    """Parsed once in a process: a thousand lines of TOML take longer than most answers."""
    text = files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return MappingProxyType(dict(flat(tomllib.loads(text))))


def flat(tables: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested tables as dotted keys."""
    found: list[tuple[str, str]] = []
    for name, value in tables.items():
        if isinstance(value, Mapping):
            found += flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found

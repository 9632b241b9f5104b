"""The words on printed cards, one file a language. A town may change them."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Literal

Language = Literal["ja", "easy", "en"]


def load(language: Language) -> dict[str, str]:
    """The words by their names; every language has the same."""
    text = files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    words: dict[str, str] = tomllib.loads(text)
    return words

"""What a table of ``town.toml`` is made of: sentences in three languages, with a pictogram."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from kiosk.core.catalogue import Misfit
from kiosk.tomlfile import READABLE

MAX_HALVES = 64
"""Half-width letters of a sentence (a Japanese letter counts two)."""
MAX_NAME_HALVES = 24

Sentence = Annotated[str, Meta(min_length=1, max_length=MAX_HALVES, pattern=READABLE)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_HALVES, pattern=READABLE)]
Picture = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class Said(Part, frozen=True, kw_only=True):
    """A sentence or a thing's name; ``easy`` and ``en`` None where only Japanese was written."""

    ja: Sentence
    easy: Sentence | None = None
    en: Sentence | None = None

    @property
    def words(self) -> dict[str, str]:
        """By language."""
        return {"ja": self.ja, "easy": self.easy or self.ja, "en": self.en or self.ja}


class Pictured(Said, frozen=True, kw_only=True):
    """With the name of a pictogram; None for a usual one."""

    picture: Picture | None = None


def wide(place: str, most: int) -> Misfit:
    """A sentence that does not fit its place."""
    return Misfit(
        "town_wide",
        place,
        f"it is wider than {most} half-width letters.",
        "Shorten it; a Japanese letter counts two.",
        {"most": most},
    )

"""What a table of ``town.toml`` is made of: sentences by language, with a pictogram."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
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
    """A sentence or a thing's name; ``easy`` and ``en`` None where only Japanese was written; ``more`` in a
    town's own languages (``tongues``). Where one is not here the page says it as in the one it is like."""

    ja: Sentence
    easy: Sentence | None = None
    en: Sentence | None = None
    more: dict[str, Sentence] = {}

    @property
    def words(self) -> dict[str, str]:
        """By language."""
        own = {"ja": self.ja, "easy": self.easy or self.ja, "en": self.en or self.ja}
        return {**self.more, **own}

    @property
    def written(self) -> dict[str, str]:
        """By language, only what was written."""
        own = {"ja": self.ja, "easy": self.easy, "en": self.en}
        return {**{code: text for code, text in own.items() if text is not None}, **self.more}


class Pictured(Said, frozen=True, kw_only=True):
    """With the name of a pictogram; None for a usual one."""

    picture: Picture | None = None


class Lasting(Said, frozen=True, kw_only=True, rename={"since": "from"}):
    """Of the days ``from`` one ``until`` another, both included; None without an end."""

    since: datetime.date | None = None
    until: datetime.date | None = None

    def is_on(self, day: datetime.date | None) -> bool:
        """On that day; where nobody knows which it is, yes."""
        if day is None:
            return True
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )

    def misfits(self, place: str) -> Iterator[Misfit]:
        """The one that there can be."""
        if self.since is not None and self.until is not None and self.until < self.since:
            yield Misfit(
                "town_days",
                f"{place}.until",
                "it ends before it begins.",
                "Correct one of the two days.",
            )


def wide(place: str, most: int) -> Misfit:
    """A sentence that does not fit its place."""
    return Misfit(
        "town_wide",
        place,
        f"it is wider than {most} half-width letters.",
        "Shorten it; a Japanese letter counts two.",
        {"most": most},
    )

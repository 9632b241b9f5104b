"""Sentences in a town's own languages: ``pt = "…"`` beside ``ja``, ``easy`` and ``en``.

Which languages there are is for the town's files of texts to say (``kiosk.screen.texts.town``), not for the
shape of ``town.toml``: so they are gathered into the table ``more`` before the shape is looked at, and
told under the key that people wrote.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kiosk.core.catalogue import Misfit
from kiosk.noticeboard.parts import Said

OWN = ("ja", "easy", "en")
MORE = "more"
SHORT_CODE = re.compile(r"[a-z]{2,3}")
"""Nothing else but a language is called so briefly in a table of sentences (``id`` apart)."""


def gathered(value: Any, languages: Collection[str]) -> Any:
    """The tables with what is said in other languages under ``more``; ``languages`` the screen speaks."""
    if isinstance(value, list):
        return [gathered(one, languages) for one in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: gathered(one, languages) for key, one in value.items()}
    if "ja" not in value or MORE in value:
        return found
    others = {
        key: found.pop(key)
        for key in value
        if key not in (*OWN, "id") and (key in languages or SHORT_CODE.fullmatch(key))
    }
    return {**found, MORE: others} if others else found


def as_written(place: str) -> str:
    """The place of what was gathered, as people find it.

    >>> as_written("notice[0].more.pt")
    'notice[0].pt'
    """
    return place.replace(f".{MORE}.", ".")


def misfits_of_tongues(place: str, said: Said, languages: Collection[str]) -> Iterator[Misfit]:
    """Languages that the screen does not speak."""
    for code in said.more:
        if code not in languages:
            yield Misfit(
                "town_language",
                f"{place}.{code}",
                f"the screen speaks no language {code}.",
                "Add a file of its texts (docs/languages.md), or take the sentence out.",
                {"value": code},
            )

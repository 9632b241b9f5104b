"""One station's signs and labels: from its settings, its catalogue and what its screen says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Literal

from kiosk.core.catalogue import Catalogue
from kiosk.screen.setup import item_words, overflow
from kiosk.screen.texts.town import Spoken
from kiosk.settings import Bin, Settings
from kiosk.signs import labels, pictograms, sign
from kiosk.signs.paper import A5_OF_A4, Page
from kiosk.signs.sign import Heed, Sign

LANGUAGES = ("ja", "easy", "en")
Paper = Literal["a4", "a5"]


def words() -> dict[str, dict[str, str]]:
    """What stands on paper alone."""
    text = resources.files(__package__).joinpath("words.toml").read_text("utf-8")
    return tomllib.loads(text)


def sign_of(one: Bin, settings: Settings, catalogue: Catalogue, spoken: Spoken) -> Sign:
    """What stands over one bin, in the words of the screen."""
    item, said = catalogue.items[one.item], words()
    screens = {language.code: language.words for language in spoken.languages}
    names = {code: item_words(item, one.item, code, spoken) for code in LANGUAGES}
    return Sign(
        bin=one.id,
        station=settings.station.name,
        picture=pictograms.of_item(one.item),
        name={code: found.name for code, found in names.items()},
        short=names["ja"].short,
        full={
            code: said["full"][code].format(
                overflow=one.overflow or overflow(item, one.item, code, spoken)
            )
            for code in LANGUAGES
        },
        heeds=tuple(
            Heed(
                pictograms.of_hazard(hazard),
                {code: screens[code][f"hazard_{hazard.replace('-', '_')}"] for code in LANGUAGES},
            )
            for hazard in item.hazards
        ),
    )


def pages(
    settings: Settings, catalogue: Catalogue, spoken: Spoken, *, paper: Paper = "a4"
) -> Iterator[Page]:
    """Every sign, then the labels (always on A4, to be cut)."""
    signs = [sign_of(one, settings, catalogue, spoken) for one in settings.bins]
    for one in signs:
        made = sign.page(one)
        yield made if paper == "a4" else made.scaled(A5_OF_A4)
    said = words()
    scales = sum(one.scale is not None for one in settings.bins)
    yield from labels.standing(scales, said["standing"], said["page"]["standing"])
    yield from labels.numbers(signs, said["page"]["numbers"])

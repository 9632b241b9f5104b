"""The shape of ``town.toml``: what people here write for the screen's town pages.

Everything may be left out. Japanese is written first and alone suffices; where ``easy`` or ``en`` is not
given the Japanese stands there too, and where a town's own language is not given the one that it is like.
A sentence fits the strip under the bins, so it is short.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.core.catalogue import Catalogue, Code, Misfit, halves
from kiosk.noticeboard.asked import (
    MAX_THANKS,
    Asking,
    Quiz,
    Thankful,
    misfits_of_asked,
    sentences_of_asked,
)
from kiosk.noticeboard.parts import (
    MAX_HALVES,
    MAX_NAME_HALVES,
    Lasting,
    Name,
    Part,
    Pictured,
    Said,
    wide,
)
from kiosk.noticeboard.tongues import OWN, misfits_of_tongues
from kiosk.tomlfile import READABLE

Time = Annotated[str, Meta(min_length=1, max_length=16, pattern=READABLE)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Notice(Lasting, frozen=True, kw_only=True):
    """A sentence for some days, or until it is taken out."""


class Happening(Said, frozen=True, kw_only=True):
    """What is on, on ``date``; ``time`` as people say it (``9:00``, ``午前中``)."""

    date: datetime.date
    time: Time | None = None


class Helper(Part, frozen=True, kw_only=True):
    """Somebody who helps on some ``weekdays`` and ``dates``; ``name`` as that person wants it to be read
    here."""

    name: Name
    weekdays: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    dates: Annotated[tuple[datetime.date, ...], Meta(max_length=100)] = ()

    def is_here(self, day: datetime.date) -> bool:
        return day in self.dates or WEEKDAYS[day.weekday()] in self.weekdays


class TownFile(
    Part,
    frozen=True,
    kw_only=True,
    rename={
        "notices": "notice",
        "happenings": "event",
        "helpers": "helper",
    },
):
    """The whole file. ``becomes`` by item; ``bought`` the newest first; ``shelf`` things free to take;
    ``question``, ``thanks`` and ``quiz`` what residents may say and play (``asked``)."""

    becomes: Annotated[dict[Code, Pictured], Meta(max_length=100)] = msgspec.field(
        default_factory=dict
    )
    bought: Annotated[tuple[Pictured, ...], Meta(max_length=10)] = ()
    notices: Annotated[tuple[Notice, ...], Meta(max_length=10)] = ()
    happenings: Annotated[tuple[Happening, ...], Meta(max_length=50)] = ()
    helpers: Annotated[tuple[Helper, ...], Meta(max_length=50)] = ()
    shelf: Annotated[tuple[Pictured, ...], Meta(max_length=20)] = ()
    question: Asking | None = None
    thanks: Annotated[tuple[Thankful, ...], Meta(max_length=MAX_THANKS)] = ()
    quiz: Quiz | None = None


def misfits(
    town: TownFile,
    pictures: frozenset[str],
    catalogue: Catalogue | None = None,
    languages: Collection[str] = OWN,
) -> Iterator[Misfit]:
    """What does not fit; ``catalogue`` None where its items are not asked after; ``languages`` that the
    screen speaks."""
    for place, said in _sentences(town):
        yield from misfits_of_tongues(place, said, languages)
        for language, text in said.written.items():
            if halves(text) > MAX_HALVES:
                yield wide(f"{place}.{language}", MAX_HALVES)
        picture = said.picture if isinstance(said, Pictured) else None
        if picture is not None and picture not in pictures:
            yield Misfit(
                "town_picture",
                f"{place}.picture",
                f"there is no pictogram {picture}.",
                f"Write one of: {', '.join(sorted(pictures))}; or leave it out.",
                {"value": picture},
            )
    for number, notice in enumerate(town.notices):
        yield from notice.misfits(f"notice[{number}]")
    yield from misfits_of_asked(town.question, town.thanks, town.quiz)
    for number, helper in enumerate(town.helpers):
        if halves(helper.name) > MAX_NAME_HALVES:
            yield wide(f"helper[{number}].name", MAX_NAME_HALVES)
        if not helper.weekdays and not helper.dates:
            yield Misfit(
                "town_helper",
                f"helper[{number}]",
                "it does not say when this person is here.",
                'Add weekdays = ["mon"], or dates = [2026-12-06].',
            )
    for code in town.becomes if catalogue is not None else ():
        if code not in catalogue.items:  # type: ignore[union-attr]
            yield Misfit(
                "town_item",
                f"becomes.{code}",
                f"the catalogue has no item {code}.",
                "Write an item of the catalogue.",
                {"value": code},
            )


def _sentences(town: TownFile) -> Iterator[tuple[str, Said]]:
    yield from ((f"becomes.{code}", one) for code, one in town.becomes.items())
    lists: tuple[tuple[str, tuple[Said, ...]], ...] = (
        ("bought", town.bought),
        ("notice", town.notices),
        ("event", town.happenings),
        ("shelf", town.shelf),
    )
    for name, several in lists:
        yield from ((f"{name}[{number}]", one) for number, one in enumerate(several))
    yield from sentences_of_asked(town.question, town.thanks, town.quiz)

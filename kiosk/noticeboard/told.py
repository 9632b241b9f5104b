"""The value of the event ``town``: everything that the town's pages show, and nothing of anybody.

Invariants
  1. What is not known is None and never 0: an item that nobody weighs, a month of an unknown clock, an
     item without a CO2 factor.
  2. Amounts taken in are those that may be shown (``kiosk.core.shared``); stored and sold go
     by whole bags and papers. No name is here but those that people wrote into the file themselves.
  3. CO2 stands beside its grade and source, and a total says over how many items it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from kiosk.core.catalogue import Catalogue, Factor, Words
from kiosk.core.days import day_number
from kiosk.core.quiz import ByLanguage, Shown
from kiosk.core.shared import Amount, month_of
from kiosk.core.stock import Bags, ItemStock
from kiosk.noticeboard.parts import Pictured
from kiosk.noticeboard.shape import Happening, TownFile

MAX_HAPPENINGS = 6
MAX_HELPERS = 6
MAX_SHELF = 9
MAX_NOTICES = 3
MAX_BOUGHT = 6
USUAL_PICTURE = "other"
BOUGHT_PICTURE = "gift"
SHELF_PICTURE = "reuse"


class Much(msgspec.Struct, frozen=True):
    """So much: grams, pieces, millilitres; None what nobody knows."""

    g: int | None
    pieces: int | None
    ml: int | None


class Bagged(msgspec.Struct, frozen=True):
    """So many bags; grams of those that were weighed, None where none was."""

    bags: int
    g: int | None


class Paid(msgspec.Struct, frozen=True):
    """What was sold, and for how much."""

    g: int
    yen: int


class Co2(msgspec.Struct, frozen=True):
    """Grams of CO2 saved by what came in, with what is known of the factor; ``cite`` is the source as
    residents read it."""

    g: int
    grade: str
    source: str
    cite: Words | None
    year: int | None


class Co2Sum(msgspec.Struct, frozen=True):
    """Over ``items`` of the ``of`` items that came in and were weighed: those with a factor."""

    g: int
    grades: tuple[str, ...]
    items: int
    of: int


class Becomes(msgspec.Struct, frozen=True):
    """One item."""

    item: str
    becomes: ByLanguage | None
    picture: str
    today: Much | None
    month: Much | None
    ever: Much | None
    stored: Bagged | None
    sold: Paid | None
    co2: Co2 | None


class Coming(msgspec.Struct, frozen=True):
    """What is on. ``when`` ISO; ``days`` from today, None where nobody knows which day it is."""

    words: ByLanguage
    when: str
    time: str | None
    days: int | None


class TownTold(msgspec.Struct, frozen=True):
    """The whole value."""

    items: tuple[Becomes, ...]
    sold: Paid | None
    co2: Co2Sum | None
    bought: tuple[Shown, ...]
    notices: tuple[ByLanguage, ...]
    happenings: tuple[Coming, ...]
    helpers: tuple[str, ...]
    shelf: tuple[Shown, ...]


def told(
    items: Iterable[str],
    *,
    stock: Mapping[str, ItemStock],
    catalogue: Catalogue,
    town: TownFile,
    usual: Mapping[str, Pictured],
    today: date | None,
) -> TownTold:
    """The value for a station with bins for ``items`` (each once); ``today`` None where the clock does
    not know."""
    codes = list(dict.fromkeys(items))
    keeps_pickups = any(one.pickups for one in stock.values())
    found = tuple(
        _becomes(
            code,
            stock.get(code, ItemStock()),
            catalogue.items[code].factor,
            town.becomes.get(code) or usual.get(code),
            today,
            keeps_pickups=keeps_pickups,
        )
        for code in codes
        if code in catalogue.items
    )
    sold = [one.sold for one in found if one.sold is not None]
    return TownTold(
        items=found,
        sold=Paid(sum(one.g for one in sold), sum(one.yen for one in sold)) if sold else None,
        co2=_sum(found),
        bought=_shown(town.bought[:MAX_BOUGHT], BOUGHT_PICTURE),
        notices=tuple(one.words for one in town.notices if one.is_on(today))[:MAX_NOTICES],
        happenings=_coming(town.happenings, today),
        helpers=()
        if today is None
        else tuple(one.name for one in town.helpers if one.is_here(today))[:MAX_HELPERS],
        shelf=_shown(town.shelf[:MAX_SHELF], SHELF_PICTURE),
    )


def _becomes(
    code: str,
    stock: ItemStock,
    factor: Factor,
    said: Pictured | None,
    today: date | None,
    *,
    keeps_pickups: bool,
) -> Becomes:
    ever = stock.ever.of(0)
    days = None if today is None else day_number(today)
    month = None if days is None else stock.month.of(month_of(days))
    day = None if days is None else stock.day.of(days)
    return Becomes(
        item=code,
        becomes=None if said is None else said.words,
        picture=(None if said is None else said.picture) or USUAL_PICTURE,
        today=_much(day),
        month=_much(month),
        ever=_much(ever),
        # Where nobody writes pickups down, whatever was ever changed would seem to lie there still.
        stored=_bagged(stock.stored) if keeps_pickups else None,
        sold=Paid(stock.sold_g, stock.yen) if stock.sales else None,
        co2=_co2(ever, factor),
    )


def _much(amount: Amount | None) -> Much | None:
    if amount is None:
        return None
    g = amount.g if amount.weighings and amount.g > 0 else None
    found = Much(g, amount.pieces or None, amount.ml or None)
    return None if found == Much(None, None, None) else found


def _bagged(bags: Bags) -> Bagged | None:
    if bags.bags <= 0:
        return None
    return Bagged(bags.bags, bags.g if bags.g > 0 else None)


def _co2(ever: Amount, factor: Factor) -> Co2 | None:
    if factor.value is None or not ever.weighings or ever.g <= 0:
        return None
    return Co2(round(ever.g * factor.value), factor.grade, factor.source, factor.cite, factor.year)


def _sum(items: Iterable[Becomes]) -> Co2Sum | None:
    weighed = [one for one in items if one.ever is not None and one.ever.g is not None]
    counted = [one.co2 for one in weighed if one.co2 is not None]
    if not counted:
        return None
    grades = tuple(sorted({one.grade for one in counted}))
    return Co2Sum(sum(one.g for one in counted), grades, len(counted), len(weighed))


def _shown(several: Iterable[Pictured], picture: str) -> tuple[Shown, ...]:
    return tuple(Shown(one.words, one.picture or picture) for one in several)


def _coming(several: Iterable[Happening], today: date | None) -> tuple[Coming, ...]:
    """The next ones. What is past goes only by a clock that knows."""
    there = [one for one in several if today is None or one.date >= today]
    there.sort(key=lambda one: one.date)
    return tuple(
        Coming(
            words=one.words,
            when=one.date.isoformat(),
            time=one.time,
            days=None if today is None else (one.date - today).days,
        )
        for one in there[:MAX_HAPPENINGS]
    )

"""What the station tells of the town, for its pages to be drawn: a usual one, and the longest."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import msgspec
from screen_scenes import CATALOGUE, ITEMS

from kiosk import catalogue
from kiosk.core.shared import Amount, Shared
from kiosk.core.stock import Bags, ItemStock
from kiosk.noticeboard import file as town_file
from kiosk.noticeboard.becoming import usual
from kiosk.noticeboard.shape import MAX_HALVES, Happening, Notice, Pictured, TownFile
from kiosk.noticeboard.told import TownTold, told

EXAMPLE = Path(__file__).parents[2] / "config" / "town.toml"
TODAY = date(2026, 12, 3)
DAY = (TODAY - date(1970, 1, 1)).days
MONTH = 2026 * 12 + 11
LONGEST = "長い文です。" * (MAX_HALVES // 12) + "おわりです"[: MAX_HALVES % 12 // 2]
LONGEST_EASY = "とても ながい ぶんです。" * 2 + "おわり"
LONGEST_EN = ("A sentence as long as it may be here, " * 3)[: MAX_HALVES - 1] + "."


def much(period: int, g: int, pieces: int = 0) -> Shared:
    amount = Amount(g=g, weighings=12 if g else 0, pieces=pieces, counts=12 if pieces else 0)
    return Shared(period, amount, Amount(g=420, weighings=1), ("v-1",))


def stock(g: int, *, pieces: int = 0, kept: bool = True) -> ItemStock:
    return ItemStock(
        taken_in=Amount(g=g, weighings=300, pieces=pieces),
        stored=Bags(7, 1, g // 4) if kept else Bags(),
        picked=Bags(31, 0, g // 2) if kept else Bags(),
        pickups=3 if kept else 0,
        sales=2 if kept and g else 0,
        sold_g=g // 2,
        yen=g // 9,
        ever=much(0, g, pieces),
        month=much(MONTH, g // 30, pieces // 30),
        day=much(DAY, g // 900),
    )


STOCK = {
    "pet-bottle": stock(1_234_560),
    "can-alu": stock(345_200),
    "carton": stock(0, pieces=1_240),
    "clothes": stock(2_345_670, kept=False),
}


def value(count: int = 4, **changes: object) -> TownTold:
    """A usual town's, with everything that its example file has."""
    made = told(
        ITEMS[:count],
        stock=STOCK,
        catalogue=catalogue.load(CATALOGUE),
        town=town_file.load(EXAMPLE),
        usual=usual(),
        today=TODAY,
    )
    return msgspec.structs.replace(made, **changes)


def longest() -> TownTold:
    """Every list full, every sentence as long as it may be."""
    said = {"ja": LONGEST, "easy": LONGEST_EASY, "en": LONGEST_EN}
    pictured = Pictured(**said, picture="pot")
    town = TownFile(
        becomes=dict.fromkeys(ITEMS, pictured),
        bought=(pictured,) * 10,
        notices=(Notice(**said),) * 10,
        happenings=tuple(
            Happening(date=TODAY + timedelta(days=day), time="午前中から夕方", **said)
            for day in range(20)
        ),
        shelf=(pictured,) * 20,
    )
    heavy = stock(98_765_430)
    made = told(
        ITEMS,
        stock=dict.fromkeys(ITEMS, heavy),
        catalogue=catalogue.load(CATALOGUE),
        town=town,
        usual=usual(),
        today=TODAY,
    )
    return msgspec.structs.replace(made, helpers=("十二文字までの名前ですよ",) * 6)


EMPTY = TownTold((), None, None, (), (), (), (), ())


def cards(whole: TownTold) -> dict[str, TownTold]:
    """The same in pieces, each with one card, so that each can be looked at by itself."""
    single = {
        name: msgspec.structs.replace(EMPTY, **{name: getattr(whole, name)})
        for name in ("bought", "happenings", "helpers", "shelf")
    }
    single["notice"] = msgspec.structs.replace(EMPTY, notices=whole.notices[:1])
    for item in whole.items:
        single[item.item] = msgspec.structs.replace(EMPTY, items=(item,))
    return single

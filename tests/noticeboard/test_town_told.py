"""What the screen is told of the town: from a real ledger, by a real clock's word, and of nobody."""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from kiosk import catalogue
from kiosk.core import stock as stock_rules
from kiosk.core.catalogue import Catalogue, halves
from kiosk.core.effects import Item
from kiosk.core.entries import ItemCount
from kiosk.core.shared import GROUP
from kiosk.core.stock import ItemStock
from kiosk.core.yard import Pickup, Sale
from kiosk.ledger import Ledger, stocked
from kiosk.noticeboard import file as town_file
from kiosk.noticeboard.becoming import usual
from kiosk.noticeboard.pictures import SYMBOL, known_pictures
from kiosk.noticeboard.shape import MAX_HALVES, Happening, Helper, Notice, TownFile
from kiosk.noticeboard.teller import TownTeller
from kiosk.noticeboard.told import Becomes, TownTold, told
from kiosk.noticeboard.tongues import OWN

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from ledger_site import DAY_MS, Site, bag_swap, weighing

ROOT = Path(__file__).parents[2]
CATALOGUE = catalogue.load(ROOT / "config/catalogue.toml")
ITEMS = ("pet-bottle", "carton")
THURSDAY = date(2026, 12, 3)


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder:
        site = Site(Path(folder) / "data")
        site.clock.utc_ms = (THURSDAY - date(1970, 1, 1)).days * DAY_MS
        yield site


@pytest.fixture
def ledger(site: Site) -> Iterator[Ledger]:
    with closing(site.open()) as opened:
        yield opened


class Watcher:
    """A teller that is asked by hand, and what it told."""

    def __init__(self, site: Site, ledger: Ledger) -> None:
        self.values: list[TownTold] = []
        self.catalogue: Catalogue = CATALOGUE
        self._site = site
        self._teller = TownTeller(
            site.folder / "town.toml",
            ITEMS,
            ledger,
            catalogue=lambda: self.catalogue,
            today=self._today,
            tell=self._tell,
            languages=OWN,
        )

    def _today(self) -> int | None:
        return self._site.clock.utc_ms // DAY_MS if self._site.clock.clock == "synced" else None

    def _tell(self, name: str, value: object) -> None:
        assert name == "town" and isinstance(value, TownTold)
        self.values.append(value)

    def bottles(self) -> Becomes:
        """What is told of bottles now."""
        self._teller.look()
        return self.values[-1].items[0]

    @property
    def looked(self) -> bool:
        """Whether another look tells something."""
        return self._teller.look() is not None


Drop = Callable[[str, int], None]


@pytest.fixture
def drop(ledger: Ledger) -> Drop:
    """A visit's drop into the bin of bottles."""
    gross_g = 0

    def dropped(visit: str, net_g: int) -> None:
        nonlocal gross_g
        ledger.append([weighing(gross_g, gross_g + net_g, visit=visit)])
        gross_g += net_g

    return dropped


def g(one: Becomes) -> tuple[int | None, ...]:
    """Grams of today, this month and until now."""
    return tuple(None if much is None else much.g for much in (one.today, one.month, one.ever))


def test_nobodys_kilograms_are_shown_and_not_by_subtracting_either(
    site: Site, ledger: Ledger, drop: Drop
) -> None:
    watcher = Watcher(site, ledger)
    for number in range(GROUP - 1):
        drop(f"v-{number}", 1_000)
        drop(f"v-{number}", 500)
        assert g(watcher.bottles()) == (None, None, None)
    drop("v-late", 300)
    assert g(watcher.bottles()) == (6_300, 6_300, 6_300)
    for number in range(GROUP - 1):
        drop(f"w-{number}", 2_000)
        assert g(watcher.bottles()) == (6_300, 6_300, 6_300)
    site.clock.utc_ms += DAY_MS
    drop("x-1", 40)
    today, month, ever = g(watcher.bottles())
    assert today is None, "yesterday's four are never shown with today's one"
    assert (month, ever) == (14_340, 14_340)


def test_what_came_in_while_nobody_knew_the_day_is_of_no_day(
    site: Site, ledger: Ledger, drop: Drop
) -> None:
    watcher = Watcher(site, ledger)
    site.clock.clock = "unsynced"
    for number in range(GROUP):
        drop(f"v-{number}", 1_000)
    assert g(watcher.bottles()) == (None, None, 5_000)
    site.clock.clock = "synced"
    assert g(watcher.bottles()) == (None, None, 5_000)
    for number in range(GROUP):
        drop(f"w-{number}", 100)
    assert g(watcher.bottles()) == (500, 500, 5_500)
    site.clock.utc_ms += 31 * DAY_MS
    assert g(watcher.bottles()) == (None, None, 5_500), "another month"


def test_what_cannot_be_known_is_none_and_never_nothing(site: Site, ledger: Ledger) -> None:
    watcher = Watcher(site, ledger)
    ledger.append(
        [Item(ItemCount("carton", "b2", f"v-{number}", count=2)) for number in range(GROUP)]
    )
    watcher.bottles()
    bottles, cartons = watcher.values[-1].items
    assert (bottles.ever, bottles.co2, bottles.stored, bottles.sold) == (None, None, None, None)
    assert cartons.ever is not None
    assert (cartons.ever.g, cartons.ever.pieces, cartons.co2) == (None, 10, None)
    assert (watcher.values[-1].co2, watcher.values[-1].sold) == (None, None)
    said = msgspec.json.encode(watcher.values[-1]).decode()
    assert ":0" not in said


def test_bags_are_stored_where_pickups_are_written_down(
    site: Site, ledger: Ledger, drop: Drop
) -> None:
    watcher = Watcher(site, ledger)
    for number in range(GROUP):
        drop(f"v-{number}", 2_000)
    ledger.append([bag_swap(10_000, 0)])
    assert watcher.bottles().stored is None, "else it would seem to lie there for ever"
    ledger.append([Item(Pickup("carton", 1, None, None))])
    stored = watcher.bottles().stored
    assert stored is not None and (stored.bags, stored.g) == (1, 10_000)
    ledger.append(
        [
            Item(Pickup("pet-bottle", 1, 9_900, "組合")),
            Item(Sale("pet-bottle", 9_900, 297, None, None)),
        ]
    )
    bottles = watcher.bottles()
    assert bottles.stored is None
    assert bottles.sold is not None and (bottles.sold.g, bottles.sold.yen) == (9_900, 297)
    factor = CATALOGUE.items["pet-bottle"].factor
    assert bottles.co2 is not None and factor.value is not None
    assert (bottles.co2.g, bottles.co2.grade) == (round(10_000 * factor.value), "B")
    assert (bottles.co2.source, bottles.co2.cite) == (factor.source, factor.cite)
    total = watcher.values[-1].co2
    assert total is not None and (total.items, total.of, total.g) == (1, 1, bottles.co2.g)


def test_it_is_told_when_something_changed_and_only_then(
    site: Site, ledger: Ledger, drop: Drop
) -> None:
    watcher = Watcher(site, ledger)
    assert watcher.looked and not watcher.looked
    drop("v-1", 100)
    assert watcher.looked and not watcher.looked
    (site.folder / "town.toml").write_text('[[notice]]\nja = "お休みです"\n', "utf-8")
    assert watcher.looked and not watcher.looked
    assert watcher.values[-1].notices == (
        {"ja": "お休みです", "easy": "お休みです", "en": "お休みです"},
    )
    site.clock.utc_ms += DAY_MS
    assert watcher.looked and not watcher.looked
    watcher.catalogue = msgspec.structs.replace(CATALOGUE, version=2)
    assert watcher.looked


def test_what_is_past_goes_by_a_clock_that_knows_and_by_no_other() -> None:
    words = {"ja": "花だん"}
    town = TownFile(
        happenings=(
            Happening(date=THURSDAY + timedelta(1), **words),
            Happening(date=THURSDAY - timedelta(1), **words),
            Happening(date=THURSDAY, **words),
        ),
        notices=(
            Notice(ja="むかし", until=THURSDAY - timedelta(1)),
            Notice(ja="いま", since=THURSDAY, until=THURSDAY),
            Notice(ja="これから", since=THURSDAY + timedelta(1)),
        ),
        helpers=(Helper(name="花", weekdays=("thu",)), Helper(name="鳥", weekdays=("fri",))),
    )

    def at(today: date | None) -> TownTold:
        return told(ITEMS, stock={}, catalogue=CATALOGUE, town=town, usual=usual(), today=today)

    known, unknown = at(THURSDAY), at(None)
    assert [one.days for one in known.happenings] == [0, 1]
    assert [one["ja"] for one in known.notices] == ["いま"]
    assert known.helpers == ("花",)
    assert [one.days for one in unknown.happenings] == [None, None, None]
    assert len(unknown.notices) == 3
    assert unknown.helpers == ()


def test_the_usual_thirty_all_become_something_short_with_a_picture() -> None:
    assert set(usual()) == set(CATALOGUE.items)
    for code, one in usual().items():
        assert one.picture in known_pictures(), code
        assert all(halves(words) <= MAX_HALVES for words in one.words.values()), code
        assert one.easy and one.en, code


def test_the_page_for_writers_names_the_pictures_that_are_the_towns_own() -> None:
    drawn = set(SYMBOL.findall((ROOT / "kiosk/screen/assets/town.svg").read_text("utf-8")))
    page = (ROOT / "docs/town-screen.md").read_text("utf-8")
    assert {name for name in drawn if f"`{name}`" not in page} == {"becomes"}, "the arrow"


@pytest.mark.parametrize("seed", range(20))
def test_a_total_is_only_of_what_has_a_factor_and_says_so(seed: int) -> None:
    draw = random.Random(seed)
    codes = draw.sample(sorted(CATALOGUE.items), draw.randint(1, 12))
    stock = {}
    for code in codes:
        drops = draw.choice([0, GROUP, 3 * GROUP])
        one = ItemStock()
        for number in range(drops):
            amount = stock_rules.amount_of({"kind": "weighing", "net_g": draw.randint(-200, 9_000)})
            assert amount is not None
            one = stock_rules.dropped(one, amount, f"v-{number}", None, None)
        stock[code] = one
    value = told(
        codes, stock=stock, catalogue=CATALOGUE, town=TownFile(), usual=usual(), today=None
    )
    weighed = [one for one in value.items if one.ever is not None]
    graded = [one for one in weighed if CATALOGUE.items[one.item].factor.value is not None]
    assert [one.item for one in value.items if one.co2 is not None] == [one.item for one in graded]
    if not graded:
        assert value.co2 is None
        return
    assert value.co2 is not None
    assert (value.co2.items, value.co2.of) == (len(graded), len(weighed))
    assert value.co2.g == sum(one.co2.g for one in graded if one.co2 is not None)
    assert "D" not in value.co2.grades


def test_no_individual_can_be_in_what_is_told(site: Site, ledger: Ledger, drop: Drop) -> None:
    town = town_file.load(ROOT / "config/town.toml")
    for number in range(3 * GROUP):
        drop(f"visit-{number}", 100 + number)
    ledger.append(
        [Item(Pickup("carton", 1, None, "取った人")), Item(Sale("carton", 1, 1, "買った人", None))]
    )
    with ledger.lend_reader() as db:
        stock = stocked.read(db)
    value = told(ITEMS, stock=stock, catalogue=CATALOGUE, town=town, usual=usual(), today=THURSDAY)
    said = msgspec.json.encode(value).decode()
    assert not any(word in said for word in ("visit", "取った人", "買った人", "b1"))
    assert len(said) < 4_000 and json.loads(said)

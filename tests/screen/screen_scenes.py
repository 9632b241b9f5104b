"""Stations and moments to draw: four bins where residents take turns, seven, thirteen, and fourteen with
the longest names and a town's own languages."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kiosk import catalogue
from kiosk.core.config import Crowd
from kiosk.core.touches import LEAVING
from kiosk.core.view import BinState, BinView, View
from kiosk.screen.setup import BinSetup, Setup, item_words, overflow
from kiosk.screen.texts import town
from kiosk.screen.texts.town import Spoken

TOWN_TEXTS = Path(__file__).parent / "texts"
CATALOGUE = Path(__file__).parents[2] / "config" / "catalogue.toml"
ITEMS = (
    "pet-bottle",
    "can-alu",
    "carton",
    "clothes",
    "used-bottle",
    "plastic-product",
    "glass-other",
    "newspaper",
    "egg-pack",
    "battery-dry",
    "cooking-oil",
    "small-appliance",
    "tray-white",
)
LONGEST_NAMES = (
    "used-bottle",
    "plastic-pack",
    "battery-li",
    "pet-cap",
    "mixed-paper",
    "battery-dry",
    "fluorescent",
    "diaper",
    "reuse",
    "cooking-oil",
    "glass-clear",
    "plastic-product",
    "small-appliance",
    "cardboard",
)
"""The widest of the catalogue, in any of its languages."""
LONG = len(LONGEST_NAMES)


def items(count: int) -> tuple[str, ...]:
    """What the station with so many bins collects."""
    return LONGEST_NAMES if count == LONG else ITEMS[:count]


def spoken(count: int) -> Spoken:
    """What its screen speaks: those with the longest names have two languages of a town's own."""
    return town.spoken(TOWN_TEXTS if count == LONG else None)


def languages(count: int) -> list[str]:
    """Their codes."""
    return [one.code for one in spoken(count).languages]


def setup(count: int) -> Setup:
    """A station with ``count`` bins for items of the usual catalogue."""
    crowd: Crowd = "one_by_one" if count == 4 else "together"
    known, told = catalogue.load(CATALOGUE).items, spoken(count)
    codes = languages(count)
    return Setup(
        station="中央公民館 資源ステーション",
        language="ja",
        contact="公民館 事務室 000-000-0000",
        bins={
            f"b{number}": BinSetup(
                item,
                {language: overflow(known[item], item, language, told) for language in codes},
                known[item].hazards,
            )
            for number, item in enumerate(items(count), 1)
        },
        items={
            item: {language: item_words(known[item], item, language, told) for language in codes}
            for item in items(count)
        },
        crowd=crowd,
    )


def bins(count: int, unweighed: str = "", **states: BinState) -> tuple[BinView, ...]:
    """All ready, but ``states``; each fuller than the one before, but the one that is ``unweighed``."""
    counted = {unweighed, *(name for name, state in states.items() if state == "no_scale")}
    return tuple(
        BinView(
            bin=f"b{number}",
            item=item,
            state=states.get(f"b{number}", "ready"),
            live_g=None,
            fill_pct=None if f"b{number}" in counted else (number * 23) % 100,
            certified=False,
            counted=f"b{number}" in counted,
        )
        for number, item in enumerate(items(count), 1)
    )


WAITING = View(
    phase="waiting",
    since_ms=0,
    bin=None,
    net_g=None,
    live_g=None,
    visit_g=0,
    points=None,
    points_limited=False,
    estimate=True,
    checkins=0,
    refusals=0,
    records=0,
    visits_open=0,
    can_claim=False,
    claiming=False,
    can_begin=False,
    awaiting=None,
    cards_readable=True,
    online=True,
    storage_trouble=False,
    bins=bins(4, b4="no_scale"),
)


def view(**changes: object) -> View:
    """The waiting station but for ``changes``."""
    made = msgspec.structs.replace(WAITING, **changes)
    told_to_them = made.shown == made.turn and made.visits_open == 1
    return msgspec.structs.replace(made, can_leave=made.phase in LEAVING and told_to_them)


TROUBLED = bins(4, b1="trouble", b2="full", b3="away", b4="no_scale")
LOCKED = tuple(msgspec.structs.replace(one, locked=one.bin == "b2") for one in bins(4))
REASON = {
    "ja": "施設点検のため",
    "easy": "たてものを しらべて います",
    "en": "The hall is being inspected",
}
MESSAGE = {
    "ja": "12月29日から1月3日まで、お休みします",
    "easy": "12月29日から 1月3日まで、お休みです",
    "en": "No collection from 29 December to 3 January",
}
LONGEST = {
    "ja": "年末年始の回収についてのお知らせです。" * 3 + "以上",
    "en": "A long word from the city. " * 4 + "That is all.",
}
BUSY = bins(13, b2="full", b5="trouble", b7="away", b9="starting", b11="no_scale")

SCENES: dict[str, tuple[int, View]] = {
    "waiting": (4, WAITING),
    "waiting-trouble": (4, view(bins=TROUBLED, online=False)),
    "waiting-unweighed-full": (4, view(bins=bins(4, "b4", b4="full"))),
    "waiting-no-reader": (4, view(cards_readable=False)),
    "waiting-no-reader-trouble": (4, view(cards_readable=False, bins=TROUBLED)),
    "greeting": (4, view(phase="greeting", visits_open=1)),
    "weighing": (4, view(phase="weighing", bin="b1", live_g=420, visits_open=1)),
    "weighing-heavy": (4, view(phase="weighing", bin="b2", live_g=24680, visits_open=1)),
    "weighing-unknown": (4, view(phase="weighing", bin="b2", visits_open=1)),
    "recorded": (4, view(phase="recorded", bin="b1", net_g=420, visit_g=420, visits_open=1)),
    "recorded-claim": (4, view(phase="recorded", bin="b2", net_g=1240, can_claim=True)),
    "claiming": (4, view(phase="recorded", bin="b2", net_g=1240, claiming=True)),
    "recorded-count": (4, view(phase="recorded", bin="b4", visits_open=1)),
    "recorded-full": (
        4,
        view(phase="recorded", bin="b2", net_g=420, visits_open=1, bins=TROUBLED),
    ),
    "small": (4, view(phase="small", bin="b1", visits_open=1)),
    "taken_out": (4, view(phase="taken_out", bin="b1", net_g=-240, visits_open=1)),
    "thanks": (4, view(phase="thanks", visit_g=2340, points=1)),
    "thanks-limited": (
        4,
        view(phase="thanks", visit_g=2340, points=5, points_limited=True),
    ),
    "thanks-certified": (4, view(phase="thanks", visit_g=12340, estimate=False)),
    "thanks-plain": (4, view(phase="thanks", points=3)),
    "no_card": (4, view(phase="no_card", visit_g=640)),
    "refused": (4, view(phase="refused")),
    "waiting-begin": (4, view(can_begin=True)),
    "waiting-begin-trouble": (4, view(can_begin=True, bins=TROUBLED, online=False)),
    "begin": (4, view(awaiting="begin")),
    "waiting-ask": (4, view(can_ask=True)),
    "waiting-begin-ask": (4, view(can_begin=True, can_ask=True)),
    "balance-show": (4, view(awaiting="balance")),
    "balance-asked": (4, view(phase="balance_asked")),
    "balance": (4, view(phase="balance", balance=12340)),
    "balance-unknown": (4, view(phase="balance_unknown", can_ask=True)),
    "spare": (4, view(phase="spare", can_begin=True)),
    "spare-ask": (4, view(phase="spare")),
    "welcome": (4, view(phase="welcome", visits_open=1)),
    "slip": (4, view(awaiting="slip")),
    "replace": (4, view(awaiting="replace", bins=TROUBLED)),
    "close": (4, view(awaiting="close")),
    "appoint": (4, view(awaiting="appoint")),
    "stopped": (4, view(phase="stopped")),
    "closed": (4, view(phase="closed", closed={})),
    "closed-reason": (4, view(phase="closed", closed=REASON, message=MESSAGE)),
    "greeting-closed": (4, view(phase="greeting", visits_open=1, closed=REASON)),
    "message": (4, view(message=MESSAGE)),
    "message-longest": (4, view(message=LONGEST)),
    "waiting-locked": (4, view(bins=LOCKED)),
    "recorded-locked": (4, view(phase="recorded", bin="b2", net_g=420, bins=LOCKED)),
    "here": (4, view(here=True)),
    "storage": (4, view(phase="greeting", visits_open=1, storage_trouble=True)),
    "weighing-heed": (7, view(phase="weighing", bin="b6", live_g=420, bins=bins(7), visits_open=1)),
    "weighing-heed-two": (LONG, view(phase="weighing", bin="b8", live_g=24680, bins=bins(LONG))),
    "weighing-heed-long": (LONG, view(phase="weighing", bin="b3", live_g=160, bins=bins(LONG))),
    "recorded-heed": (7, view(phase="recorded", bin="b6", net_g=420, bins=bins(7), visits_open=1)),
    "weighing-away": (4, view(phase="weighing", bin="b3", bins=TROUBLED, visits_open=1)),
    "greeting-turn": (4, view(phase="greeting", turn=3, greetings=(3,), visits_open=1)),
    "greeting-turn-trouble": (4, view(phase="greeting", turn=3, bins=TROUBLED, visits_open=1)),
    "weighing-turn": (4, view(phase="weighing", bin="b1", live_g=420, turn=3, visits_open=1)),
    "weighing-turn-other": (
        4,
        view(phase="weighing", bin="b1", live_g=420, turn=4, greetings=(1, 4), visits_open=2),
    ),
    "recorded-turn": (
        4,
        view(phase="recorded", bin="b1", net_g=420, turn=4, shown=3, greetings=(4,), visits_open=2),
    ),
    "thanks-turn": (4, view(phase="thanks", visit_g=2340, points=3, turn=4, shown=3)),
    "recorded-together": (
        13,
        view(phase="recorded", bin="b3", net_g=420, greetings=(4, 5), visits_open=3, bins=bins(13)),
    ),
    "resumed": (4, view(resumed=True)),
    "waiting-warm": (4, view(warm="dim", bins=TROUBLED)),
    "weighing-warm": (7, view(phase="weighing", bin="b6", live_g=420, bins=bins(7), warm="dim")),
    "recorded-warm": (4, view(phase="recorded", bin="b1", net_g=420, warm="dim", visits_open=1)),
    "refused-warm": (4, view(phase="refused", warm="dim")),
    "seven": (7, view(bins=bins(7))),
    "seven-begin-trouble": (7, view(bins=bins(7, b2="full", b7="question"), can_begin=True)),
    "longest": (LONG, view(bins=bins(LONG))),
    "longest-trouble": (LONG, view(bins=bins(LONG, b2="full", b4="trouble", b6="away"))),
    "longest-offline": (LONG, view(bins=bins(LONG), online=False)),
    "longest-weighing": (LONG, view(phase="weighing", bin="b1", live_g=860, bins=bins(LONG))),
    "many-resumed": (13, view(resumed=True, bins=BUSY)),
    "many-message": (13, view(message=LONGEST, bins=BUSY)),
    "closed-longest": (13, view(phase="closed", closed=LONGEST, message=LONGEST)),
    "many": (13, view(bins=bins(13))),
    "many-no-reader": (13, view(cards_readable=False, bins=BUSY)),
    "many-begin-ask": (13, view(can_begin=True, can_ask=True, bins=BUSY)),
    "many-begin": (13, view(can_begin=True, bins=BUSY)),
    "many-trouble": (13, view(bins=BUSY)),
    "many-weighing": (13, view(phase="weighing", bin="b12", live_g=860, bins=BUSY)),
}
"""By name: how many bins, and what the station says."""
STATIONS = (4, 7, 13, LONG)
"""How many bins they have."""

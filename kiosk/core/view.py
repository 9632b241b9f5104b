"""What the residents' screen has to draw: one frozen value, made by the rules after each event.

It holds no words; the page takes them from the text catalogues by ``phase``, ``trouble`` and item.
Only committed things appear as done.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Phase = Literal[
    "waiting",
    "greeting",  # a card was taken
    "weighing",  # a bin is in motion
    "recorded",  # committed: net_g at bin
    "small",  # below min_increment_g: thanked, carried
    "taken_out",  # committed negative change
    "thanks",  # the visit's end: visit_g, points
    "no_card",  # the end of a visit without a card
    "refused",  # a card that is not taken
    "spare",  # a pre-printed card that nobody has begun: a touch has to come first
    "welcome",  # a card became somebody's
    "stopped",  # a card was closed
    "balance_asked",  # the city is asked for a card's points
    "balance",  # its answer: balance
    "balance_unknown",  # no line, or no answer in time
    "closed",
]
Awaiting = Literal["begin", "balance", "slip", "replace", "close", "appoint"]
"""What the next card or slip means (``kiosk.core.state.Awaited``)."""
CornerView = Literal["closed", "card", "open", "aside"]
"""The caretaker's corner: ``card`` it waits for a caretaker's card or number, ``aside`` it is open and
somebody is being served (``kiosk.core.corner``)."""
ScaleKind = Literal["none", "counts", "indicator"]
BinState = Literal[
    "ready",
    "weighing",
    "away",
    "overload",
    "no_scale",
    "starting",
    "trouble",
    "full",
    "question",
]

Full = Literal["said", "sensor", "limit"]
"""What says that a bin is full: somebody's touch, its fill sensor, or the weight of its bag."""
Warm = Literal["still", "dim"]
"""How hot the station is: ``still`` nothing on the screen may move, ``dim`` and it is to be dark."""


class BinView(msgspec.Struct, frozen=True):
    """One bin: ``live_g`` rounded to the division, None when not known; ``fill_pct`` of the bag;
    ``counted`` where no scale weighs, so that pieces may be counted by touch (also while full); ``locked``
    where people are sent to its overflow place; ``full`` why it is full, also where ``state`` has something
    more pressing to say, None while it is not. For the caretaker: ``scale`` its kind, ``broken`` while it
    is used without it, ``bags`` changed since the start and ``bag_g`` what the last one held."""

    bin: str
    item: str
    state: BinState
    live_g: int | None
    fill_pct: int | None
    certified: bool
    counted: bool
    locked: bool = False
    full: Full | None = None
    scale: ScaleKind = "none"
    broken: bool = False
    bags: int = 0
    bag_g: int | None = None


class ClassView(msgspec.Struct, frozen=True):
    """A class: ``grams`` of each team, ``team`` whose turn it is (from 0), ``counting`` false while a
    resident is here, whose drops are no team's."""

    team: int
    grams: tuple[int, ...]
    counting: bool


class View(msgspec.Struct, frozen=True):
    """The screen's whole state.

    ``since_ms`` boottime at which the phase began; ``bin`` the active one; ``net_g`` the change
    shown; ``visit_g`` and ``points`` of the visit so far, ``points_limited`` where the card's day had room
    for no more; ``visits_open`` how many; ``checkins``
    counts greetings since the start (a reader's second sight does not raise it), so that a page
    can greet the same phase twice; ``can_claim`` while 「これは私です」 may be touched;
    ``claiming`` while the next card claims; ``can_begin`` while 「はじめての方」 may be touched;
    ``awaiting`` what else the next card means; ``cards_readable`` false while every reader is lost.
    ``closed`` why the station is, by language (empty where nobody said), None while it is open;
    ``message`` the city's, by language; ``here`` while it shows which station it is. ``can_ask`` while
    「ポイントを見る」 may be touched; ``can_leave`` while 「終わる」 may;
    ``balance`` the points that the city has told of.

    Several residents. With ``crowd = "one_by_one"`` ``turn`` is the mark (1 to 9, rising, then 1 again)
    of the visit whose turn it is, and ``shown`` the mark of the visit that ``net_g``, ``visit_g`` and
    ``points`` are of: another one's while the earlier resident's last change is still being told. Both
    are None without a card, and always with ``together``, where nobody has a turn and no sum is shown
    while several are there. ``greetings`` are the marks of the cards seen in the last seconds, oldest
    first: the page greets each of them once, also while a bin is being weighed.

    ``resumed`` for a while after a restart in the middle of visits: whoever is there shows the card again.
    ``quiet`` in the quiet hours: no tone. ``warm`` while the station is too hot, None else.
    ``corner`` the caretaker's. ``classroom`` while a class is here.
    """

    phase: Phase
    since_ms: int
    bin: str | None
    net_g: int | None
    live_g: int | None
    visit_g: int
    points: int | None
    points_limited: bool
    estimate: bool
    checkins: int
    refusals: int
    records: int
    visits_open: int
    can_claim: bool
    claiming: bool
    can_begin: bool
    awaiting: Awaiting | None
    cards_readable: bool
    online: bool
    storage_trouble: bool
    bins: tuple[BinView, ...]
    closed: dict[str, str] | None = None
    message: dict[str, str] | None = None
    here: bool = False
    can_ask: bool = False
    can_leave: bool = False
    balance: int | None = None
    turn: int | None = None
    shown: int | None = None
    greetings: tuple[int, ...] = ()
    resumed: bool = False
    quiet: bool = False
    warm: Warm | None = None
    corner: CornerView = "closed"
    classroom: ClassView | None = None

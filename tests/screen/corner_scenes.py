"""The caretaker's pages to draw: what the station answers, and the touches that lead to each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
from screen_scenes import BUSY, LONG, MESSAGE, REASON, bins, view

from kiosk.core.errors import OperatorError
from kiosk.core.view import BinView, ClassView, View
from kiosk.corner import doctor
from kiosk.corner.shapes import Act
from kiosk.doctor import Finding
from kiosk.screen import Taker


def scaled(some: tuple[BinView, ...], **changes: object) -> tuple[BinView, ...]:
    """The same bins with scales; ``changes`` of b2."""
    return tuple(
        msgspec.structs.replace(
            one,
            scale="none" if one.bin == "b4" else "counts",
            **(changes if one.bin == "b2" else {}),
        )
        for one in some
    )


USUAL = scaled(bins(4, b4="no_scale"))
OPEN = view(corner="open", bins=USUAL)
LOST = Finding(
    code="scale",
    level="ERR",
    case="lost",
    subject="b2",
    cause="indicator_silent",
    values={"age_ms": 7_200_000},
)
OLD = Finding(code="ack", level="WARN", case="old", values={"hours": 30})
SORRY = {
    "ja": "同じものが 123.4 g も違って出ました。",
    "easy": "おなじ ものが 123.4 g も ちがいます。",
    "en": "The same load showed 123.4 g differently.",
}
AGAIN = {
    "ja": "もう一度、静かに載せてください。",
    "easy": "もう 一ど しずかに おいて ください。",
    "en": "Please put it on once more, gently.",
}
ADJUST: dict[str, Any] = {"kind": "adjust", "bin": "b1", "kg": "2.031", "placement": 1}
CARD: dict[str, Any] = {"kind": "card", "work": "replace"}


@dataclass(frozen=True)
class Scene:
    """``touches`` the places to touch in turn (of tiles ``.tiles``, of touches ``.corner-foot``, …), each
    how-many-eth; ``then`` what the station says after them."""

    touches: tuple[tuple[str, int], ...] = ()
    shown: View = OPEN
    job: dict[str, Any] | None = None
    found: tuple[Finding, ...] = ()
    then: View | None = None
    count: int = 4
    refuses: str = ""


def tile(number: int) -> tuple[str, int]:
    return (".tiles .choice", number)


def row(number: int) -> tuple[str, int]:
    return (".rows .choice", number)


def foot(number: int) -> tuple[str, int]:
    return (".corner-foot .action", number)


BAG, DOCTOR, CLEAN, SCALE, BROKEN, CARDS, NOTICE, CLOSE, HELP = map(tile, range(9))
MANY = view(corner="open", bins=scaled(BUSY))
CHANGED = view(corner="open", bins=scaled(bins(4), bags=1, bag_g=12_340))
GATE = view(corner="card", bins=USUAL)

SCENES: dict[str, Scene] = {
    "corner-gate": Scene(shown=GATE),
    "corner-gate-refused": Scene(shown=GATE, then=view(corner="card", bins=USUAL, refusals=1)),
    "corner-gate-no-reader": Scene(shown=view(corner="card", bins=USUAL, cards_readable=False)),
    "corner-number": Scene((foot(1),), GATE),
    "corner-number-wrong": Scene(
        (foot(1), *[(".key", 4)] * 6, (".key", 11)), GATE, refuses="number_paused"
    ),
    "corner-home": Scene(),
    "corner-doctor-good": Scene((DOCTOR,)),
    "corner-doctor-wrong": Scene((DOCTOR,), found=(OLD, LOST)),
    "corner-doctor-heed": Scene((DOCTOR,), found=(OLD,)),
    "corner-bins": Scene((BAG,)),
    "corner-bins-few": Scene((SCALE,), view(corner="open", bins=scaled(bins(4), broken=True))),
    "corner-bins-many": Scene((BAG,), MANY, count=13),
    "corner-bins-second": Scene((BAG, foot(1)), MANY, count=13),
    "corner-bag": Scene((BAG, tile(1))),
    "corner-bag-seeing": Scene((BAG, tile(1), foot(1))),
    "corner-bag-weight": Scene((BAG, tile(1), foot(1)), then=CHANGED),
    "corner-bag-question": Scene(
        (BAG, tile(1)), view(corner="open", bins=scaled(bins(4, b2="question")))
    ),
    "corner-clean": Scene((CLEAN, tile(1))),
    "corner-cleaning": Scene(
        (CLEAN, tile(1)), view(corner="open", bins=scaled(bins(4), locked=True))
    ),
    "corner-bins-cleaning": Scene((CLEAN,), view(corner="open", bins=scaled(bins(4), locked=True))),
    "corner-class": Scene((foot(1),)),
    "corner-class-here": Scene(
        (foot(1),), view(corner="open", bins=USUAL, classroom=ClassView(0, (0, 0), True))
    ),
    "corner-done": Scene((CLEAN, tile(1), foot(1))),
    "corner-broken": Scene((BROKEN, tile(1))),
    "corner-mended": Scene(
        (BROKEN, tile(1)), view(corner="open", bins=scaled(bins(4), broken=True))
    ),
    "corner-bottle": Scene((SCALE, tile(0))),
    "corner-grams": Scene((SCALE, tile(0), foot(1), (".key", 1))),
    "corner-empty": Scene((SCALE, tile(0), foot(1), *[(".key", 1)] * 4, (".key", 11))),
    "corner-adjust-empty": Scene(job={**ADJUST, "step": "empty"}),
    "corner-adjust-load": Scene(job={**ADJUST, "step": "load", "live": "24.68", "still": False}),
    "corner-adjust-refused": Scene(
        job={
            **ADJUST,
            "step": "load",
            "live": "2.03",
            "still": True,
            "refused": {"what": SORRY, "todo": AGAIN},
        }
    ),
    "corner-adjust-agree": Scene(
        job={**ADJUST, "step": "agree", "change": "+3.0", "full": "130", "asks": False}
    ),
    "corner-adjust-asks": Scene(
        job={**ADJUST, "step": "agree", "change": "-18.3", "full": "130", "asks": True}
    ),
    "corner-adjust-kept": Scene(job={**ADJUST, "step": "kept"}),
    "corner-adjust-ended": Scene(job={**ADJUST, "step": "ended", "why": "adjust_refusals"}),
    "corner-cards": Scene((CARDS,)),
    "corner-card-slip": Scene(job={**CARD, "step": "slip"}),
    "corner-card-done": Scene(job={**CARD, "step": "done"}),
    "corner-notice": Scene((NOTICE,)),
    "corner-notice-now": Scene((NOTICE,), view(corner="open", bins=USUAL, message=MESSAGE)),
    "corner-notice-days": Scene((NOTICE, row(2))),
    "corner-close": Scene((CLOSE,)),
    "corner-open": Scene((CLOSE,), view(corner="open", bins=USUAL, closed=REASON)),
    "corner-help": Scene((HELP,)),
    "corner-help-swap": Scene((HELP, foot(1), foot(1), foot(1))),
    "corner-trouble": Scene((CLEAN, tile(1), foot(1)), refuses="storage"),
    "corner-aside": Scene(shown=view(phase="greeting", visits_open=1, corner="aside", bins=USUAL)),
}

BURSTING = view(
    corner="open", bins=scaled(bins(LONG, b1="full", b5="trouble", b7="away", b9="starting"))
)
LONGEST: dict[str, Scene] = {
    "corner-longest": Scene((BAG,), BURSTING, count=LONG),
    "corner-longest-second": Scene((BAG, foot(1)), BURSTING, count=LONG),
    "corner-longest-bag": Scene((BAG, tile(1)), BURSTING, count=LONG),
    "corner-longest-clean": Scene((CLEAN, tile(0)), BURSTING, count=LONG),
    "corner-longest-broken": Scene((BROKEN, tile(2)), BURSTING, count=LONG),
    "corner-longest-bottle": Scene((SCALE, tile(4)), BURSTING, count=LONG),
    "corner-longest-load": Scene(
        shown=BURSTING,
        job={**ADJUST, "bin": "b3", "step": "load", "live": "24.68", "still": False},
        count=LONG,
    ),
}
"""The same with the longest names, to be measured only."""


@dataclass
class Caretaker:
    """Answers the corner's touches as a station would, and keeps them."""

    scene: Scene = field(default_factory=Scene)
    touched: list[Act] = field(default_factory=list)
    takes_s: dict[str, float] = field(default_factory=dict)
    wait_s: int = 0

    def takers(self) -> tuple[Taker, ...]:
        return tuple(Taker(shape, self._take) for shape in Act.__subclasses__())

    def _take(self, act: Act) -> object:
        self.touched.append(act)
        action = act.__struct_config__.tag
        time.sleep(self.takes_s.get(str(action), 0))
        quiet = action in ("corner_pad", "corner_touch", "corner_doctor")
        if self.scene.refuses and not quiet:
            raise OperatorError(self.scene.refuses, "Not now.", "Later.")
        if action == "corner_doctor":
            names = {"b2": {"ja": "アルミ缶", "easy": "アルミの かん", "en": "Aluminium can"}}
            return doctor.told(self.scene.found, names)
        return {"set": True, "wait_s": self.wait_s} if action == "corner_pad" else None

"""What residents say and play, as the page is told of it, for whoever draws or measures it."""

from __future__ import annotations

from datetime import date

import msgspec
from screen_scenes import ITEMS
from town_scenes import CATALOGUE, EXAMPLE, LONGEST, LONGEST_EASY, LONGEST_EN

from kiosk import catalogue
from kiosk.core.quiz import Question, quiz
from kiosk.core.view import ClassView
from kiosk.ledger.heard import Thanks, Votes
from kiosk.noticeboard import file as town_file
from kiosk.noticeboard import playing
from kiosk.noticeboard.asked import Answer, Asking, Thankful
from kiosk.noticeboard.becoming import usual
from kiosk.noticeboard.pictures import known_pictures
from kiosk.noticeboard.playing import PlayTold
from kiosk.screen.texts.town import spoken

TODAY = date(2026, 11, 26)
VOTES = Votes({0: 3, 1: 11, 2: 6}, 4)
OFF = PlayTold()


def value(votes: Votes = VOTES) -> PlayTold:
    """A usual town's, with everything that its example file has."""
    town = town_file.load(EXAMPLE)
    return playing.played(town, TODAY, votes, Thanks(2, 12), quiz=True)


def longest() -> PlayTold:
    """Every list full, every sentence as long as it may be."""
    said = {"ja": LONGEST, "easy": LONGEST_EASY, "en": LONGEST_EN}
    short = {"ja": LONGEST[:18], "easy": LONGEST_EASY[:18], "en": LONGEST_EN[:36]}
    town = msgspec.structs.replace(
        town_file.load(EXAMPLE),
        question=Asking(id="q", answers=(Answer(**short, picture="bench"),) * 4, **said),
        thanks=tuple(Thankful(id=f"t{n}", **short, picture="broom") for n in range(4)),
    )
    votes = Votes({0: 0, 1: 1_234, 2: 77, 3: 5}, 9)
    return playing.played(town, TODAY, votes, Thanks(88, 888), quiz=True)


def round_of(seed: int, count: int = 13) -> tuple[Question, ...]:
    """A round of the quiz at a station with so many bins."""
    known = catalogue.load(CATALOGUE)
    found = playing.knowledge(ITEMS[:count], known, usual(), known_pictures(), spoken(None))
    own = town_file.load(EXAMPLE).quiz
    assert own is not None
    return quiz(found, playing.own(own), seed)


def lesson(teams: int = 4, *, counting: bool = True) -> ClassView:
    return ClassView(1, (2_340, 12_780, 0, 960)[:teams], counting)

"""What the corner's pages may send: one shape a touch, its tag the action."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.core.orders import BinId
from kiosk.core.said import MAX_TEAMS, MIN_TEAMS

MAX_GRAMS = 500_000
Key = Annotated[str, Meta(pattern=r"\A[a-z_]{1,32}\Z", max_length=32)]


class Act(msgspec.Struct, frozen=True, tag_field="action", forbid_unknown_fields=True):
    """One touch."""


class Begin(Act, frozen=True, tag="corner_begin"):
    """「係の方」: the next caretaker's card opens the corner."""


class Pad(Act, frozen=True, tag="corner_pad"):
    """「番号で ひらく」: the number is going to be typed."""


class Number(Act, frozen=True, tag="corner_number"):
    """The number. It is never shown, not even to a log of ours."""

    number: Annotated[str, Meta(max_length=32)]

    def __repr__(self) -> str:
        return "Number"


class Stir(Act, frozen=True, tag="corner_touch"):
    """Somebody is still there, or goes on after a resident was served."""


class End(Act, frozen=True, tag="corner_end"):
    """「おわる」."""


class Doctor(Act, frozen=True, tag="corner_doctor"):
    """How the station is."""


class AtBin(Act, frozen=True, tag="corner_bin"):
    """Work at one bin; the first five are the rules' own touches, the last two orders."""

    bin: BinId
    what: Literal[
        "bag_swap", "indicator_zeroed", "scale_broken", "scale_mended", "full", "lock", "unlock"
    ]


class Shut(Act, frozen=True, tag="corner_close"):
    """Closes the station; ``reason`` the key of a prepared sentence."""

    reason: Key | None = None


class Unshut(Act, frozen=True, tag="corner_open"):
    """Opens it again."""


class Notice(Act, frozen=True, tag="corner_notice"):
    """Puts up a prepared sentence for ``days`` (1: until midnight), or takes down what is there (None)."""

    sentence: Key | None
    days: Annotated[int, Meta(ge=1, le=31)] = 1


class Class(Act, frozen=True, tag="corner_class"):
    """A class comes in so many teams, or (None) goes."""

    teams: Annotated[int, Meta(ge=MIN_TEAMS, le=MAX_TEAMS)] | None


class Adjust(Act, frozen=True, tag="corner_adjust"):
    """Begins a guided adjustment with what weighs ``grams``; ``empty`` whether the bin is."""

    bin: BinId
    grams: Annotated[int, Meta(ge=1, le=MAX_GRAMS)]
    empty: bool


class Agree(Act, frozen=True, tag="corner_agree"):
    """The last step of an adjustment: from here on it counts."""


class Card(Act, frozen=True, tag="corner_card"):
    """A lost card is replaced, a pre-printed one begun, a found one closed."""

    work: Literal["replace", "begin", "close"]


class Cancel(Act, frozen=True, tag="corner_cancel"):
    """Ends what is being done; nothing of it is kept."""

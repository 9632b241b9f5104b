"""What a station means to write, one transaction each, in the order in which it came up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.core.entries import AnyDraft, CloseCause, FullBy
from kiosk.core.events import (
    CardSeen,
    OrderGiven,
    ScaleAdjusted,
    ServiceAsked,
    SlipSeen,
    TouchAction,
    TownSaid,
    ZeroAsked,
)
from kiosk.core.said import AnySaid
from kiosk.core.settled import Settled
from kiosk.core.taught import ClassAsked
from kiosk.core.visits import Visit
from kiosk.core.yard import AnyStock

MAX_INTENTS = 1_024


@dataclass(frozen=True, slots=True)
class Greet:
    """A card was shown (``checkins``)."""

    card: CardSeen


@dataclass(frozen=True, slots=True)
class ClaimFor:
    """A card was shown for a drop made without one (``checkins``)."""

    card: CardSeen
    visit: Visit


@dataclass(frozen=True, slots=True)
class AskBalance:
    """A card was shown after a touch on 「ポイントを見る」 (``balances``)."""

    card: CardSeen


@dataclass(frozen=True, slots=True)
class BeginCard:
    """A spare card was shown after a touch on 「はじめての方」, or a caretaker's word (``holding``)."""

    card: CardSeen
    request: str = ""


@dataclass(frozen=True, slots=True)
class CloseCard:
    """A card is to be good for nothing any more (``holding``); ``card`` its own pseudonym, ``shown_ms``
    where it was held before a reader for it."""

    request: str
    card: bytes
    cause: CloseCause
    shown_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ReplaceCard:
    """A spare card was shown in place of a lost one (``holding``)."""

    request: str
    lost: SlipSeen
    card: CardSeen


@dataclass(frozen=True, slots=True)
class Settle:
    """A bin stands still (``weights``)."""

    settled: Settled


@dataclass(frozen=True, slots=True)
class Swap:
    """A bin's bag was changed, and the bin has kept still since (``bags``)."""

    bin: str


@dataclass(frozen=True, slots=True)
class Close:
    """A visit that has ended gets its last entry (``closing``)."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class Piece:
    """Something fell into a bin that does not weigh (``pieces``)."""

    bin: str
    t_ms: int


@dataclass(frozen=True, slots=True)
class Fill:
    """Somebody or a sensor says that a bin is full, or no longer is (``fullness``)."""

    bin: str
    by: FullBy
    full: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A caretaker said what happened at a bin (``bags``)."""

    bin: str
    action: TouchAction


@dataclass(frozen=True, slots=True)
class Track:
    """An empty bin's zero has crept away (``zeroing``)."""

    bin: str


@dataclass(frozen=True, slots=True)
class Zero:
    """A caretaker says that a bin is empty (``zeroing``)."""

    asked: ZeroAsked


@dataclass(frozen=True, slots=True)
class Serve:
    """Work at a scale begins or ends (``adjusting``)."""

    asked: ServiceAsked


@dataclass(frozen=True, slots=True)
class Adjust:
    """A scale's new line takes effect (``adjusting``)."""

    asked: ScaleAdjusted


@dataclass(frozen=True, slots=True)
class Rule:
    """Other rules hold from here on (``ruling``)."""

    said: TownSaid


@dataclass(frozen=True, slots=True)
class Obey:
    """The city or a caretaker wants something done (``obeying``)."""

    asked: OrderGiven


@dataclass(frozen=True, slots=True)
class Write:
    """An entry that depends on nothing (an alarm, the clock)."""

    draft: AnyDraft


@dataclass(frozen=True, slots=True)
class Note:
    """What a caretaker wrote down, or residents said: told at once whether it is kept, so never tried again
    by itself."""

    draft: AnyStock | AnySaid


@dataclass(frozen=True, slots=True)
class Teach:
    """A class comes or goes (``classroom``)."""

    asked: ClassAsked
    reason: Literal["caretaker", "time"] = "caretaker"


Intent = (
    Greet
    | ClaimFor
    | AskBalance
    | BeginCard
    | CloseCard
    | ReplaceCard
    | Settle
    | Swap
    | Close
    | Piece
    | Fill
    | Answer
    | Track
    | Zero
    | Serve
    | Adjust
    | Rule
    | Obey
    | Write
    | Note
    | Teach
)

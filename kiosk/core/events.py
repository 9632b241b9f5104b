"""What can happen to a station, as frozen events.

Every event carries ``t_ms``: milliseconds of the station's boottime clock (monotonic, goes on in
suspend), stamped where the event arose. Grams are of *gross* weight on the bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.core.adjusted import Adjusted
from kiosk.core.config import StationRules
from kiosk.core.entries import AnyDraft, CloseCause
from kiosk.core.moment import Moment as Moment
from kiosk.core.orders import AnyOrder, By
from kiosk.core.said import AnySaid
from kiosk.core.taught import ClassAsked, TeamChosen
from kiosk.core.timely import KnownTime
from kiosk.core.yard import AnyStock


@dataclass(frozen=True, slots=True)
class CountsBlock:
    """Raw ADC samples of one bin, oldest first; ``t_ms`` and ``counts`` have equal length.

    ``rejected`` frames were refused as not proven since the block before; ``gap`` says that
    samples were lost (a full inbox), so stability must begin anew.
    """

    bin: str
    t_ms: tuple[int, ...]
    counts: tuple[int, ...]
    rejected: int = 0
    gap: bool = False


IndicatorStatus = Literal["stable", "motion", "overload", "underload", "error"]


@dataclass(frozen=True, slots=True)
class IndicatorReading:
    """One telegram of a serial indicator; ``gross_mg`` whole milligrams, None unless a weight.

    ``says_gross``: the telegram itself says that its weight is a gross one. A weight of one that does not
    say so is taken for gross, and certifies nothing.
    """

    bin: str
    t_ms: int
    status: IndicatorStatus
    gross_mg: int | None
    says_gross: bool = False


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device failed: ``device`` as ``scale:BIN``, ``reader:ID``, ``lid:BIN``, ``fill:BIN``; ``code``
    stable."""

    device: str
    t_ms: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class DeviceBack:
    """A lost device works again."""

    device: str
    t_ms: int


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A good card, already a pseudonym (16 bytes); the token stayed in the reader's thread.

    ``pseudonym`` its account's. ``card`` the card's own where that is another (several cards may share
    an account). ``formerly`` the account's under the key before, while both keys are valid. ``spare``: a
    pre-printed card that nobody has begun to use. ``renamed``: that it was begun or joined is known here
    under its name of the key before alone. ``caretaker``: it may open the corner, after a touch.
    """

    t_ms: int
    pseudonym: bytes
    by: str
    proves: bool
    card: bytes | None = None
    formerly: bytes | None = None
    spare: bool = False
    renamed: bool = False
    caretaker: bool = False

    @property
    def own(self) -> bytes:
        """The card's own pseudonym, which is not its account's where several share one."""
        return self.pseudonym if self.card is None else self.card

    @property
    def names(self) -> tuple[bytes, ...]:
        """Every pseudonym by which this account may be known here."""
        return (self.pseudonym,) if self.formerly is None else (self.pseudonym, self.formerly)


RefusalReason = Literal[
    "unknown",
    "forged",
    "expired",
    "closed",
    "random",  # a phone's or My Number card's, another one each time
    "replayed",  # a message of a chip that was shown before
    "copied",  # a chip's counter ran back: somebody else holds a copy
    "unlisted",  # an allow list is in force and does not name it
    "unread",  # a chip taken away before it had said all, or that stammers
    "list_old",  # the list of closed cards is older than the settings allow
]


@dataclass(frozen=True, slots=True)
class CardRefused:
    """A card that this station does not take; nothing of it is kept."""

    t_ms: int
    by: str
    reason: RefusalReason


@dataclass(frozen=True, slots=True)
class SlipSeen:
    """A good recovery code, typed or held before the camera: whose lost card it speaks of.

    ``card`` the lost card's own pseudonym, ``account`` its account's; ``closed`` whether it is closed
    already.
    """

    t_ms: int
    card: bytes
    account: bytes
    closed: bool = False


@dataclass(frozen=True, slots=True)
class CardWork:
    """A caretaker asks for something to be done with cards. Answered with ``Answered``, see ``holding``.

    ``replace`` the lost card by the next spare one shown; ``close`` it. ``lost`` None: its slip is to be
    shown first (``replace``), or it is the next card or slip shown (``close``). ``end`` what ``request``
    asked for is off. ``appoint``: the next card shown is to be a caretaker's; ``begin``: the next spare one
    becomes somebody's.
    """

    t_ms: int
    request: str
    work: Literal["replace", "close", "appoint", "begin", "end"]
    lost: SlipSeen | None = None
    cause: CloseCause = "lost"


@dataclass(frozen=True, slots=True)
class LidMoved:
    """A bin's lid switch changed."""

    bin: str
    t_ms: int
    open: bool


@dataclass(frozen=True, slots=True)
class FillMoved:
    """What lies before a bin's fill sensor changed."""

    bin: str
    t_ms: int
    blocked: bool


@dataclass(frozen=True, slots=True)
class Heated:
    """The station's own temperature, in 1/1000 °C."""

    t_ms: int
    temperature_mc: int


TouchAction = Literal[
    "claim",  # これは私です: the next card claims the anonymous drop
    "bag_swap",  # answer: the bag was changed
    "indicator_zeroed",  # answer: the indicator zeroed itself, the bin still holds what it held
    "scale_broken",  # use the bin without its scale
    "scale_mended",
    "count",  # one piece into a bin without a scale
    "goodbye",  # end my visit
    "full",  # いっぱい
    "not_full",  # a caretaker: it is not
    "balance",  # ポイントを見る: the next card asks the city for its balance
    "begin_card",  # はじめての方: the next spare card becomes somebody's
]


@dataclass(frozen=True, slots=True)
class Touch:
    """Something pressed on the screen or asked for by the command line."""

    t_ms: int
    action: TouchAction
    bin: str | None = None


@dataclass(frozen=True, slots=True)
class ZeroAsked:
    """A caretaker says that the bin is empty now. Answered with ``Answered``, see ``zeroing``."""

    t_ms: int
    bin: str
    request: str


@dataclass(frozen=True, slots=True)
class ServiceAsked:
    """Work at a bin's scale begins or ends: meanwhile nothing on it is anybody's (``adjusting``).

    Ending without an adjustment changes nothing. Answered with ``Answered``.
    """

    t_ms: int
    bin: str
    request: str
    begin: bool


@dataclass(frozen=True, slots=True)
class ScaleAdjusted:
    """A caretaker's adjustment takes effect, and ends the service. Answered with ``Answered``.

    ``adjusted`` is the new line; ``empty_g`` what an empty bin weighs by it, None where that was not
    measured (the load stays, and the empty weight is carried over).
    """

    t_ms: int
    bin: str
    request: str
    method: str
    adjusted: Adjusted
    empty_g: int | None = 0


Late = Literal[
    "expired",  # its time is over
    "clock_unsure",  # nobody here knows whether it is
    "too_far",  # it would count for longer than ids are remembered
]


@dataclass(frozen=True, slots=True)
class OrderGiven:
    """The city's signed command, or a caretaker's word. Answered with ``Answered``, see ``obeying``.

    ``id`` and ``expires_ms`` (UTC) of the city's, else None. ``late`` why it is not to be done now, where
    it was not done before; ``known`` what the edge knows of the time.
    """

    t_ms: int
    request: str
    by: By
    order: AnyOrder
    id: str | None = None
    expires_ms: int | None = None
    late: Late | None = None
    known: KnownTime | None = None


CornerWord = Literal[
    "begin",  # 「係の方」: the next caretaker's card opens the corner
    "number",  # its number is being typed: longer than a card is waited for
    "opened",  # the number was right
    "touch",  # somebody is still there
    "end",  # 「おわる」
]


@dataclass(frozen=True, slots=True)
class CornerAsked:
    """A touch that opens, keeps or ends the corner. Answered with ``Answered``, see ``corner``."""

    t_ms: int
    request: str
    word: CornerWord


@dataclass(frozen=True, slots=True)
class CornerActed:
    """Work from the corner: ``act`` is taken where the corner is open, else ``request`` is answered
    ``corner_closed``. An ``act`` that is answered itself has the same ``request``; a touch is answered
    ``done`` here."""

    t_ms: int
    request: str
    act: Touch | ServiceAsked | ScaleAdjusted | ZeroAsked | OrderGiven | CardWork | ClassAsked


@dataclass(frozen=True, slots=True)
class Warmth:
    """A thermometer's reading, in 1/1000 °C; ``bin`` None for one that stands for the whole hall."""

    t_ms: int
    temperature_mc: int
    bin: str | None = None


@dataclass(frozen=True, slots=True)
class ClockKnown:
    """The wall clock became known (NTP), or was stepped."""

    t_ms: int
    utc_ms: int
    uncertainty_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The uplink's word on the way to the city; ``code`` None when it is up."""

    t_ms: int
    online: bool
    code: str | None = None


@dataclass(frozen=True, slots=True)
class TownSaid:
    """What the city set comes into force, or its word was refused: ``drafts`` are written, and then
    ``rules`` hold (None: as before)."""

    t_ms: int
    drafts: tuple[AnyDraft, ...]
    rules: StationRules | None


@dataclass(frozen=True, slots=True)
class Noted:
    """A caretaker wrote down what happened at the stock yard, or residents said something together. Written
    now or not at all."""

    t_ms: int
    draft: AnyStock | AnySaid


@dataclass(frozen=True, slots=True)
class BalanceTold:
    """The city's proven answer to ``ask``: what the account has."""

    t_ms: int
    ask: str
    points: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes; posted at least every 250 ms."""

    t_ms: int


Event = (
    CountsBlock
    | IndicatorReading
    | DeviceLost
    | DeviceBack
    | CardSeen
    | CardRefused
    | SlipSeen
    | CardWork
    | LidMoved
    | FillMoved
    | Heated
    | Touch
    | ZeroAsked
    | ServiceAsked
    | ScaleAdjusted
    | OrderGiven
    | CornerAsked
    | CornerActed
    | Warmth
    | ClockKnown
    | LinkChanged
    | TownSaid
    | Noted
    | ClassAsked
    | TeamChosen
    | BalanceTold
    | Tick
)

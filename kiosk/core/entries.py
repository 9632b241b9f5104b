"""The kinds of ledger entries, as drafts: everything but ``seq`` and ``at``.

The ledger stamps a draft with ``seq`` and ``at`` at the moment of its commit and writes the result
as canonical JSON. Field names, kinds and meanings are the contract (``docs/contracts.md``); the
JSON Schemas in ``sync/asyncapi.yaml`` are generated from these types. Grams and milliseconds are
whole; there is no float in the ledger.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.core.adjusted import Adjusted
from kiosk.core.draft import Draft
from kiosk.core.orders import AnyOrder, BinId, By, OrderId, UtcMs
from kiosk.core.said import ClassBegin, ClassEnd, Thanked, Voice
from kiosk.core.yard import Pickup, Sale, StockCarried, StockVoid

CloseCause = Literal["lost", "revoked", "replaced"]
ClockQuality = Literal["synced", "unsynced"]
Cause = Literal[
    "removal",
    "drift",
    "remainder",
    "zero",
    "adjustment",
    "while_off",
    "restart",
    "indicator_zeroed",
    "unscaled",
]
FullBy = Literal["touch", "sensor"]
Mode = Literal["estimate", "certified"]
CloseReason = Literal["idle", "next_card", "goodbye", "restart", "limit"]

AskId = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,64}\Z", max_length=64)]
"""Of one question for a balance."""


class At(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When: told, not trusted. ``boot`` 32 hex, ``boot_ms`` since it, ``utc_ms`` as believed."""

    boot: Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", max_length=32)]
    boot_ms: int
    utc_ms: int
    clock: ClockQuality


class LedgerPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a ledger: ``seq`` and the hash there (hex)."""

    ledger: str
    seq: int
    head: str


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bin held when the ledger began; ``gross_g`` None without a scale or when unknown."""

    gross_g: int | None
    bag: str | None
    adjustment: int


class Genesis(Draft, frozen=True, tag="genesis"):
    """The first entry (seq 1): whose ledger this is and which key signs it."""

    station: str
    city: str
    ledger: str
    key: str
    software: str
    continues: LedgerPoint | None
    opening: dict[BinId, Opening]


class Boot(Draft, frozen=True, tag="boot"):
    """The station's program started. ``settings`` is their digest (hex)."""

    software: str
    settings: str


class Clock(Draft, frozen=True, tag="clock"):
    """The wall clock became known: at this entry's ``boot_ms`` it was ``utc_ms``."""

    utc_ms: int
    uncertainty_ms: Annotated[int, Meta(ge=0)]
    source: str


class Checkin(Draft, frozen=True, tag="checkin"):
    """A card was seen. ``seal`` is filled in by the ledger; ``visit`` None when unlinked."""

    visit: str | None
    seal: str | None
    by: str
    proves: bool
    tariff: int
    points: int


class Alias(Draft, frozen=True, tag="alias"):
    """A key was rotated: the old pseudonym's seal, and the seq of the check-in under the new (of the
    claim, where the card was shown for one). Both are filled in by the ledger."""

    seal: str | None
    of: int


class Claim(Draft, frozen=True, tag="claim"):
    """A card shown after its drop."""

    visit: str
    seal: str | None


class BalanceAsked(Draft, frozen=True, tag="balance_asked"):
    """A resident asked for a card's balance; ``ask`` (never used twice) is named by the answer. It earns
    nothing and is no visit."""

    ask: AskId
    seal: str | None


class CardBegun(Draft, frozen=True, tag="card_begun"):
    """A pre-printed card became somebody's."""

    seal: str | None


class CardClosed(Draft, frozen=True, tag="card_closed"):
    """A card is good for nothing any more; the seal is the card's own, also where it shares an account."""

    seal: str | None
    reason: CloseCause


class CardAccount(Draft, frozen=True, tag="card_account"):
    """The account that the card of the next entry shares, where no other entry has the account's seal."""

    seal: str | None


class CardJoined(Draft, frozen=True, tag="card_joined"):
    """A card shares an account from now on: ``of`` the seq of the entry whose seal is the account's."""

    seal: str | None
    of: int


class Weighing(Draft, frozen=True, tag="weighing"):
    """One recorded stable change at one bin; ``net_g = gross_after_g - gross_before_g``."""

    bin: BinId
    item: str
    bag: str
    visit: str | None
    net_g: int
    gross_before_g: int
    gross_after_g: int
    uncertainty_g: int
    division_g: int
    adjustment: int
    mode: Mode
    catalogue: int
    tariff: int
    points: int


class Unattributed(Draft, frozen=True, tag="unattributed"):
    """A change that is no drop, with its cause; the three grams None without a scale."""

    bin: BinId
    item: str
    bag: str
    cause: Cause
    net_g: int | None
    gross_before_g: int | None
    gross_after_g: int | None
    uncertainty_g: int | None


class BagSwap(Draft, frozen=True, tag="bag_swap"):
    """A full bag went, an empty one came; ``net_g`` is before - after."""

    bin: BinId
    item: str
    bag: str
    new_bag: str
    net_g: int | None
    gross_before_g: int | None
    gross_after_g: int | None


class BinFull(Draft, frozen=True, tag="bin_full"):
    """Somebody's ``touch``, or a fill ``sensor`` for long enough, says that a bin is full, or (``full``
    false) that it no longer is. A ``bag_swap`` of the bin ends both."""

    bin: BinId
    item: str
    bag: str
    by: FullBy
    full: bool


class ScaleBroken(Draft, frozen=True, tag="scale_broken"):
    """A caretaker says that a bin is used without its scale, or (``broken`` false) that it is mended."""

    bin: BinId
    broken: bool


class ItemCount(Draft, frozen=True, tag="item_count", omit_defaults=True):
    """Pieces (or millilitres) that no scale saw."""

    item: str
    bin: BinId | None
    visit: str | None
    count: int | None = None
    ml: int | None = None


class VisitClose(Draft, frozen=True, tag="visit_close"):
    """A visit's last entry, after the changes begun in it have settled."""

    visit: str
    reason: CloseReason


class Forget(Draft, frozen=True, tag="forget"):
    """Seals were deleted; the seqs travel signed beside the batch."""

    count: int


class Recovered(Draft, frozen=True, tag="recovered"):
    """An entry of an older ledger that the city lacked; counts only if ``of`` is not stored."""

    of: dict[str, str | int]
    entry: dict[str, object]


class Adjustment(Draft, frozen=True, tag="adjustment"):
    """A scale was adjusted; ``number`` rises for each and is never set back.

    It moves no grams by itself (an ``unattributed`` of the same commit, cause ``adjustment``, does), but
    sets the bin's empty weight to ``empty_g``. ``method`` how it was made (``two_points``, ``points``,
    ``temperature`` for a correction learned from nights, ``settings`` where the file was edited,
    ``carried`` where a new ledger says again, under its number, what the old one had in force).
    """

    bin: BinId
    number: int
    method: str
    gross_before_g: int | None
    gross_after_g: int | None
    empty_g: int
    scale: Adjusted


class Settings(Draft, frozen=True, tag="settings"):
    """The settings changed; ``digest`` of the new ones (hex)."""

    digest: str


class CatalogueBegun(Draft, frozen=True, tag="catalogue"):
    """Another catalogue is in force from here on: of the ``city``, signed, effective since
    ``effective_ms`` (UTC), or the station's own ``file``. ``digest`` of its content (hex)."""

    version: int
    source: Literal["city", "file"]
    digest: str
    effective_ms: int | None


class TariffBegun(Draft, frozen=True, tag="tariff"):
    """Another tariff is in force from here on; visits that are open go on by theirs. As ``catalogue``."""

    version: int
    source: Literal["city", "file"]
    digest: str
    effective_ms: int | None


class Alarm(Draft, frozen=True, tag="alarm"):
    """A trouble of a device or of the station began or ended, once each."""

    code: str
    subject: str
    state: Literal["on", "off"]
    detail: str


class Commanded(Draft, frozen=True, tag="command"):
    """Somebody who may had the station do something: the city by its command ``id`` (good until
    ``expires_ms``, UTC), or the caretaker or the station itself (both null). ``known_ms`` a moment that was
    certainly past when it was done (UTC); null where nobody knew."""

    by: By
    id: OrderId | None
    expires_ms: UtcMs | None
    known_ms: UtcMs | None
    order: AnyOrder


class Snapshot(Draft, frozen=True, tag="snapshot"):
    """The projections as of ``of``; ``digest`` of the data in table ``snapshot`` (hex)."""

    of: int
    digest: str


AnyDraft = (
    Genesis
    | Boot
    | Clock
    | Checkin
    | Alias
    | Claim
    | BalanceAsked
    | CardBegun
    | CardClosed
    | CardAccount
    | CardJoined
    | Weighing
    | Unattributed
    | BagSwap
    | BinFull
    | ScaleBroken
    | ItemCount
    | VisitClose
    | Forget
    | Recovered
    | Adjustment
    | Settings
    | CatalogueBegun
    | TariffBegun
    | Alarm
    | Commanded
    | Pickup
    | Sale
    | StockVoid
    | StockCarried
    | Voice
    | Thanked
    | ClassBegin
    | ClassEnd
    | Snapshot
)

"""A snapshot of a running station in plain facts, gathered by its composition root.

``status`` and ``doctor`` judge it and read nothing else, so whatever they say can be told again
from the same facts. Ages are milliseconds of boottime; None means that it never happened.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from kiosk.core.cards.staleness import Worth
from kiosk.core.certified import Seal
from kiosk.core.entries import ClockQuality
from kiosk.core.events import RefusalReason
from kiosk.core.orders import By
from kiosk.core.view import BinState, Full, Warm


class DeviceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One device thread. ``name`` as in ``DeviceLost`` (``scale:b1``); ``since_ms`` its state's age.

    ``beat_age_ms`` since the thread's last sign of life; ``hint`` what the doctor should mention though
    the device works (``dark``: a camera that sees nothing).
    """

    name: str
    state: Literal["ok", "lost"]
    code: str | None = None
    detail: str = ""
    since_ms: int = 0
    beat_age_ms: int = 0
    hint: str | None = None

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def subject(self) -> str:
        return self.name.partition(":")[2] or self.name


class BinFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One bin. ``gross_g`` in the books, ``live_g`` on the scale now, each None when not known.

    ``rejected`` frames and samples refused since the start; ``samples_per_s`` over the last seconds
    (None also while the scale is away or has only begun), ``rate_sps`` what the settings promise;
    both None without a scale. ``seal`` what its verification is worth now (``certified.seal``);
    ``full`` what says that the bin is full; ``broken`` where a caretaker has set its scale aside.
    """

    bin: str
    item: str
    state: BinState
    scale: bool
    gross_g: int | None = None
    live_g: int | None = None
    fill_pct: int | None = None
    rejected: int = 0
    samples_per_s: float | None = None
    rate_sps: float | None = None
    seal: Seal = "none"
    full: Full | None = None
    broken: bool = False


class CardFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Cards shown since the start: ``taken`` and ``refused``; ``reason`` of the last refusal, and its
    age. Nothing of a card itself."""

    taken: int = 0
    refused: int = 0
    reason: RefusalReason | None = None
    age_ms: int | None = None


class ListFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One of the city's lists of cards.

    ``needed``: it has to be there. ``worth`` None where it is neither there nor needed; ``version`` and
    ``count`` None where it is not there; ``age_days`` certain days since the city's last word,
    ``end_days`` how many of them the settings allow. ``missing_parts`` of one on its way; ``refused``
    why the last word that did not count did not, and its age.
    """

    name: Literal["closed", "allowed"]
    needed: bool = False
    worth: Worth | None = None
    epoch: int | None = None
    version: int | None = None
    count: int | None = None
    age_days: int = 0
    end_days: int = 0
    missing_parts: int = 0
    refused: str | None = None
    refused_age_ms: int | None = None


class TownFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Catalogue or tariff. ``source`` ``city`` or the station's own ``file``; ``since_ms`` (UTC) when the
    city's became effective; ``next_version`` and ``next_ms`` what waits for its moment. ``refused`` why
    the city's last message did not count, where in it, and its age."""

    kind: Literal["catalogue", "tariff"]
    source: Literal["city", "file"]
    version: int
    since_ms: int | None = None
    next_version: int | None = None
    next_ms: int | None = None
    refused: str | None = None
    refused_detail: str = ""
    refused_age_ms: int | None = None


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the city and caretakers ordered. ``closed`` why, by language (empty where nobody said), and
    ``closed_by`` whom; ``locked`` bins; ``refused`` why the last command that was not done was not, and its
    age; ``answer_refused`` why the last word on a balance was not believed, and its age."""

    closed: dict[str, str] | None = None
    closed_by: By | None = None
    locked: tuple[str, ...] = ()
    refused: str | None = None
    refused_age_ms: int | None = None
    answer_refused: str | None = None
    answer_refused_age_ms: int | None = None


class LinkFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The uplink's last word on the way to the city; ``code`` None when it is well.

    ``online`` with a code: connected, and the city does not take or not answer what is sent.
    ``trouble`` the last code that was told, and the age of its last telling, also after it was well again;
    ``certificate_ms`` the end of the station's own certificate (UTC), ``certificate_days`` how many days
    that is from now, None where the clock does not know.
    """

    online: bool = False
    code: str | None = "no_uplink"
    words: str = ""
    age_ms: int | None = None
    trouble: str | None = None
    trouble_age_ms: int | None = None
    certificate_ms: int | None = None
    certificate_days: int | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The whole station at one moment.

    ``public_key`` what the city knows the station by (hex; None from an older station); ``settings``
    the digest in force (hex); ``storage_trouble`` the code of the ledger's refusal;
    ``temperature_mc`` the machine's own (None: nobody knows), ``warm`` what the screen does about it;
    ``inbox`` events waiting of ``inbox_max``; ``last_ack_age_ms`` since the city's last good
    acknowledgement; ``uplink_wanted`` whether the settings name a broker; ``closed_here`` cards closed at
    this station alone; ``core_dumps`` whether the process may leave one.
    """

    station: str
    city: str
    name: str
    ledger: str
    software: str
    settings: str
    uptime_ms: int
    head_seq: int
    watermark: int
    epoch: int
    clock: ClockQuality
    disk_free_bytes: int
    screen_port: int
    screen_up: bool
    link: LinkFacts = LinkFacts()
    uplink_wanted: bool = True
    last_ack_age_ms: int | None = None
    storage_trouble: str | None = None
    inbox: int = 0
    inbox_max: int = 0
    visits_open: int = 0
    cards: CardFacts = CardFacts()
    lists: tuple[ListFacts, ...] = ()
    town: tuple[TownFacts, ...] = ()
    closed_here: int = 0
    core_dumps: bool = False
    devices: tuple[DeviceFacts, ...] = ()
    bins: tuple[BinFacts, ...] = ()
    orders: OrderFacts = OrderFacts()
    public_key: str | None = None
    temperature_mc: int | None = None
    warm: Warm | None = None

    @property
    def queue(self) -> int:
        """Entries that the city has not yet signed for."""
        return self.head_seq - self.watermark


def to_dict(facts: Facts) -> dict[str, Any]:
    """The facts for the control socket."""
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    return plain


def from_dict(plain: dict[str, Any]) -> Facts:
    """The facts from the control socket; fields of a newer station are passed over."""
    return msgspec.convert(plain, Facts)

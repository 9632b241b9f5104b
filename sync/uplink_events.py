"""What the uplink's rules hear (events) and what they ask for (actions): frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sync.messages import MAX_ENTRIES, AckError, StationState


@dataclass(frozen=True, slots=True)
class StationUp:
    """The station's process answers; what its ledger says."""

    ledger: str
    head: int
    watermark: int
    epoch: int
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class StationDown:
    """The station's process is gone, or is there and does not answer (``stalled``)."""

    stalled: bool = False


@dataclass(frozen=True, slots=True)
class LedgerMoved:
    """News of the station's ledger, which a judgement may have overtaken: then its ``turn`` is lower."""

    head: int
    watermark: int
    epoch: int
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class BatchFetched:
    """The batch that follows ``after``; ``payload`` its exact JSON."""

    after: int
    last: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class NothingFetched:
    """The station has no entry after ``after``."""

    after: int


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Connected; at most ``receive_maximum`` messages may wait for their PUBACK."""

    receive_maximum: int


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Not connected (any more); ``code`` stable, ``words`` for people."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Puback:
    """The broker's answer to what was published; ``code`` None when it took it. ``beside``: not
    asked for by the rules (``Uplink.beside``)."""

    code: str | None = None
    words: str = ""
    of: Literal["batch", "state", "beside"] = "batch"


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The batch that ends with ``last`` was not published: the broker takes no packet of its size."""

    last: int


@dataclass(frozen=True, slots=True)
class Noted:
    """Something beside the ledger does not go; ``code`` stable, ``words`` for people."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """The station's own certificate ends then (UTC); None where there is none to be read."""

    until_ms: int | None


@dataclass(frozen=True, slots=True)
class Renewed:
    """The files that a connection is made with have changed, and fit together."""


@dataclass(frozen=True, slots=True)
class AckArrived:
    """Something came on the acknowledgement topic; not judged yet."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class AckJudged:
    """The station's judgement; ``watermark`` and ``epoch`` as they are after it."""

    accepted: bool
    reason: str | None
    watermark: int
    epoch: int
    error: AckError | None
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Hurried:
    """Somebody asked not to wait for the next try."""


Event = (
    StationUp
    | StationDown
    | LedgerMoved
    | BatchFetched
    | NothingFetched
    | LinkUp
    | LinkDown
    | Puback
    | TooLarge
    | Noted
    | Certificate
    | Renewed
    | Hurried
    | AckArrived
    | AckJudged
    | Tick
)


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection; answer with LinkUp or LinkDown."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Give the connection up; no LinkDown is expected for it."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask the station for a batch; answer with BatchFetched, NothingFetched or StationDown."""

    after: int
    max_entries: int = MAX_ENTRIES
    ahead: bool = False  # of entries that overtake a backlog


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a batch at QoS 1; answer with Puback or TooLarge."""

    last: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Judge:
    """Hand an acknowledgement to the station; answer with AckJudged or StationDown."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Announce:
    """Publish the retained birth at QoS 1; answer with Puback."""

    station: StationState


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the station how the way to the city is; ``code`` None when all is well. ``certificate_ms`` the
    end of the certificate that it is made with (UTC)."""

    online: bool
    code: str | None
    words: str
    certificate_ms: int | None = None


Action = Connect | Disconnect | Fetch | Publish | Judge | Announce | Report

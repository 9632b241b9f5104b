"""What a station knows of its past when it starts: read from the ledger's projections."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.core.adjusted import Adjusted
from kiosk.core.earned import Earned
from kiosk.core.standing import Standing
from kiosk.core.ties import Tie


@dataclass(frozen=True, slots=True)
class BinBook:
    """One bin in the books. ``gross_g`` equals the last entry's ``gross_after_g`` (None without a
    scale), ``empty_g`` the gross of an empty bin, ``adjustment`` the number in force and ``adjusted``
    what it says (None: as the settings say)."""

    bin: str
    item: str
    bag: str
    gross_g: int | None
    empty_g: int = 0
    adjustment: int = 0
    adjusted: Adjusted | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """The state to go on from.

    ``prefix`` makes visit and bag identifiers that are never used twice (unique to this start);
    ``same_boot`` whether the machine has not been rebooted since the last entry; ``open_visits``
    were never closed; ``earned`` and ``tied`` by pseudonym; ``orders`` what the city and caretakers
    ordered.
    """

    prefix: str
    books: tuple[BinBook, ...]
    same_boot: bool = False
    open_visits: tuple[str, ...] = ()
    earned: dict[bytes, Earned] = field(default_factory=dict)
    tied: dict[bytes, Tie] = field(default_factory=dict)
    orders: Standing = field(default_factory=Standing)

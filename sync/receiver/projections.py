"""Rows that the views read, made from an entry's body.

A body of an unknown kind, or of a known one in another shape, is stored all the same and makes no
row: what a station signed is kept, and understood when it can be. Rows are tuples in the order of their
table's columns.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kiosk.core import chain
from kiosk.core.canonical import Json, canonical
from kiosk.core.entries import (
    At,
    BagSwap,
    Clock,
    Genesis,
    ItemCount,
    LedgerPoint,
    Recovered,
    Unattributed,
    Weighing,
)
from sync.messages.bodies import KNOWN, Known, Value, is_boot
from sync.messages.bodies import field as field_of

Row = tuple[Any, ...]
Origin = tuple[str, int, bytes] | tuple[None, None, None]
"""The ledger, seq and digest of the entry that a recovered one stands for."""

_NOBODY: Origin = (None, None, None)
CHANGES = ("weighing", "unattributed", "bag_swap", "item_count")
"""Kinds that make a row of ``bin_change``."""

_KINDS: dict[str, type[msgspec.Struct]] = {
    "weighing": Weighing,
    "unattributed": Unattributed,
    "bag_swap": BagSwap,
    "item_count": ItemCount,
    "clock": Clock,
    "genesis": Genesis,
    "recovered": Recovered,
}
_ODD = {kind: made for kind, made in _KINDS.items() if kind not in KNOWN}
_BIN = re.compile(r"[a-z0-9-]{1,32}")
_LEDGER = re.compile(r"[0-9a-f]{32}")
_HEAD = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Rows:
    """Rows for the tables of the same names."""

    bin_change: list[Row] = field(default_factory=list)
    anchor: list[Row] = field(default_factory=list)
    opening: list[Row] = field(default_factory=list)

    def add_all(self, ledger: str, first: int, values: Iterable[Value]) -> None:
        """What consecutive entries mean; ``values`` as ``read_bodies`` gives them, None for none."""
        for seq, value in enumerate(values, first):
            if isinstance(value, Known):
                self._add_known(ledger, seq, value, _NOBODY)
            elif (known := _known(value)) is not None:
                self._add_known(ledger, seq, known, _NOBODY)
            elif (draft := _draft(value)) is not None:
                self._add_odd(ledger, seq, draft)

    def _add_known(self, ledger: str, seq: int, value: Any, of: Origin) -> None:
        kind, at = value.kind, value.at
        if kind == "weighing":
            if _is_bin(value.bin):
                self.bin_change.append((
                    ledger, seq, kind, value.bin, value.item, value.bag, value.visit, None, value.mode,
                    value.net_g, value.gross_before_g, value.gross_after_g, value.uncertainty_g,
                    value.points, None, None, at.boot, at.boot_ms, *of,
                ))  # fmt: skip
        elif kind == "clock":
            times = (value.utc_ms, value.uncertainty_ms)
            self.anchor.append((ledger, seq, at.boot, at.boot_ms, *times))
        elif kind in CHANGES and (field_of(value, "bin") is None or _is_bin(value.bin)):
            fields = [field_of(value, name) for name in _CHANGE_FIELDS]
            self.bin_change.append((ledger, seq, kind, *fields, at.boot, at.boot_ms, *of))

    def _add_odd(self, ledger: str, seq: int, draft: msgspec.Struct) -> None:
        match draft:
            case Genesis():
                self.opening += [
                    (ledger, name, found.gross_g) for name, found in draft.opening.items()
                ]
            case Recovered(origin, inner):
                older = _origin(origin)
                # One level only: an entry that was recovered twice still names the first ledger.
                known = _known(inner)
                if older is not None and known is not None:
                    self._add_known(ledger, seq, known, (*older, recovered_digest(inner)))


_CHANGE_FIELDS = (
    "bin", "item", "bag", "visit", "cause", "mode", "net_g", "gross_before_g", "gross_after_g",
    "uncertainty_g", "points", "count", "ml",
)  # fmt: skip


def recovered_digest(inner: Json) -> bytes:
    """The digest that a recovered body had in its own ledger."""
    return chain.digest(canonical(inner))


def genesis_of(value: Value) -> Genesis | None:
    """The genesis that a body is, or None; what it names is well formed."""
    draft = _draft(value) if isinstance(value, dict) else None
    if not isinstance(draft, Genesis):
        return None
    return draft if draft.continues is None or _is_point(draft.continues) else None


def _draft(value: Json) -> msgspec.Struct | None:
    """The draft in a body of an odd kind, or None where its kind or shape is not known here."""
    kind = _ODD.get(str(value.get("kind"))) if isinstance(value, dict) else None
    if kind is None or "at" not in value:
        return None
    fields = {name: item for name, item in value.items() if name not in ("seq", "at")}
    try:
        msgspec.convert(value["at"], At)
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        return None


def _known(value: Json) -> Known | None:
    """A plain value as the type of its kind, None where it has none."""
    kind = KNOWN.get(str(value.get("kind"))) if isinstance(value, dict) else None
    try:
        known: Any = None if kind is None else msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
    return known if known is not None and is_boot(known.at.boot) else None


@functools.lru_cache(maxsize=4096)
def _is_bin(name: str) -> bool:
    return _BIN.fullmatch(name) is not None


def _is_point(point: LedgerPoint) -> bool:
    return _LEDGER.fullmatch(point.ledger) is not None and _HEAD.fullmatch(point.head) is not None


def _origin(of: dict[str, str | int]) -> tuple[str, int] | None:
    match of:
        case {"ledger": str(ledger), "seq": int(seq)} if _LEDGER.fullmatch(ledger):
            return ledger, seq
    return None

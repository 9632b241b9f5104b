"""Rows that the views read, made from an entry's body.

A body of an unknown kind, or of a known one in another shape, is stored all the same and makes no
row: what a station signed is kept, and understood when it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from kiosk.core import chain
from kiosk.core.canonical import canonical
from kiosk.core.entries import (
    At,
    BagSwap,
    Clock,
    Genesis,
    ItemCount,
    Recovered,
    Unattributed,
    Weighing,
)

Row = dict[str, Any]

_KINDS = {
    "weighing": Weighing,
    "unattributed": Unattributed,
    "bag_swap": BagSwap,
    "item_count": ItemCount,
    "clock": Clock,
    "genesis": Genesis,
    "recovered": Recovered,
}
_CHANGE_FIELDS = (
    "bin", "item", "bag", "visit", "cause", "mode", "net_g", "gross_before_g", "gross_after_g",
    "uncertainty_g", "points", "count", "ml",
)  # fmt: skip


@dataclass(slots=True)
class Rows:
    """Rows for the tables of the same names."""

    bin_change: list[Row] = field(default_factory=list)
    anchor: list[Row] = field(default_factory=list)
    opening: list[Row] = field(default_factory=list)

    def add(self, ledger: str, seq: int, value: Row) -> None:
        """What the entry ``seq`` means; ``value`` is its parsed body."""
        self._add({"ledger": ledger, "seq": seq}, value, None)

    def _add(self, place: Row, value: Row, of: Row | None) -> None:
        draft = parse_draft(value)
        if draft is None:
            return
        at = msgspec.convert(value["at"], At)
        moment = {"boot": at.boot, "boot_ms": at.boot_ms}
        match draft:
            case Genesis():
                self.opening += [
                    {"ledger": place["ledger"], "bin": name, "gross_g": found.gross_g}
                    for name, found in draft.opening.items()
                ]
            case Clock():
                times = {"utc_ms": draft.utc_ms, "uncertainty_ms": draft.uncertainty_ms}
                self.anchor.append(place | moment | times)
            case Recovered(origin, inner):
                older = _origin(origin)
                # One level only: an entry that was recovered twice still names the first ledger.
                if of is None and older is not None and inner.get("kind") != "genesis":
                    digest = recovered_digest(inner)
                    origin_of = {"of_ledger": older[0], "of_seq": older[1], "of_digest": digest}
                    self._add(place, inner, origin_of)
            case _:
                row = place | moment | {name: getattr(draft, name, None) for name in _CHANGE_FIELDS}
                row |= {"kind": value["kind"], "of_ledger": None, "of_seq": None, "of_digest": None}
                self.bin_change.append(row | (of or {}))


def recovered_digest(inner: Row) -> bytes:
    """The digest that a recovered body had in its own ledger."""
    return chain.digest(canonical(inner))


def parse_draft(value: Row) -> Any:
    """The draft in a body, or None where its kind or shape is not known here."""
    kind = _KINDS.get(str(value.get("kind")))
    if kind is None or "at" not in value:
        return None
    fields = {name: item for name, item in value.items() if name not in ("seq", "at")}
    try:
        msgspec.convert(value["at"], At)
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        return None


def _origin(of: dict[str, str | int]) -> tuple[str, int] | None:
    match of:
        case {"ledger": str(ledger), "seq": int(seq)}:
            return ledger, seq
    return None

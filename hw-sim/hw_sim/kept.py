"""Whose is each drop: what was committed before a death is its resident's, the rest is nobody's.

Theory: the world writes a drop down before it lays it, and an entry's time is that of its commit. So
the entry that holds a drop is its bin's first one after it. Where no start of the station lies
between the two, the drop was weighed in one life and must be its resident's ``weighing``; where one
does, it was settling or fell while the station was down, and must be ``unattributed``. Drops below
``CLEAR_DIVISIONS`` may be carried, and drops close to a start (``NEAR_MS``) may be either.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw_sim.accounting import Book, Finding

CLEAR_DIVISIONS = 4
NEAR_MS = 3_000
CHANGES = ("weighing", "unattributed", "bag_swap")
SCALES_OWN = ("zero", "drift", "remainder", "indicator_zeroed")
"""Causes of entries that follow a scale and hold no drop."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Something laid in; ``t_ms`` just before."""

    t_ms: int
    bin: str
    grams: int
    card: str | None


def kept_findings(
    book: Book,
    drops: Iterable[Drop],
    cards: Mapping[str, str | None],
    divisions_g: Mapping[str, int],
) -> list[Finding]:
    """Each clear drop at a bin with a scale against the entry that holds it."""
    bodies = [row.value for row in book.rows]
    boots_ms = [body["at"]["utc_ms"] for body in bodies if body["kind"] == "boot"]
    owners = _owners(bodies, book, cards)
    found = []
    for drop in drops:
        name, t_ms = drop.bin, drop.t_ms
        if name not in divisions_g or drop.grams < CLEAR_DIVISIONS * divisions_g[name]:
            continue
        entry = _first_after(bodies, name, t_ms)
        what = f"{drop.card or 'somebody'}'s {drop.grams} g at {name} (t_ms {t_ms})"
        if entry is None:
            found.append(Finding("drop_lost", f"{what} are in no entry."))
        elif any(t_ms - NEAR_MS < boot <= t_ms for boot in boots_ms):
            continue
        elif any(t_ms < boot <= entry["at"]["utc_ms"] for boot in boots_ms):
            if entry["kind"] == "weighing":
                words = f"{what} fell before a start and entry {entry['seq']} credits it."
                found.append(Finding("credited_over_death", words))
        elif entry["kind"] != "weighing":
            words = f"{what} are entry {entry['seq']}, {entry['kind']} {entry.get('cause', '')}."
            found.append(Finding("drop_not_credited", words))
        elif owners.get(entry["visit"]) != drop.card:
            words = f"{what} are credited to {owners.get(entry['visit'])}, entry {entry['seq']}."
            found.append(Finding("wrong_resident", words))
    return found


def read_drops(truth: Path) -> Iterator[Drop]:
    """The drops in ``truth.jsonl``."""
    for line in truth.read_text("utf-8").splitlines():
        said = json.loads(line)
        if "swap" not in said and said["grams"] > 0:
            yield Drop(said["t_ms"], said["bin"], said["grams"], said["card"])


def _first_after(bodies: list[dict[str, Any]], bin_id: str, t_ms: int) -> dict[str, Any] | None:
    for body in bodies:
        if body["kind"] not in CHANGES or body["bin"] != bin_id or body["at"]["utc_ms"] <= t_ms:
            continue
        if body.get("cause") not in SCALES_OWN:
            return body
    return None


def _owners(
    bodies: list[dict[str, Any]], book: Book, cards: Mapping[str, str | None]
) -> dict[str, str]:
    names = {token: name for name, token in cards.items() if token is not None}
    owners = {}
    for body in bodies:
        if body["kind"] in ("checkin", "claim") and body["visit"] and body["seq"] in book.seals:
            token = book.seals[body["seq"]][1].hex()
            owners[body["visit"]] = names.get(token, token)
    return owners

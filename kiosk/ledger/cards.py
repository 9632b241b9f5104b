"""The entries on cards, read back with the pseudonyms of their seals."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from kiosk.core.canonical import parse_canonical
from kiosk.core.cards.facts import CardFact, of_entry


def card_facts(db: sqlite3.Connection, after: int) -> Iterator[CardFact]:
    """Every fact beyond seq ``after`` whose seal is still held, in order."""
    # Canonical JSON writes the kind in this one way, and no string in it holds a bare quotation mark.
    rows = db.execute(
        "SELECT body, pseudonym FROM ledger JOIN seal USING (seq)"
        " WHERE seq > ? AND body LIKE '%\"kind\":\"card\\_%' ESCAPE '\\' ORDER BY seq",
        (after,),
    )
    for body, card in rows:
        entry = parse_canonical(body.encode())
        named = db.execute("SELECT pseudonym FROM seal WHERE seq = ?", (entry.get("of", 0),))
        account = named.fetchone()
        fact = of_entry(entry, card, None if account is None else account[0])
        if fact is not None:
            yield fact

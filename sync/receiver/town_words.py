"""Catalogues and tariffs at the city: kept, signed, and put together for the retained topics.

Invariant: a version means one content for ever. Nothing is published under a version that was used before,
here or, after a restore of an older database, at any station whose ledger has come since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.core.catalogue import Catalogue, TariffTable
from kiosk.core.errors import OperatorError
from kiosk.core.schedule import MAX_WAITING, Term
from sync.messages import Malformed, deflate
from sync.messages.town import (
    KINDS,
    Kind,
    TownWord,
    content_of,
    encode,
    sign,
    signed_text,
    table_of,
)
from sync.receiver.tables import station_key
from sync.receiver.town_tables import town_station, town_word
from sync.signing import Signer, verify


@dataclass(frozen=True, slots=True)
class AtStation:
    """What one station says: what it counts by, and why it refuses what it was sent last."""

    station: str
    version: int | None
    source: str | None
    refused: str | None


def publish(
    connection: sa.Connection,
    city: str,
    table: Catalogue | TariffTable,
    effective_ms: int,
    signer: Signer,
    now_ms: int,
) -> Term:
    """Sign it and keep it; a running receiver publishes it. OperatorError where it may not be."""
    kind: Kind = "catalogue" if isinstance(table, Catalogue) else "tariff"
    used = _highest(connection, city, kind)
    if table.version <= used:
        raise OperatorError(
            "version_used",
            f"Version {table.version} of the {kind} is not higher than {used}, which was published.",
            f"Write version = {used + 1} into the file: entries carry only the number.",
        )
    try:
        content = content_of(table)
        word = sign(kind, city, table.version, effective_ms, now_ms, content, signer)
        words = standing([*_words(connection, city, kind), word], now_ms)
        encode(city, words)
    except Malformed as malformed:
        raise OperatorError(
            "town_message",
            f"The {kind} cannot be sent: {malformed}.",
            "Shorten it, or publish it once the one that waits is in force.",
        ) from malformed
    if len(words) > MAX_WAITING:
        raise OperatorError(
            "too_many_waiting",
            f"{MAX_WAITING - 1} versions of the {kind} wait for their moment already.",
            "Wait until one is in force, or let this one be effective before them.",
        )
    _require_ours(city, kind, words, signer)
    connection.execute(town_word.insert().values(city=city, kind=kind, **_row(word)))
    return word.term


def sign_again(
    connection: sa.Connection, city: str, kind: Kind, signer: Signer, now_ms: int
) -> list[Term]:
    """What counts and what waits, signed anew: with another key, or for stations without a clock."""
    return [
        _sign_again(connection, city, kind, word, signer, now_ms)
        for word in standing(_words(connection, city, kind), now_ms)
    ]


def renew(connection: sa.Connection, signer: Signer, now_ms: int) -> int:
    """Sign anew, once, what has become effective since it was signed; how many. A station whose clock is
    not synchronised takes the city's signature for the time. What another key signed is left alone."""
    due = sa.select(town_word).where(
        town_word.c.effective_ms <= now_ms, town_word.c.signed_ms < town_word.c.effective_ms
    )
    renewed = 0
    for row in connection.execute(due.with_for_update()).all():
        word = _word(row)
        if verify(signer.public_key, word.sig, signed_text(row.kind, row.city, word.term)):
            _sign_again(connection, row.city, row.kind, word, signer, now_ms)
            renewed += 1
    return renewed


def standing(words: Sequence[TownWord], now_ms: int) -> list[TownWord]:
    """The word in force and those that wait, by version; all that will never count any more is left
    out."""
    past = [one.term.version for one in words if one.term.effective_ms <= now_ms]
    present = max(past, default=0)
    later = [one for one in words if one.term.version > present]
    waiting = [
        one
        for one in later
        if not any(
            other.term.version > one.term.version
            and other.term.effective_ms <= one.term.effective_ms
            for other in later
        )
    ]
    here = [one for one in words if one.term.version == present]
    return here + sorted(waiting, key=lambda one: one.term.version)


def words_of(connection: sa.Connection, city: str, kind: Kind, now_ms: int) -> list[TownWord]:
    """What stations have to know now."""
    return standing(_words(connection, city, kind), now_ms)


def current(
    connection: sa.Connection, city: str, kind: Kind, now_ms: int
) -> Catalogue | TariffTable | None:
    """What is in force at the city; None while nothing is."""
    for word in words_of(connection, city, kind, now_ms):
        if word.term.effective_ms <= now_ms:
            return table_of(kind, word.term.version, word.content)
    return None


def at_stations(connection: sa.Connection, city: str, kind: Kind) -> list[AtStation]:
    """Every station of the city that has a key that counts, in order."""
    here = town_station
    query = (
        sa.select(station_key.c.station, here.c.version, here.c.source, here.c.refused)
        .select_from(
            station_key.outerjoin(
                here,
                sa.and_(
                    here.c.city == station_key.c.city,
                    here.c.station == station_key.c.station,
                    here.c.kind == kind,
                ),
            )
        )
        .where(station_key.c.city == city, station_key.c.revoked_ms.is_(None))
        .distinct()
        .order_by(station_key.c.station)
    )
    return [AtStation(*row) for row in connection.execute(query)]


# --- for whoever sends ------------------------------------------------------------------------------


def messages(connection: sa.Connection, city: str, now_ms: int) -> list[tuple[Kind, str, bytes]]:
    """(kind, content type, payload) of what stands retained on the city's topics now."""
    found = []
    for kind in KINDS:
        words = words_of(connection, city, kind, now_ms)
        if words:
            found.append((kind, *deflate(encode(city, words))))
    return found


def cities(connection: sa.Connection) -> list[str]:
    """Those that have published anything."""
    return list(connection.scalars(sa.select(town_word.c.city).distinct().order_by("city")))


def _sign_again(
    connection: sa.Connection, city: str, kind: Kind, word: TownWord, signer: Signer, now_ms: int
) -> Term:
    term = word.term
    again = sign(kind, city, term.version, term.effective_ms, now_ms, word.content, signer)
    mine = (
        town_word.c.city == city,
        town_word.c.kind == kind,
        town_word.c.version == term.version,
    )
    connection.execute(sa.update(town_word).where(*mine).values(**_row(again)))
    return again.term


def _words(connection: sa.Connection, city: str, kind: Kind) -> list[TownWord]:
    query = sa.select(town_word).where(town_word.c.city == city, town_word.c.kind == kind)
    return [_word(row) for row in connection.execute(query.order_by(town_word.c.version))]


def _word(row: sa.Row[tuple[object, ...]]) -> TownWord:
    content = bytes(row.content)
    digest = hashlib.sha256(content).hexdigest()
    term = Term(row.version, row.effective_ms, row.signed_ms, digest)
    return TownWord(term, content, bytes(row.sig))


def _row(word: TownWord) -> dict[str, object]:
    term = word.term
    return {
        "version": term.version,
        "effective_ms": term.effective_ms,
        "signed_ms": term.signed_ms,
        "content": word.content,
        "sig": word.sig,
    }


def _highest(connection: sa.Connection, city: str, kind: Kind) -> int:
    """The highest version that was ever used."""
    here = sa.select(sa.func.max(town_word.c.version)).where(
        town_word.c.city == city, town_word.c.kind == kind
    )
    there = sa.select(sa.func.max(town_station.c.highest)).where(
        town_station.c.city == city, town_station.c.kind == kind
    )
    return max(connection.scalar(here) or 0, connection.scalar(there) or 0)


def _require_ours(city: str, kind: Kind, words: Sequence[TownWord], signer: Signer) -> None:
    """OperatorError where words that stations still need were signed with another key than this one."""
    for one in words:
        if not verify(signer.public_key, one.sig, signed_text(kind, city, one.term)):
            raise OperatorError(
                "town_other_key",
                f"The {kind}'s version {one.term.version} was signed with another key than this one.",
                f"Use the city's key, or sign all anew: kiosk-receiver {kind} sign.",
            )

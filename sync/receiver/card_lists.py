"""Which cards are closed, or alone allowed: kept, counted in versions, and signed for the stations.

``change`` says what is on a list from now on; nobody hears of it before ``publish`` signs it. While few
cards have changed since the last whole list (NEW_FULL), a delta is signed: it goes to every station every
day, and a whole list of 200,000 is 3.2 MB for each of them. ``renew`` signs the last word again on each
new day, so that stations can tell a quiet city from one that is kept from them, and in each new epoch.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync.messages import Malformed, deflate, inflate
from sync.messages.card_lists import (
    MAX_PARTS,
    MAX_RECORDS,
    NAMES,
    Delta,
    DeltaWire,
    Full,
    ListName,
    Word,
    each,
    encode_delta,
    encode_full,
    encode_manifest,
    read_delta,
    read_full,
)
from sync.receiver.registry import current_epoch
from sync.receiver.tables import card_list, card_listed, card_message
from sync.signing import Signer

NEW_FULL = 2_000
"""More changes than this since the last whole list make a new one."""
AT_ONCE = 500
"""Pseudonyms in one statement."""
DAY_MS = 86_400_000

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Standing:
    """A list at the city. ``version`` None while it was never signed; ``unsigned`` changes that no
    station has heard of."""

    city: str
    name: ListName
    version: int | None
    count: int
    unsigned: int


@dataclass(frozen=True, slots=True)
class Published:
    """What was signed. ``whole``: stations have to fetch a new whole list."""

    word: Word
    whole: bool
    count: int
    added: int
    removed: int


def change(
    connection: sa.Connection, city: str, name: ListName, pseudonyms: Iterable[bytes], *, on: bool
) -> int:
    """Put cards on a list, or take them off it; how many were not so before. OperatorError when the
    list would be longer than a station takes."""
    changed, wanted = 0, iter(sorted(set(pseudonyms)))
    while batch := list(itertools.islice(wanted, AT_ONCE)):
        mine = (card_listed.c.city == city, card_listed.c.list == name)
        here = card_listed.c.pseudonym.in_(batch)
        rows = connection.execute(
            sa.select(card_listed.c.pseudonym, card_listed.c.in_now).where(*mine, here)
        )
        known = {bytes(row.pseudonym): row.in_now for row in rows}
        new = [each for each in batch if each not in known] if on else []
        if new:
            fixed = {"city": city, "list": name, "in_full": 0, "in_now": 1}
            connection.execute(card_listed.insert(), [{**fixed, "pseudonym": each} for each in new])
        flipped = [each for each, in_now in known.items() if in_now != int(on)]
        if flipped:
            connection.execute(
                sa.update(card_listed)
                .where(*mine, card_listed.c.pseudonym.in_(flipped))
                .values(in_now=int(on))
            )
        changed += len(new) + len(flipped)
    if _count(connection, city, name) > MAX_RECORDS:
        raise OperatorError(
            "too_many_cards",
            f"A list holds {MAX_RECORDS} cards at most.",
            "Let cards expire instead of closing them, or issue them under a new key.",
        )
    return changed


def publish(
    connection: sa.Connection,
    city: str,
    name: ListName,
    signer: Signer,
    now_ms: int,
    *,
    whole: bool = False,
) -> Published:
    """Sign the list as it is now, as a delta or as a whole one (``whole``: in any case)."""
    row = _row(connection, city, name)
    added, removed = _names(connection, city, name, 0, 1), _names(connection, city, name, 1, 0)
    epoch, day = current_epoch(connection), now_ms // DAY_MS
    if row is None or whole or len(added) + len(removed) > NEW_FULL:
        word = Word(epoch, 1 if row is None else row.version + 1, day)
        _sign_whole(connection, city, name, word, signer)
        delta = Delta(word, word.version, frozenset(), frozenset())
    else:
        before = _signed_delta(connection, city, name, signer)
        delta = Delta(Word(epoch, row.version, day), row.base, frozenset(added), frozenset(removed))
        if (before.added, before.removed) != (delta.added, delta.removed):
            delta = replace(delta, word=replace(delta.word, version=row.version + 1))
        if row.epoch != epoch:
            _sign_again(connection, city, name, epoch, day, signer)
    _keep(connection, city, f"{name}/delta", encode_delta(city, name, delta, signer))
    _note(connection, city, name, delta)
    count = _count(connection, city, name)
    return Published(
        delta.word, delta.base == delta.word.version, count, len(delta.added), len(delta.removed)
    )


def renew(connection: sa.Connection, signer: Signer, now_ms: int) -> int:
    """Sign every list's last word again where the day or the epoch is a new one; how many."""
    epoch, day = current_epoch(connection), now_ms // DAY_MS
    due = sa.or_(card_list.c.epoch < epoch, card_list.c.day < day)
    rows = connection.execute(sa.select(card_list).where(due).with_for_update()).all()
    for row in rows:
        if row.epoch != epoch:
            _sign_again(connection, row.city, row.list, epoch, day, signer)
        before = _signed_delta(connection, row.city, row.list, signer)
        delta = replace(before, word=Word(epoch, row.version, day))
        _keep(
            connection, row.city, f"{row.list}/delta",
            encode_delta(row.city, row.list, delta, signer),
        )  # fmt: skip
        _note(connection, row.city, row.list, delta)
    return len(rows)


def standings_of(connection: sa.Connection, city: str) -> list[Standing]:
    """Every list that there is."""
    found = []
    for name in NAMES:
        row, count = _row(connection, city, name), _count(connection, city, name)
        if row is None and not count:
            continue
        unsigned = count
        if row is not None:
            added, removed = _signed_changes(connection, city, name)
            unsigned = len(added.symmetric_difference(_names(connection, city, name, 0, 1)))
            unsigned += len(removed.symmetric_difference(_names(connection, city, name, 1, 0)))
        found.append(Standing(city, name, None if row is None else row.version, count, unsigned))
    return found


# --- rows ---------------------------------------------------------------------------------------------


def _row(connection: sa.Connection, city: str, name: ListName) -> sa.Row[tuple[object, ...]] | None:
    """The last word, kept from other receivers meanwhile."""
    mine = (card_list.c.city == city, card_list.c.list == name)
    return connection.execute(sa.select(card_list).where(*mine).with_for_update()).first()


def _names(
    connection: sa.Connection, city: str, name: ListName, in_full: int, in_now: int
) -> list[bytes]:
    query = sa.select(card_listed.c.pseudonym).where(
        card_listed.c.city == city,
        card_listed.c.list == name,
        card_listed.c.in_full == in_full,
        card_listed.c.in_now == in_now,
    )
    return [bytes(each) for each in connection.scalars(query)]


def _count(connection: sa.Connection, city: str, name: ListName) -> int:
    query = sa.select(sa.func.count()).where(
        card_listed.c.city == city, card_listed.c.list == name, card_listed.c.in_now == 1
    )
    return int(connection.scalar(query) or 0)


def _sign_whole(
    connection: sa.Connection, city: str, name: ListName, word: Word, signer: Signer
) -> None:
    """A new whole list: parts first, so that whoever reads its word finds them."""
    mine = (card_listed.c.city == city, card_listed.c.list == name)
    connection.execute(sa.delete(card_listed).where(*mine, card_listed.c.in_now == 0))
    connection.execute(sa.update(card_listed).where(*mine).values(in_full=1))
    records = b"".join(sorted(_names(connection, city, name, 1, 1)))
    manifest, parts = encode_full(city, name, word, records, signer)
    for number in range(MAX_PARTS):
        topic = f"{name}/full/{number}"
        if number < len(parts):
            _keep(connection, city, topic, parts[number])
        elif not _keep(connection, city, topic, b"", only_over=True):
            break  # nor was there ever one beyond
    _keep(connection, city, f"{name}/full", manifest)


def _sign_again(
    connection: sa.Connection, city: str, name: ListName, epoch: int, day: int, signer: Signer
) -> None:
    """The whole list's word in a new epoch; its parts are as they were."""
    data = _message(connection, city, f"{name}/full")
    full = _ours(lambda: read_full(data, city, name, signer.public_key))
    again: Full = replace(full, word=Word(epoch, full.word.version, day))
    _keep(connection, city, f"{name}/full", encode_manifest(city, name, again, signer))


def _signed_delta(connection: sa.Connection, city: str, name: ListName, signer: Signer) -> Delta:
    data = _message(connection, city, f"{name}/delta")
    return _ours(lambda: read_delta(data, city, name, signer.public_key))


def _signed_changes(
    connection: sa.Connection, city: str, name: ListName
) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """What the last delta says, whoever signed it."""
    wire = msgspec.json.decode(_message(connection, city, f"{name}/delta"), type=DeltaWire)
    added, removed = base64.b64decode(wire.added), base64.b64decode(wire.removed)
    return frozenset(each(added)), frozenset(each(removed))


def _ours(read: Callable[[], _Read]) -> _Read:
    """What was signed before; OperatorError where that was under another key."""
    try:
        return read()
    except Malformed as error:
        raise OperatorError(
            "lists_other_key",
            "The lists of cards were signed with another key than this one.",
            "Use the city's key, or sign all anew: kiosk-receiver cards publish --whole.",
        ) from error


def _note(connection: sa.Connection, city: str, name: ListName, delta: Delta) -> None:
    word = delta.word
    values = {"epoch": word.epoch, "version": word.version, "base": delta.base, "day": word.day}
    mine = (card_list.c.city == city, card_list.c.list == name)
    if not connection.execute(sa.update(card_list).where(*mine).values(**values)).rowcount:
        connection.execute(card_list.insert().values(city=city, list=name, **values))


def _message(connection: sa.Connection, city: str, topic: str) -> bytes:
    """What was signed for a topic, plain."""
    row = connection.execute(
        sa.select(card_message).where(card_message.c.city == city, card_message.c.topic == topic)
    ).one()
    return inflate(row.content_type, bytes(row.payload))


def _keep(
    connection: sa.Connection, city: str, topic: str, plain: bytes, *, only_over: bool = False
) -> bool:
    """Whether it was kept; ``only_over``: where something stands already, and only there."""
    content_type, payload = deflate(plain)
    values = {"content_type": content_type, "payload": payload}
    mine = (card_message.c.city == city, card_message.c.topic == topic)
    if connection.execute(sa.update(card_message).where(*mine).values(**values)).rowcount:
        return True
    if not only_over:
        connection.execute(card_message.insert().values(city=city, topic=topic, **values))
    return not only_over


# --- for whoever publishes ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signed:
    """The last word on a list of a city, and its stations."""

    city: str
    name: ListName
    word: Word
    base: int


def signed(connection: sa.Connection) -> Iterator[Signed]:
    """Every list's last word."""
    for row in connection.execute(sa.select(card_list)):
        yield Signed(row.city, row.list, Word(row.epoch, row.version, row.day), row.base)


def topics(connection: sa.Connection, city: str, name: ListName) -> list[str]:
    """The topics of a whole list, its parts before its word."""
    query = sa.select(card_message.c.topic).where(
        card_message.c.city == city, card_message.c.topic.startswith(f"{name}/full")
    )
    return sorted(connection.scalars(query), key=lambda topic: (topic.count("/") < 2, topic))


def message(connection: sa.Connection, city: str, topic: str) -> tuple[str, bytes]:
    """(content type, payload) as it goes out; an empty payload takes away what was retained."""
    row = connection.execute(
        sa.select(card_message).where(card_message.c.city == city, card_message.c.topic == topic)
    ).one()
    return row.content_type, bytes(row.payload)

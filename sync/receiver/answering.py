"""The city's answer to an export: one signed file with the acknowledgement and all that stands retained for
the station, so that a station without a network is as far as one with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlalchemy as sa

from kiosk.core import chain
from sync.messages import Ack, AckError, encode_ack, inflate
from sync.messages.card_lists import NAMES
from sync.messages.carried import ANSWER, AnswerHead, Word, encode_answer
from sync.receiver import card_lists, registry
from sync.receiver.continuity import ledger_row
from sync.receiver.database import reading
from sync.receiver.importing import Imported
from sync.receiver.tables import card_message
from sync.signing import Signer

Source = Callable[[sa.Connection, str], Iterator[Word]]
"""What stands retained for a city's stations, in the order in which they take it."""


def answer(
    engine: sa.Engine, imported: Imported, signer: Signer, now_ms: int
) -> tuple[AnswerHead, Iterator[bytes]]:
    """The answer to what one file brought: its first line, and all of its lines."""
    with reading(engine) as connection:
        epoch = registry.current_epoch(connection)
        row = ledger_row(connection, imported.ledger)
        error = None
        if imported.error is not None and imported.error_seq is not None:
            error = AckError(imported.error, imported.error_seq)
        ack = Ack(imported.ledger, epoch, 0, chain.ZERO, error)
        if row is not None and (row.city, row.station) == (imported.city, imported.station):
            ack = Ack(imported.ledger, epoch, row.watermark, row.head, error)
        retained = [word for source in SOURCES for word in source(connection, imported.city)]
    head = AnswerHead(ANSWER, imported.city, imported.station, imported.ledger, epoch, now_ms)
    said = Word("ack", encode_ack(ack, signer).decode())
    return head, encode_answer(head, iter([*retained, said]), signer)


def file_name(head: AnswerHead) -> str:
    """Of an answer on a stick."""
    return f"kiosk-answer-{head.city}-{head.station}.jsonl"


def _lists(connection: sa.Connection, city: str) -> Iterator[Word]:
    """The lists of cards: a whole one's word before its parts, as nobody takes parts of nothing."""
    for signed in card_lists.signed(connection):
        if signed.city != city:
            continue
        topics = card_lists.topics(connection, city, signed.name)
        for topic in (topics[-1], *topics[:-1], f"{signed.name}/delta"):
            payload = inflate(*card_lists.message(connection, city, topic))
            if payload:
                yield Word(topic, payload.decode())


def _others(connection: sa.Connection, city: str) -> Iterator[Word]:
    """Whatever else stands among the messages for a city's stations."""
    query = sa.select(card_message).where(card_message.c.city == city)
    for row in connection.execute(query.order_by(card_message.c.topic)):
        payload = inflate(row.content_type, bytes(row.payload))
        if payload and row.topic.split("/")[0] not in NAMES:
            yield Word(row.topic, payload.decode())


SOURCES: tuple[Source, ...] = (_lists, _others)

"""Cards that a station closed: on the city's list from the moment its entry is stored.

The station refuses the card already; the others hear of it with the next ``cards publish``. A list that
is full is told and keeps no ledger from being stored.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync.messages import Batch
from sync.receiver import card_lists

LOG = logging.getLogger("receiver.cards")
KIND = "card_closed"


def closed_in(batch: Batch, after: int) -> list[bytes]:
    """The pseudonyms of the cards that entries of a batch beyond seq ``after`` close."""
    if KIND not in batch.kinds:
        return []
    return [
        bytes.fromhex(each.pseudonym)
        for each in batch.seals
        if each.seq > after and batch.kinds[each.seq - batch.first] == KIND
    ]


def close(connection: sa.Connection, city: str, names: list[bytes]) -> int:
    """Puts cards on the city's list; how many were not closed before."""
    try:
        return card_lists.change(connection, city, "closed", names, on=True)
    except OperatorError as error:
        LOG.warning("cards that a station closed are not on the list: %s", error)
        return 0

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


def close(connection: sa.Connection, city: str, batch: Batch, after: int) -> int:
    """Takes the closings of a batch beyond seq ``after``; how many cards were not closed before."""
    kinds = {each.seq: each.kind for each in batch.entries}
    names = [
        bytes.fromhex(each.pseudonym)
        for each in batch.seals
        if each.seq > after and kinds.get(each.seq) == KIND
    ]
    if not names:
        return 0
    try:
        return card_lists.change(connection, city, "closed", names, on=True)
    except OperatorError as error:
        LOG.warning("cards that a station closed are not on the list: %s", error)
        return 0

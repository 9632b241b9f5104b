"""Acknowledgements that a later one says again: the station need not judge each of them.

While a backlog drains the city acknowledges hundreds of times a second, and each judgement costs the
station a signature check. Of those that wait together only the highest goes on, where nothing but their seq
differs; a word on an error always goes on, and so does whatever is not an acknowledgement's shape. Nothing
is believed here: whoever could forge the one that is kept could as well withhold all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.messages import Ack, Malformed, decode_ack


def superseded(payloads: Sequence[bytes]) -> set[int]:
    """The places of those that need not be judged."""
    if len(payloads) < 2:
        return set()
    newest: dict[tuple[str, int], tuple[int, int]] = {}
    """Seq and place, by ledger and epoch."""
    plain: set[int] = set()
    for place, payload in enumerate(payloads):
        ack = _plain(payload)
        if ack is not None:
            life = (ack.ledger, ack.epoch)
            newest[life] = max((ack.seq, place), newest.get(life, (0, place)))
            plain.add(place)
    return plain - {place for _, place in newest.values()}


def _plain(payload: bytes) -> Ack | None:
    """The acknowledgement where it says nothing but how far the city is."""
    try:
        ack, _ = decode_ack(payload)
    except Malformed:
        return None
    return ack if ack.error is None else None

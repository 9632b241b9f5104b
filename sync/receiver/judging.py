"""Whether a batch is what its topic says: signed by the station's key, its genesis in its place."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.core.entries import Genesis
from sync.messages import Batch, verify_batch
from sync.receiver.continuity import Refused, Whose
from sync.receiver.projections import genesis_of


def check_batch(whose: Whose, batch: Batch, known: bytes | None, keys: Sequence[bytes]) -> None:
    """Refused unless it is. ``known`` is the ledger's key, None before its genesis has come; ``keys``
    are those that count for the station."""
    _check_signature(batch, known, keys)
    later = batch.kinds[1:] if batch.first == 1 else batch.kinds
    if "genesis" in later:
        raise Refused("genesis", batch.last - len(later) + 1 + later.index("genesis"))
    if batch.first == 1:
        genesis = genesis_of(batch.values[0])
        named = genesis and (genesis.city, genesis.station, genesis.ledger)
        if named != (whose.city, whose.station, batch.ledger):
            raise Refused("genesis", 1)


def first_entry(batch: Batch) -> Genesis:
    """The genesis of a batch that begins a ledger, and was checked."""
    genesis = genesis_of(batch.values[0])
    assert genesis is not None, "the batch was checked"
    return genesis


def _check_signature(batch: Batch, known: bytes | None, keys: Sequence[bytes]) -> None:
    genesis = genesis_of(batch.values[0]) if batch.first == 1 else None
    if known is not None:
        keys = [key for key in keys if key == known]
    elif genesis is not None:
        keys = [key for key in keys if key.hex() == genesis.key]
    if not keys:
        raise Refused("unknown_key", batch.first)
    if not any(verify_batch(batch, key) for key in keys):
        # Without the genesis nobody knows which of a station's keys this ledger has.
        code = "unknown_key" if known is None and genesis is None else "bad_signature"
        raise Refused(code, batch.first)

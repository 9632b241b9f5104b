"""What stands of the orders that a station was given.

Invariant: ``Standing`` is what the ledger's ``command`` entries add up to (``after``), so a bin that is
locked, a station that is closed and a command that was done once are so after every restart too, and
nobody can make them so without an entry that says who did.

Theory. A command of the city's may arrive twice: QoS 1 delivers at least once, the city asks again when
no reply came, and whoever carries it may keep it and hand it in again. Its ``id`` is therefore remembered
from the entry that says it was done until its expiry is certainly past: later it is refused by its date
alone. ``MAX_DONE`` bounds the memory; where it is full no new command is done, rather than an old one
forgotten.
"""

from __future__ import annotations

import msgspec

from kiosk.core.entries import AnyDraft, BagSwap, BinFull, Commanded, FullBy, ScaleBroken
from kiosk.core.orders import AnyOrder, By, Close, LockBin, Message, Open, UnlockBin

MAX_DONE = 256
"""Commands whose expiry is not certainly past."""
KEEP_MS = 24 * 3600 * 1000
"""So long beyond its expiry an id is kept: as far as the clock may be set back meanwhile."""


class Standing(msgspec.Struct, frozen=True):
    """What stands now. ``closed`` why (empty for no reason given) and ``closed_by`` whom; ``locked``
    bins; ``message`` on the waiting screen; ``done`` ids with their expiry (UTC). ``full`` by whose word
    each full bin is, until its bag is changed; ``broken`` bins used without their scale."""

    closed: dict[str, str] | None = None
    closed_by: By | None = None
    locked: tuple[str, ...] = ()
    message: Message | None = None
    done: dict[str, int] = {}
    full: dict[str, tuple[FullBy, ...]] = {}
    broken: tuple[str, ...] = ()


def after(standing: Standing, entry: Commanded) -> Standing:
    """What stands once ``entry`` is in the ledger."""
    changed = _obeyed(standing, entry)
    if entry.id is None or entry.expires_ms is None:
        return changed
    done = {**remembered(standing, entry.known_ms), entry.id: entry.expires_ms}
    return msgspec.structs.replace(changed, done=done)


def at_bin(standing: Standing, draft: AnyDraft) -> Standing:
    """What stands once an entry on a bin is in the ledger."""
    match draft:
        case BagSwap(bin=name) if name in standing.full:
            said: tuple[FullBy, ...] = ()
        case BinFull(bin=name, by=by, full=full):
            said = tuple(one for one in standing.full.get(name, ()) if one != by)
            said = (*said, by) if full else said
        case ScaleBroken(bin=name, broken=broken):
            others_broken = {one for one in standing.broken if one != name}
            now = sorted({*others_broken, name} if broken else others_broken)
            return msgspec.structs.replace(standing, broken=tuple(now))
        case _:
            return standing
    others = {one: by for one, by in standing.full.items() if one != name}
    return msgspec.structs.replace(standing, full={**others, name: said} if said else others)


def remembered(standing: Standing, known_ms: int | None) -> dict[str, int]:
    """The ids that may still come again; ``known_ms`` is certainly past."""
    if known_ms is None:
        return standing.done
    return {one: end_ms for one, end_ms in standing.done.items() if end_ms + KEEP_MS > known_ms}


def _obeyed(standing: Standing, entry: Commanded) -> Standing:
    replace = msgspec.structs.replace
    match entry.order:
        case Close(reason):
            return replace(standing, closed=dict(reason or {}), closed_by=entry.by)
        case Open():
            return replace(standing, closed=None, closed_by=None)
        case LockBin(bin_id):
            return replace(standing, locked=tuple(sorted({*standing.locked, bin_id})))
        case UnlockBin(bin_id):
            return replace(standing, locked=tuple(b for b in standing.locked if b != bin_id))
        case Message(text):
            return replace(standing, message=None if text is None else entry.order)
        case _:
            return standing


def said_again(standing: Standing) -> list[Commanded]:
    """The entries by which a new ledger says again what stood in the one before. Ids are not said:
    what was done is remembered by the old ledger's file (``kiosk.ledger.earlier``)."""
    orders: list[AnyOrder] = [LockBin(bin_id) for bin_id in standing.locked]
    if standing.closed is not None:
        orders.append(Close(standing.closed or None))
    if standing.message is not None:
        orders.append(standing.message)
    return [Commanded("station", None, None, None, order) for order in orders]

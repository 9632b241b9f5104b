"""Whose a change is.

Invariant: a change is credited to a visit only where nobody else can have made it.

Load cells cannot say who. In ``one_by_one`` residents take turns, and a card begins a turn: a change
whose first movement falls inside a turn is that resident's. Around the moment where one turn ends and
the next begins, ``handover_ms`` on both sides, a movement may be the earlier resident's last or the
later one's first (people are early and late), so it is no one's (``docs/decisions/0007``). A movement
that still goes on so long after the next card may hold the next one's drop, too, and is no one's. In
``together`` visits overlap, and a change is a visit's only while that visit alone is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.core.config import Crowd
from kiosk.core.visits import Visit


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a change is: ``visit`` None where it is nobody's; ``anonymous`` where nobody was there
    and a visit without a card is to be opened for it."""

    visit: Visit | None
    anonymous: bool = False


NO_ONE = Owner(None)
UNCLAIMED = Owner(None, anonymous=True)


def owner_of(
    began_ms: int, now_ms: int, visits: Iterable[Visit], crowd: Crowd, handover_ms: int
) -> Owner:
    """Whose is a change whose first movement was at ``began_ms`` and which settled at ``now_ms``?"""
    open_then = [
        v
        for v in visits
        if v.opened_ms <= began_ms and (v.ended_ms is None or v.ended_ms > began_ms)
    ]
    opened_since = [v for v in visits if began_ms < v.opened_ms <= now_ms]
    if crowd == "together":
        if len(open_then) == 1 and not opened_since:
            return Owner(open_then[0])
        return NO_ONE if open_then or opened_since else UNCLAIMED
    if any(v.opened_ms - began_ms < handover_ms for v in opened_since):
        return NO_ONE
    if any(now_ms - v.opened_ms > handover_ms for v in opened_since):
        return NO_ONE
    if not open_then:
        return NO_ONE if opened_since else UNCLAIMED
    mine = max(open_then, key=lambda v: v.opened_ms)
    took_over = any(v.ended_ms == mine.opened_ms for v in visits if v is not mine)
    if took_over and began_ms - mine.opened_ms < handover_ms:
        return NO_ONE
    return Owner(mine)

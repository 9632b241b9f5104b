"""A station's life as its clocks tell it, and as it truly was: seeded."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from kiosk.core.timeline import DRIFT, Anchor

YEAR_MS = 365 * 86_400_000
Server = Literal["honest", "lying"]


@dataclass(frozen=True)
class Entry:
    """``true_ms`` nobody at the station knows; ``utc_ms`` is its wall clock."""

    seq: int
    boot: str
    boot_ms: int
    utc_ms: int
    true_ms: int
    recovered: bool = False


@dataclass
class World:
    """``lies`` the seqs of anchors whose server lied, ``lied`` the boots that had one."""

    entries: list[Entry] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    lies: set[int] = field(default_factory=set)
    lied: set[str] = field(default_factory=set)


def world(
    seed: int,
    *,
    boots: int,
    lie_share: float = 0.0,
    known_share: float = 0.6,
    entries: int = 6,
    recovered_share: float = 0.0,
) -> World:
    """``boots`` in a row, each with a wall clock up to ten years off that may step, a crystal within
    100 ppm, and a time server that comes early, late, several times, never, or lies."""
    draw = random.Random(seed)
    found = World()
    now_ms, seq = 1_790_000_000_000, 0
    for _ in range(boots):
        now_ms += draw.choice((2_000, 60_000, 8 * 3_600_000, 14 * 86_400_000))
        boot, begun_ms = f"{draw.getrandbits(128):032x}", now_ms
        rate = 1 + draw.uniform(-1, 1) / DRIFT * 0.99
        wall_off_ms = draw.randint(-10 * YEAR_MS, 10 * YEAR_MS)
        steps = sorted(
            draw.choice((500, 90_000, 3 * 3_600_000)) * draw.random() for _ in range(entries)
        )
        known = draw.random() < known_share
        at_anchor = (
            {draw.randrange(entries) for _ in range(draw.choice((1, 1, 2, 3)))} if known else set()
        )
        for step, after_ms in enumerate(steps):
            now_ms = max(now_ms, begun_ms + int(after_ms))
            boot_ms = 5_000 + int((now_ms - begun_ms) * rate)
            if draw.random() < 0.2:
                wall_off_ms = draw.randint(-10 * YEAR_MS, 10 * YEAR_MS)
            seq += 1
            recovered = draw.random() < recovered_share
            if step in at_anchor:
                uncertainty_ms = draw.choice((1, 50, 2_000))
                utc_ms = now_ms + draw.randint(-uncertainty_ms, uncertainty_ms)
                if draw.random() < lie_share:
                    utc_ms += draw.choice((-1, 1)) * draw.choice((20_000, 86_400_000, 10 * YEAR_MS))
                    found.lies.add(seq)
                    found.lied.add(boot)
                found.anchors.append(Anchor(seq, boot, boot_ms, utc_ms, uncertainty_ms))
            else:
                found.entries.append(
                    Entry(seq, boot, boot_ms, now_ms + wall_off_ms, now_ms, recovered)
                )
    return found

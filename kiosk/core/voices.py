"""Votes and thanks: kept so that nobody can be found behind them, and taken only so often.

Invariants
  1. A vote is in no entry by itself. Votes wait, as bare sums without time or order, until ``LEAST`` of
     them are there; then one entry tells of all of them, and only what an entry told is ever shown.
  2. Every vote is told once or not at all, whatever is cut off in between: the sums that wait know how many
     batches were told before them, and the ledger knows how many it holds.
  3. After an answer the next one is taken when another card was seen, or ``REST_MS`` later.

Theory. An entry's neighbours in the ledger say who was here a moment ago, so one vote's entry beside one
visit's end would be that card's vote. Of five at once it can only be said that the last of them was given
then. Where all five chose alike, or four of five are known, even that tells: no secret ballot is
promised. Up to four votes are never told when the question ends: fewer would be somebody's. Thanks are no
opinion: they are written one by one, and only while nobody's visit is open.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from kiosk.core.said import Voice

LEAST = 5
REST_MS = 60_000


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Votes that wait: how many for each answer, after ``told`` batches."""

    question: str
    counts: tuple[int, ...]
    told: int = 0


def held_for(held: Held | None, question: str, answers: int, told: int) -> Held:
    """What waits for this question, of which the ledger holds ``told`` batches: nothing where what waited
    was told already (the storage went on, we did not), or was of another question or other answers."""
    fits = held is not None and held.question == question and len(held.counts) == answers
    if held is None or not fits or held.told != told:
        return Held(question, (0,) * answers, told)
    return held


def with_vote(held: Held, choice: int) -> Held:
    """One more for ``choice`` (from 0)."""
    counts = list(held.counts)
    counts[choice] += 1
    return msgspec.structs.replace(held, counts=tuple(counts))


def to_tell(held: Held) -> Voice | None:
    """The entry that is due."""
    if sum(held.counts) < LEAST:
        return None
    return Voice(held.question, held.told + 1, held.counts)


def after_telling(held: Held) -> Held:
    """Its entry is durable."""
    return Held(held.question, (0,) * len(held.counts), held.told + 1)


@dataclass(frozen=True, slots=True)
class Rest:
    """When the last answer was taken (boottime), and how many cards had been seen by then."""

    t_ms: int
    checkins: int

    def is_over(self, t_ms: int, checkins: int) -> bool:
        return checkins != self.checkins or t_ms - self.t_ms >= REST_MS

"""What the rules ask of the edge, and what the edge tells back.

The edge carries effects out in order. After each ``Record`` it tells the station the committed entries'
seqs (``Station.recorded``) before it takes the next event, so the rules never believe what is not
durable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.core.entries import AnyDraft


@dataclass(frozen=True, slots=True)
class Item:
    """One draft, and what only the ledger can fill in: ``pseudonym`` (16 bytes) where it must seal one
    in; ``back`` where the draft is ``of`` the entry so many before it in the same commit."""

    draft: AnyDraft
    pseudonym: bytes | None = None
    back: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """Commit these drafts durably, in one transaction, in this order."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Beep:
    """A tone: ``seen`` a card, ``recorded`` a weight is kept, ``refused``, ``trouble``, ``here`` this is
    the station that somebody looks for. ``silent`` in the quiet hours: only what shows it does."""

    tone: Literal["seen", "recorded", "refused", "trouble", "here"]
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Lamp:
    """A bin's lamp."""

    bin: str
    mode: Literal["off", "on", "blink"]


ScaleAnswer = Literal[
    "done",
    "no_scale",  # none, lost, or out of service
    "not_ready",  # its first weight since a start or a gap is still to come, or a question is open
    "moving",  # not in stable equilibrium
    "visit_open",  # somebody may be dropping
    "beyond_limit",  # more than zero-setting may do
    "in_service",
    "impossible",  # no line that a scale can have
]

CardAnswer = Literal[
    "done",
    "show_card",  # the lost card is known: now the new one has to be shown
    "card_closed",  # it is closed already
    "nobody_came",  # no card was shown in time
    "ended",  # called off, or something else was asked for
    "no_proof",  # a card that anybody can copy opens no corner
]

CornerAnswer = Literal[
    "done",
    "corner_closed",  # it is not open now
    "busy",  # a card is waited for on a caretaker's word
]

OrderAnswer = Literal[
    "done",
    "no_such_bin",
    "expired",  # its time is over
    "clock_unsure",  # nobody here knows whether it is
    "too_far",  # it would count for longer than ids are remembered
    "too_many",  # more commands than can be told from one another for as long as they count
]

ClassAnswer = Literal[
    "done",
    "no_class",  # none is here that could leave
]

AnswerCode = ScaleAnswer | CardAnswer | OrderAnswer | CornerAnswer | ClassAnswer


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to an asked ``request``; ``done`` only after the commit. ``number`` the adjustment in
    force, ``zero_g`` how far zero has been set from the adjustment's own, in all; ``card`` the own
    name of a card that was shown for it, where who asked has to keep that."""

    request: str
    code: AnswerCode
    number: int = 0
    zero_g: int = 0
    card: bytes | None = None


Effect = Record | Beep | Lamp | Answered

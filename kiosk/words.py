"""What the city says to this station beside its acknowledgement, and who here takes it.

The uplink hands in each message on the topics that ``topics`` names, plain, by the request ``word``. A
*taker* has a few of them: it believes nothing but the city's signature, keeps what it took durably, and
says what became of it. A topic is named as it stands below the station's own (``command``), or with a
leading slash below the city's (``/catalogue``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from kiosk.control.ledger_ops import Args, checked_args
from sync.messages import MAX_PLAIN_BYTES

MAX_TOPIC = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a word. ``reason`` None where it was taken; ``wants`` topics to ask the broker for
    next; ``reply`` what to say back where the word asked for it; ``refresh`` whether the uplink is to say
    state and health anew."""

    reason: str | None
    wants: tuple[str, ...] = ()
    reply: bytes | None = None
    refresh: bool = False


class Taker(Protocol):
    """Takes the words on ``topics``, and those further below them or that it asked for."""

    @property
    def topics(self) -> tuple[str, ...]:
        """What the uplink has to listen to for good."""
        ...

    def takes(self, topic: str) -> bool:
        """Whether a word on ``topic`` is this taker's."""
        ...

    def accept(self, topic: str, payload: bytes) -> Verdict:
        """One word, on a control connection's thread; it never raises for what the bytes hold."""
        ...


class _Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topic: Annotated[str, Meta(max_length=MAX_TOPIC)]
    payload: Annotated[str, Meta(max_length=MAX_PLAIN_BYTES)]


def topics(takers: Sequence[Taker]) -> tuple[str, ...]:
    """What the uplink has to listen to, beside ``ack``."""
    return tuple(name for taker in takers for name in taker.topics)


def handler(takers: Sequence[Taker]) -> Callable[[Args], dict[str, Any]]:
    """The request ``word``."""

    def word(args: Args) -> dict[str, Any]:
        said = checked_args(args, _Word)
        for taker in takers:
            if taker.takes(said.topic):
                verdict = taker.accept(said.topic, said.payload.encode())
                break
        else:
            verdict = Verdict("topic")
        return {
            "accepted": verdict.reason is None,
            "reason": verdict.reason,
            "wants": list(verdict.wants),
            "reply": None if verdict.reply is None else verdict.reply.decode(),
            "refresh": verdict.refresh,
        }

    return word

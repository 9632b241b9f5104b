"""The control socket's ``card_replace`` and ``card_close``: a caretaker at the command line, a card at the
reader.

Each is a stream: what has to be shown, and for how long, then how it ended. When the connection ends
before, so does what was asked for. The recovery code is checked here, on the connection's thread; the rules
get pseudonyms.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator
from typing import Any, Literal

import msgspec

from drivers.clock import boottime_ms
from kiosk.answers import Answers
from kiosk.control.ledger_ops import Args, checked_args
from kiosk.core.cards import CardDesk
from kiosk.core.effects import AnswerCode
from kiosk.core.entries import CloseCause
from kiosk.core.errors import OperatorError
from kiosk.core.events import CardWork, SlipSeen

HEARTBEAT_S = 0.5
MAX_BEATS = 400
"""The rules give up after 30 s of waiting for a slip and 30 for a card; the storage may take its time."""

Item = dict[str, Any]
Stream = Generator[Item | None, None, None]


class _Replace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str | None = None


class _Close(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str | None = None
    cause: CloseCause = "lost"


class CardOps:
    """``desk`` makes the desk that knows the keys; DeviceError while they are missing."""

    def __init__(self, answers: Answers, desk: Callable[[], CardDesk], wait_ms: int) -> None:
        self._answers = answers
        self._desk = desk
        self._wait_ms = wait_ms

    def replace(self, args: Args) -> Stream:
        """The lost card of ``code`` by the spare one shown; without a code its slip is shown first."""
        asked = checked_args(args, _Replace)
        lost = self._lost(asked.code)
        if lost is None:
            yield self._show("slip")
        yield from self._work("replace", lost, "replaced")

    def close(self, args: Args) -> Stream:
        """The card of ``code``, or the next card or slip shown."""
        asked = checked_args(args, _Close)
        lost = self._lost(asked.code)
        if lost is None:
            yield self._show("any")
        yield from self._work("close", lost, asked.cause)

    def _lost(self, code: str | None) -> SlipSeen | None:
        if code is None:
            return None
        return self._desk().recover(code, t_ms=boottime_ms())

    def _show(self, what: Literal["slip", "card", "any"]) -> Item:
        return {"show": what, "wait_s": self._wait_ms // 1000}

    def _work(
        self, work: Literal["replace", "close"], lost: SlipSeen | None, cause: CloseCause
    ) -> Stream:
        with self._answers.talk(
            lambda request: CardWork(boottime_ms(), request, work, lost, cause),
            lambda request: CardWork(boottime_ms(), request, "end"),
        ) as answers:
            for _ in range(MAX_BEATS):
                try:
                    code = answers.get(timeout=HEARTBEAT_S).code
                except queue.Empty:
                    yield None
                    continue
                if code == "show_card":
                    yield self._show("card")
                    continue
                yield from _ended(code)
                return
        raise _refusal("nobody_came")


def _ended(code: AnswerCode) -> Stream:
    if code != "done":
        raise _refusal(code)
    yield {"done": True}


def _refusal(code: AnswerCode) -> OperatorError:
    if code == "card_closed":
        return OperatorError(
            "card_closed_already",
            "This card is closed already.",
            "If it was replaced before, use the slip of the newer card.",
        )
    if code == "ended":
        return OperatorError(
            "card_work_ended",
            "Something else was asked for meanwhile.",
            "Begin again if it is still needed.",
        )
    return OperatorError(
        "no_card_shown",
        "No card was shown in time.",
        "Begin again, and hold it before the reader within the time.",
    )

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
from kiosk.core.effects import AnswerCode, Answered
from kiosk.core.entries import CloseCause
from kiosk.core.errors import OperatorError
from kiosk.core.events import CardWork, Event, SlipSeen

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
            yield show("slip", self._wait_ms)
        yield from self._work("replace", lost, "replaced")

    def close(self, args: Args) -> Stream:
        """The card of ``code``, or the next card or slip shown."""
        asked = checked_args(args, _Close)
        lost = self._lost(asked.code)
        if lost is None:
            yield show("any", self._wait_ms)
        yield from self._work("close", lost, asked.cause)

    def _lost(self, code: str | None) -> SlipSeen | None:
        if code is None:
            return None
        return self._desk().recover(code, t_ms=boottime_ms())

    def _work(
        self, work: Literal["replace", "close"], lost: SlipSeen | None, cause: CloseCause
    ) -> Stream:
        yield from worked(self._answers, work, self._wait_ms, lost=lost, cause=cause)
        yield {"done": True}


def show(what: Literal["slip", "card", "any"], wait_ms: int) -> Item:
    """What has to be shown now, and for how long somebody waits for it."""
    return {"show": what, "wait_s": wait_ms // 1000}


def as_said(work: CardWork) -> Event:
    return work


def worked(
    answers: Answers,
    work: Literal["replace", "close", "appoint", "begin"],
    wait_ms: int,
    *,
    lost: SlipSeen | None = None,
    cause: CloseCause = "lost",
    within: Callable[[CardWork], Event] = as_said,
) -> Generator[Item | None, None, Answered]:
    """Asks, says what is to be shown (None: time passes), and returns the rules' ``done``. ``within`` what
    the question is asked in. Raises OperatorError where it ended otherwise."""
    with answers.talk(
        lambda request: within(CardWork(boottime_ms(), request, work, lost, cause)),
        lambda request: CardWork(boottime_ms(), request, "end"),
    ) as box:
        for _ in range(MAX_BEATS):
            try:
                answered = box.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                yield None
                continue
            if answered.code == "show_card":
                yield show("card", wait_ms)
                continue
            if answered.code != "done":
                raise _refusal(answered.code)
            return answered
    raise _refusal("nobody_came")


def _refusal(code: AnswerCode) -> OperatorError:
    if code == "card_closed":
        return OperatorError(
            "card_closed_already",
            "This card is closed already.",
            "If it was replaced before, use the slip of the newer card.",
        )
    if code == "no_proof":
        return OperatorError(
            "card_proves_nothing",
            "Anybody can copy this card, so it opens no caretaker's corner.",
            "Take a printed card of the town, or a chip that proves itself.",
        )
    if code == "corner_closed":
        return OperatorError(
            "corner_closed",
            "The caretaker's corner is not open.",
            "Touch the caretaker's button, and show the card.",
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

"""What caretakers ask of the rules through the control socket: touches, zero setting, work at a scale,
closing and opening.

Each request goes in as an event; its answer is what the rules say once that is durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from drivers.clock import boottime_ms
from kiosk.answers import Answers
from kiosk.control.ledger_ops import Args, checked_args
from kiosk.control.server import Handler
from kiosk.core.adjusted import Adjusted
from kiosk.core.effects import Answered
from kiosk.core.errors import OperatorError
from kiosk.core.events import (
    OrderGiven,
    ScaleAdjusted,
    ServiceAsked,
    Touch,
    TouchAction,
    ZeroAsked,
)
from kiosk.core.orders import Close, Message, Open
from kiosk.core.said import MAX_TEAMS, MIN_TEAMS
from kiosk.core.taught import ClassAsked
from kiosk.loop import Loop

TOUCH_S = 5.0
"""How long the command line waits for what its touch leads to."""


class _Touched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: TouchAction
    bin: str | None = None


class _AtBin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str


class _Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str
    begin: bool


class _NewLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str
    method: str
    scale: Adjusted
    empty_g: int | None = 0


class _Class(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    teams: Annotated[int, Meta(ge=MIN_TEAMS, le=MAX_TEAMS)] | None


class _Ordered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order: Close | Open | Message


def caretaker_ops(loop: Loop, answers: Answers) -> Mapping[str, Handler]:
    """The handlers."""

    def touch(args: Args) -> dict[str, Any]:
        """Does as a finger on the screen would; gives what was written for it at that bin."""
        asked = checked_args(args, _Touched)
        try:
            written = loop.follow(Touch(boottime_ms(), asked.action, asked.bin), TOUCH_S)
        except TimeoutError:
            raise OperatorError(
                "station_busy",
                "The station is busy; what was asked may still be done.",
                "Look at kiosk ledger show in a minute.",
            ) from None
        entries = [
            {"seq": seq, **msgspec.to_builtins(item.draft)}
            for seq, item in written
            if getattr(item.draft, "bin", None) == asked.bin
        ]
        return {"written": entries}

    def zero(args: Args) -> dict[str, Any]:
        asked, t_ms = checked_args(args, _AtBin), boottime_ms()
        return _told(answers.ask(lambda request: ZeroAsked(t_ms, asked.bin, request)))

    def service(args: Args) -> dict[str, Any]:
        asked, t_ms = checked_args(args, _Service), boottime_ms()
        return _told(
            answers.ask(lambda request: ServiceAsked(t_ms, asked.bin, request, asked.begin))
        )

    def adjust(args: Args) -> dict[str, Any]:
        asked, t_ms = checked_args(args, _NewLine), boottime_ms()
        return _told(
            answers.ask(
                lambda request: ScaleAdjusted(
                    t_ms, asked.bin, request, asked.method, asked.scale, asked.empty_g
                )
            )
        )

    def order(args: Args) -> dict[str, Any]:
        """Closes or opens the station, or puts a sentence on its screen."""
        asked, t_ms = checked_args(args, _Ordered), boottime_ms()
        told = answers.ask(lambda request: OrderGiven(t_ms, request, "caretaker", asked.order))
        return {"code": told.code}

    def lesson(args: Args) -> dict[str, Any]:
        """A class comes in so many teams, or (null) goes."""
        asked, t_ms = checked_args(args, _Class), boottime_ms()
        return _told(answers.ask(lambda request: ClassAsked(t_ms, request, asked.teams or 0)))

    return {
        "touch": touch,
        "class": lesson,
        "order": order,
        "scale_zero": zero,
        "scale_service": service,
        "scale_adjust": adjust,
    }


def _told(answered: Answered) -> dict[str, Any]:
    return {"code": answered.code, "number": answered.number, "zero_g": answered.zero_g}

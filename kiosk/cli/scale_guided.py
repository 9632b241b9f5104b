"""Guides somebody through the laying on of known loads, in words or in JSON lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from kiosk.cli.call import Call
from kiosk.cli.scale_live import cancelled
from kiosk.core.adjustment import Load, Reference, unfit_reference
from kiosk.core.errors import OperatorError
from kiosk.core.guide import Ask, Finished, GaveUp, Guide, Measured, Refused, Sign
from kiosk.scale_work import (
    LIMIT_S,
    Doubt,
    Heard,
    Line,
    Lost,
    Sample,
    gave_up,
    name_of,
    refusal_words,
    refused,
    scale_lost,
)

DRAWN_S = 0.25
"""Between two pictures of the live weight."""


class Cancelled(Exception):
    """Somebody wanted no more; nothing was kept."""


def check_references(call: Call, references: Sequence[Reference], line: Line) -> None:
    """OperatorError for a reference that cannot serve on this scale."""
    for reference in references:
        why = unfit_reference(reference, line.instrument)
        if why is not None:
            what, todo = refusal_words(call.words, why)
            raise OperatorError(f"adjust_{name_of(why)}", what, todo)


def guided(
    call: Call, line: Line, heard: Iterator[Heard], references: Sequence[Reference], placements: int
) -> tuple[Load, ...]:
    """The measured loads. Raises Cancelled, or DeviceError where it came to nothing."""
    guide = Guide(references, placements, line.instrument, line.rate_sps)
    teller = Teller(call)
    teller.tell(guide.begin())
    until_s = time.monotonic() + LIMIT_S
    for one in heard:
        if isinstance(one, Lost):
            raise scale_lost(one.code)
        if isinstance(one, Doubt):
            guide.doubt()
        signs = guide.feed(one.t_ms, one.counts) if isinstance(one, Sample) else []
        teller.tell(signs)
        teller.draw(guide)
        if signs and isinstance(signs[-1], Finished):
            return signs[-1].loads
        if guide.over or time.monotonic() > until_s:
            patience = not (signs and signs[-1] == GaveUp("refusals"))
            raise gave_up("patience" if patience else "refusals")
        if not call.json and cancelled():
            raise Cancelled
    raise gave_up("patience")


class Teller:
    """Says a guide's signs, and draws the live weight on a terminal."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._drawn_s = 0.0
        self._drawing = False

    def tell(self, signs: Sequence[Sign]) -> None:
        for sign in signs:
            if self._call.json:
                self._call.write_each([plain(sign)])
            else:
                self._clear()
                self._say(sign)

    def draw(self, guide: Guide) -> None:
        """The weight in place, four times a second."""
        now_s = time.monotonic()
        if self._call.json or not sys.stdout.isatty() or now_s - self._drawn_s < DRAWN_S:
            return
        self._drawn_s, self._drawing = now_s, True
        live_g = guide.live_g
        weight = "—" if live_g is None else f"{live_g / 1000:.3f} kg"
        still = self._call.words("adjust.still" if guide.still else "adjust.moving")
        click.echo(f"\r  {weight:>12}  {still}   ", nl=False)

    def _clear(self) -> None:
        if self._drawing:
            click.echo()
            self._drawing = False

    def _say(self, sign: Sign) -> None:
        call = self._call
        match sign:
            case Ask():
                load, placement = sign.load, sign.placement
                key = f"adjust.ask_{sign.step}"
                if sign.step == "load" and placement > 1:
                    key = "adjust.ask_again"
                call.say(key, kg=f"{sign.reference.mass_g / 1000:.3f}", load=load)
            case Measured():
                call.say(f"adjust.measured_{sign.step}", kg=f"{sign.grams / 1000:.3f}")
            case Refused():
                what, todo = refusal_words(call.words, sign.why)
                call.say("line.error", what=what, todo=todo)
            case _:
                pass


def plain(sign: Sign) -> dict[str, Any]:
    """A sign as a JSON line."""
    match sign:
        case Ask():
            return {
                "kind": "ask",
                "step": sign.step,
                "load": sign.load,
                "placement": sign.placement,
                "known_g": sign.reference.mass_g,
            }
        case Measured():
            return {
                "kind": "measured",
                "step": sign.step,
                "load": sign.load,
                "placement": sign.placement,
                "shown_g": round(sign.grams, 3),
                "uncertainty_g": round(sign.uncertainty_g, 3),
            }
        case Refused():
            return refused(sign.why)
        case GaveUp():
            return {"kind": "gave_up", "reason": sign.why}
        case Finished():
            return {"kind": "measured_all", "loads": len(sign.loads)}

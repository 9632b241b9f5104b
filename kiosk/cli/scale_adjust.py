"""``kiosk scale adjust``: nothing is kept before the last step, and then in one ledger entry."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
import msgspec

from kiosk.cli import asking
from kiosk.cli.call import Call
from kiosk.cli.menu import ask_number
from kiosk.cli.scale_guided import (
    Cancelled,
    check_references,
    guided,
)
from kiosk.cli.scale_live import check_answer, line_of, listening
from kiosk.core import gravity
from kiosk.core.adjusted import Adjusted, slope_ncounts
from kiosk.core.adjustment import Fit, Load, Reference, fit
from kiosk.core.errors import DeviceError, OperatorError
from kiosk.scale_work import (
    Line,
    household_tolerance_g,
    method_of,
    new_line,
    refusal_words,
    refused,
)

STEADY_TRIES = 20
STEADY_S = 0.5
"""The rules take a new line only at rest: asked so often, so far apart."""
MAX_GRAMS_DIGITS = 7
MAX_ASKED = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What the call asked for; ``empty`` None where that is still to be asked."""

    references: tuple[Reference, ...]
    placements: int
    empty: bool | None
    yes: bool
    gravity_m_s2: float | None


def adjust(call: Call, bin_id: str, wish: Wish) -> int:
    """The whole of it: 0 kept or cancelled, 1 where it came to nothing."""
    line = line_of(call.settings, bin_id)
    if not line.raw:
        raise OperatorError(
            "indicator_adjusts_itself",
            "An indicator is adjusted at the indicator, and its seal may not be broken.",
            "Follow its manual; kiosk scale verify checks it afterwards.",
        )
    try:
        wish = asked(call, wish)
        check_references(call, wish.references, line)
        call.say("adjust.begins", bin=bin_id)
        with listening(call.settings, bin_id, service=True) as (line, heard):
            loads = guided(call, line, heard, wish.references, wish.placements)
            found = fit(loads, line.instrument)
            if not isinstance(found, Fit):
                return tell_refused(call, found)
            tell(call, line, found)
            if not agreed(call, wish, found):
                raise Cancelled
            answer = keep(call, line, found, loads, wish)
    except (Cancelled, KeyboardInterrupt):
        return dropped(call)
    call.say("adjust.kept", number=answer["number"])
    if call.json:
        call.write({"kind": "result", "kept": True, "number": answer["number"]})
    return 0


def moved(call: Call, bin_id: str, here_m_s2: float) -> int:
    """The scale was adjusted elsewhere: only gravity's part of the slope changes."""
    line = line_of(call.settings, bin_id)
    before = line.scale.gravity_um_per_s2 if line.scale is not None else None
    if before is None or line.counts_per_gram is None or line.scale is None:
        raise OperatorError(
            "gravity_unknown",
            "It is not known at what gravity this scale was adjusted.",
            "Adjust it here with a known weight: kiosk scale adjust.",
        )
    slope = gravity.moved(line.counts_per_gram, before / 1e6, here_m_s2)
    scale = msgspec.structs.replace(
        line.scale,
        slope_ncounts_per_g=slope_ncounts(slope),
        gravity_um_per_s2=round(here_m_s2 * 1e6),
    )
    answer = put(call, bin_id, "gravity", scale, None)
    call.say("adjust.kept", number=answer["number"])
    if call.json:
        change_ppm = round((slope / line.counts_per_gram - 1) * 1e6)
        call.write(
            {"kind": "result", "kept": True, "number": answer["number"], "change_ppm": change_ppm}
        )
    return 0


# -- what has to be asked before ------------------------------------------------------------------


def asked(call: Call, wish: Wish) -> Wish:
    """The wish with what a person was asked; a program has to say it all."""
    if wish.references and (wish.empty is not None or call.json or wish.yes):
        return wish
    if call.json:
        raise OperatorError(
            "adjust_what", "The weight of what is laid on is missing.", "Give it with --known-g."
        )
    call.say("adjust.welcome")
    references, empty = wish.references, wish.empty
    if not references:
        mass_g = ask_grams(call)
        tolerance_g = household_tolerance_g(mass_g)
        references = (Reference(mass_g, tolerance_g),)
        call.say("adjust.trusted", tolerance_g=f"{tolerance_g:.0f}")
    if empty is None:
        call.say("adjust.is_empty")
        answer = ask_number(call, "adjust.which", 2)
        if answer == 0:
            raise Cancelled
        empty = answer == 1
    return Wish(references, wish.placements, empty, wish.yes, wish.gravity_m_s2)


def ask_grams(call: Call) -> int:
    """The bottle's weight, by a number pad."""
    for _ in range(MAX_ASKED):
        click.echo(call.words("adjust.how_heavy"), nl=False)
        try:
            text = input().strip()
        except EOFError:
            break
        # Full-width digits, too, as in the menu.
        if text.isdecimal() and len(text) <= MAX_GRAMS_DIGITS:
            grams = int(text)
            if grams == 0:
                break
            return grams
        call.say("adjust.grams_again")
    raise Cancelled


def agreed(call: Call, wish: Wish, found: Fit) -> bool:
    """The last step."""
    if wish.yes:
        return True
    if call.json:
        return False
    if found.asks:
        call.say("adjust.big_change", pct=f"{100 * found.change:+.1f}")
    return ask_number(call, "adjust.keep", 1) == 1


# -- what is told and kept ----------------------------------------------------------------------


def tell(call: Call, line: Line, found: Fit) -> None:
    full_g = line.max_g * found.relative_uncertainty
    if call.json:
        call.write_each([fitted(line, found)])
        return
    call.say("adjust.found", pct=f"{100 * found.change:+.2f}", full_g=f"{full_g:.0f}")
    if found.repeat_g is not None:
        call.say("adjust.repeated", grams=f"{found.repeat_g:.0f}")
    if len(found.residuals_g) > 1:
        call.say("adjust.linear", grams=f"{max(map(abs, found.residuals_g)):.0f}")


def fitted(line: Line, found: Fit) -> dict[str, Any]:
    return {
        "kind": "fit",
        "counts_per_gram": found.counts_per_gram,
        "zero_counts": round(found.zero_counts),
        "relative_uncertainty": found.relative_uncertainty,
        "uncertainty_at_max_g": round(line.max_g * found.relative_uncertainty, 1),
        "change": found.change,
        "asks": found.asks,
        "repeat_g": None if found.repeat_g is None else round(found.repeat_g, 3),
        "residuals_g": [round(one, 3) for one in found.residuals_g],
    }


def keep(call: Call, line: Line, found: Fit, loads: Sequence[Load], wish: Wish) -> dict[str, Any]:
    """Puts the new line in force."""
    scale = new_line(line, found, loads, empty=bool(wish.empty), gravity_m_s2=wish.gravity_m_s2)
    return put(call, line.bin, method_of(loads), scale, 0 if wish.empty else None)


def put(
    call: Call, bin_id: str, method: str, scale: Adjusted, empty_g: int | None
) -> dict[str, Any]:
    """Asks until the scale is at rest; DeviceError where it never is."""
    for _ in range(STEADY_TRIES):
        answer = asking.ask(
            call.settings,
            "scale_adjust",
            bin=bin_id,
            method=method,
            scale=msgspec.to_builtins(scale),
            empty_g=empty_g,
        )
        if answer["code"] != "moving":
            return check_answer(answer)
        time.sleep(STEADY_S)
    return check_answer(answer)


def tell_refused(call: Call, why: Any) -> int:
    if call.json:
        call.write(refused(why), {"kind": "result", "kept": False})
    else:
        what, todo = refusal_words(call.words, why)
        raise DeviceError("adjust_refused", what, todo)
    return 1


def dropped(call: Call) -> int:
    call.say("adjust.dropped")
    if call.json:
        call.write({"kind": "result", "kept": False})
    return 0

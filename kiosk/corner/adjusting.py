"""The guided adjustment from the screen: the same guide as on the command line, its signs told to the page.

Invariant: nothing is kept before the last touch, and then in one ledger entry. Until then the bin is in
service, and however this ends, so does the service (``kiosk.tapping``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from drivers.clock import boottime_ms
from kiosk.cli.texts import LANGUAGES, Words
from kiosk.core.adjustment import Fit, Load, Reference, Refusal, fit, unfit_reference
from kiosk.core.errors import DeviceError, OperatorError
from kiosk.core.events import CornerActed, ScaleAdjusted
from kiosk.core.guide import Ask, Finished, GaveUp, Guide, Measured, Refused, Sign
from kiosk.scale_work import (
    LIMIT_S,
    Doubt,
    Line,
    Lost,
    Sample,
    gave_up,
    household_tolerance_g,
    method_of,
    name_of,
    new_line,
    parts,
    refusal_words,
    scale_lost,
)

if TYPE_CHECKING:
    from kiosk.answers import Answers
    from kiosk.corner.jobs import Job
    from kiosk.corner.shapes import Adjust
    from kiosk.tapping import ScaleOps

PLACEMENTS = 2
"""The bottle is laid on twice, so that one that stands askew is noticed."""
DRAWN_S = 0.25
"""Between two pictures of the live weight."""
STEADY_TRIES, STEADY_S = 20, 0.5
"""The rules take a new line only at rest: asked so often, so far apart."""


class Adjusting:
    """One adjustment. ``stir`` keeps the corner open while the scale sees somebody at work."""

    def __init__(
        self, wish: Adjust, scales: ScaleOps, answers: Answers, stir: Callable[[], None]
    ) -> None:
        self._wish = wish
        self._scales = scales
        self._answers = answers
        self._stir = stir
        self._reference = Reference(wish.grams, household_tolerance_g(wish.grams))

    def check(self) -> None:
        """Before anything begins. OperatorError for a bin or a bottle that cannot serve."""
        line = msgspec.convert(self._scales.line({"bin": self._wish.bin}), Line)
        if not line.raw:
            raise OperatorError(
                "indicator_adjusts_itself",
                "An indicator is adjusted at the indicator, and its seal may not be broken.",
                "Follow its manual.",
            )
        why = unfit_reference(self._reference, line.instrument)
        if why is not None:
            what, todo = refusal_words(Words("en"), why)
            raise OperatorError(f"adjust_{name_of(why)}", what, todo)

    def work(self, job: Job) -> None:
        """The whole of it. Raises KioskError where it came to nothing."""
        stream = self._scales.heard(
            self._wish.bin,
            service=True,
            within=lambda asked: CornerActed(asked.t_ms, asked.request, asked),
        )
        with closing(stream):
            first = next(stream)
            assert first is not None
            line = msgspec.convert(first, Line)
            loads = self._guided(job, line, stream)
            found = fit(loads, line.instrument)
            if not isinstance(found, Fit):
                job.tell(refused=in_words(found))
                raise DeviceError("adjust_refused", "The readings make no line.", "Begin again.")
            full_g = line.max_g * found.relative_uncertainty
            job.tell(
                step="agree",
                refused=None,
                change=f"{100 * found.change:+.1f}",
                full=f"{full_g:.0f}",
                asks=found.asks,
            )
            self._wait(job, stream)
            self._keep(line, found, loads)
            job.tell(step="kept")
            self._stir()

    def _guided(self, job: Job, line: Line, stream: Any) -> tuple[Load, ...]:
        guide = Guide([self._reference], PLACEMENTS, line.instrument, line.rate_sps)
        self._tell(job, guide.begin())
        until_s, drawn_s = time.monotonic() + LIMIT_S, 0.0
        for item in stream:
            job.check()
            for one in parts(item):
                if isinstance(one, Lost):
                    raise scale_lost(one.code)
                if isinstance(one, Doubt):
                    guide.doubt()
                signs = guide.feed(one.t_ms, one.counts) if isinstance(one, Sample) else []
                if signs:
                    self._stir()
                    self._tell(job, signs)
                    if isinstance(signs[-1], Finished):
                        return signs[-1].loads
                    if isinstance(signs[-1], GaveUp):
                        raise gave_up(signs[-1].why)
            now_s = time.monotonic()
            if now_s > until_s:
                break
            if now_s - drawn_s >= DRAWN_S:
                drawn_s = now_s
                if guide.live_g is not None:
                    live = f"{guide.live_g / 1000:.2f}".replace("-0.00", "0.00")
                    job.tell(live=live, still=guide.still)
        raise gave_up("patience")

    def _wait(self, job: Job, stream: Any) -> None:
        """For the last touch; the corner's own time bounds it."""
        until_s = time.monotonic() + LIMIT_S
        for _ in stream:
            job.check()
            if job.agreed:
                return
            if time.monotonic() > until_s:
                raise gave_up("patience")

    def _keep(self, line: Line, found: Fit, loads: tuple[Load, ...]) -> None:
        wish = self._wish
        scale = new_line(line, found, loads, empty=wish.empty)
        code = "moving"
        for _ in range(STEADY_TRIES):
            t_ms = boottime_ms()
            code = self._answers.ask(
                lambda request, t_ms=t_ms: CornerActed(  # type: ignore[misc]
                    t_ms,
                    request,
                    ScaleAdjusted(
                        t_ms, wish.bin, request, method_of(loads), scale, 0 if wish.empty else None
                    ),
                )
            ).code
            if code != "moving":
                break
            time.sleep(STEADY_S)
        if code != "done":
            raise DeviceError(
                f"scale_{code}", f"The scale cannot be adjusted now ({code}).", "Begin again."
            )

    def _tell(self, job: Job, signs: list[Sign]) -> None:
        for sign in signs:
            match sign:
                case Ask():
                    job.tell(step=sign.step, placement=sign.placement)
                case Refused():
                    job.tell(refused=in_words(sign.why))
                case Measured():
                    job.tell(refused=None)
                case _:
                    pass


def in_words(why: Refusal) -> dict[str, dict[str, str]]:
    """What is wrong and what to do, by language: the command line's own sentences."""
    said = {language: refusal_words(Words(language), why) for language in LANGUAGES}
    return {
        "what": {language: what for language, (what, _) in said.items()},
        "todo": {language: todo for language, (_, todo) in said.items()},
    }

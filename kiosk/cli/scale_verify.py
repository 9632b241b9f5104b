"""``kiosk scale verify``: known loads against the limits of a class, and the answer to "is it right?"."""

from __future__ import annotations

from dataclasses import asdict

from kiosk.cli.call import Call
from kiosk.cli.scale_guided import Cancelled, guided
from kiosk.cli.scale_live import listening
from kiosk.core.adjustment import Load, Reference
from kiosk.core.limits import Accuracy
from kiosk.core.verdict import Verdict, judge


def verify(call: Call, bin_id: str, references: tuple[Reference, ...], accuracy: Accuracy) -> int:
    """0 where every load passed, 1 where one failed."""
    try:
        with listening(call.settings, bin_id, service=True) as (line, heard):
            call.say("verify_scale.begins", bin=bin_id)
            loads = guided(call, line, heard, references, 1)
    except (Cancelled, KeyboardInterrupt):
        call.say("adjust.dropped")
        if call.json:
            call.write({"kind": "result", "class": accuracy, "passed": None})
        return 0
    slope = line.instrument.counts_per_gram * line.warmth_gain  # the guide hears raw counts
    verdicts = [judged(load, slope, line.division_g, accuracy) for load in loads]
    for verdict in verdicts:
        tell(call, verdict)
    passed = all(one.passed for one in verdicts)
    call.say(
        "verify_scale.passed" if passed else "verify_scale.failed",
        accuracy=accuracy,
        division_g=line.division_g,
    )
    if call.json:
        call.write({"kind": "result", "class": accuracy, "passed": passed})
    return 0 if passed else 1


def judged(load: Load, slope: float, division_g: int, accuracy: Accuracy) -> Verdict:
    shown_g = load.rise_counts / slope
    reference = load.reference
    return judge(reference.mass_g, reference.tolerance_g, shown_g, division_g, accuracy)


def tell(call: Call, verdict: Verdict) -> None:
    if call.json:
        figures = {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(verdict).items()
        }
        call.write_each([{"kind": "verdict", **figures}])
        return
    limit_g = verdict.limit_g
    key = "beyond" if limit_g is None else "good" if verdict.passed else "bad"
    call.say(
        f"verify_scale.{key}",
        kg=f"{verdict.load_g / 1000:.3f}",
        error_g=f"{verdict.error_g:+.1f}",
        limit_g="—" if limit_g is None else f"{limit_g:.0f}",
    )
    if not verdict.sure and limit_g is not None:
        call.say("verify_scale.unsure")

"""``kiosk scale diagnose``: ten seconds of the live scale, in human words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict

import click

from kiosk.cli.call import Call
from kiosk.cli.scale_live import listening
from kiosk.cli.sentences import cause
from kiosk.core.diagnosis import SECONDS, Figures, Finding, Watched, diagnose
from kiosk.scale_work import MG, Doubt, Heard, Line, Lost, Refusals, Sample

MAX_SAMPLES = 4_000
ORDER = ("OK", "WARN", "ERR")


def diagnosed(call: Call, bin_id: str) -> int:
    """1 where something is in the way of weighing."""
    with listening(call.settings, bin_id, service=False) as (line, heard):
        call.say("diagnose.begins", bin=bin_id, seconds=SECONDS)
        figures, findings = diagnose(watched(line, heard))
    worst = max((one.level for one in findings), key=ORDER.index)
    if call.json:
        told = [told_plainly(call, one) for one in findings]
        call.write({"bin": bin_id, "worst": worst, **figured(figures), "findings": told})
        return 1 if worst == "ERR" else 0
    say_figures(call, figures)
    for finding in findings:
        what, todo = sentences(call, finding)
        click.echo(f"{call.words('level.' + finding.level)}  {what}")
        if finding.level != "OK":
            call.say("doctor_page.todo", todo=todo)
    call.say(f"diagnose.{worst}")
    return 1 if worst == "ERR" else 0


def watched(line: Line, heard: Iterator[Heard]) -> Watched:
    """All that the scale says for ``SECONDS``."""
    samples: list[Sample] = []
    refused = gaps = moving = 0
    lost: list[str] = [] if line.lost is None else [line.lost]
    until_s = time.monotonic() + SECONDS
    for one in heard:
        match one:
            case Sample():
                samples.append(one)
            case Doubt(moving=True):
                moving += 1
            case Doubt():
                gaps += 1
            case Refusals():
                refused += one.frames
            case Lost():
                lost.append(one.code)
            case _:
                pass
        if time.monotonic() >= until_s or len(samples) >= MAX_SAMPLES:
            break
    return Watched(
        t_ms=[one.t_ms for one in samples],
        counts=[one.counts for one in samples],
        counts_per_gram=line.counts_per_gram or MG,
        zero_counts=line.zero_counts or 0,
        max_g=line.max_g,
        division_g=line.division_g,
        rate_sps=line.rate_sps,
        raw=line.raw,
        refused=refused,
        gaps=gaps,
        moving=moving,
        lost=lost,
    )


def figured(figures: Figures) -> dict[str, object]:
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in asdict(figures).items()
    }


def say_figures(call: Call, figures: Figures) -> None:
    if figures.gross_g is None or figures.noise_g is None:
        return
    call.say(
        "diagnose.figures",
        kg=f"{figures.gross_g / 1000:.3f}",
        noise_g=f"{figures.noise_g:.1f}",
        rate_sps=f"{figures.rate_sps:.1f}",
        samples=figures.samples,
    )


def sentences(call: Call, finding: Finding) -> tuple[str, str]:
    """What was found and what to do about it."""
    values = {**finding.values}
    if "cause" in values:
        values["cause"] = cause(call.words, str(values["cause"]))
    key = f"diagnosis.{finding.check}.{finding.case}"
    todo = call.words.get(f"{key}.todo", **values)
    return call.words(f"{key}.what", **values), todo or ""


def told_plainly(call: Call, finding: Finding) -> dict[str, object]:
    what, todo = sentences(call, finding)
    return {
        "check": finding.check,
        "level": finding.level,
        "case": finding.case,
        "values": dict(finding.values),
        "what": what,
        "todo": todo,
    }

"""What stands in the ledger and whether it holds, for people: ``kiosk ledger``, and what a touch wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from kiosk.cli.call import Call
from kiosk.cli.sentences import UNKNOWN, cause
from kiosk.cli.tables import table
from kiosk.cli.texts import Words
from kiosk.cli.time_words import certain_time, told_time

if TYPE_CHECKING:
    from kiosk.core.timeline import Interval
    from kiosk.ledger.finding import Finding, Verdict


def verdict(call: Call, found: Verdict) -> None:
    """``kiosk ledger verify``: what is wrong, then what could not be checked."""
    findings = [(one, finding_words(call.words, one)) for one in found.findings]
    gaps = [(one, call.words(f"unchecked.{one.code}", **one.values)) for one in found.unchecked]
    if call.json:
        call.write(
            {
                "good": not findings,
                "findings": [
                    {"code": one.code, "seq": one.seq, **one.values, "words": words}
                    for one, words in findings
                ],
                "unchecked": [
                    {"code": one.code, **one.values, "words": words} for one, words in gaps
                ],
            }
        )
        return
    for _, words in findings:
        click.echo(words)
    well = "good_far" if gaps else "good"
    how = {0: well, 1: "bad_one"}.get(len(findings), "bad")
    call.say(f"verify_page.{how}", count=len(findings))
    for _, words in gaps:
        call.say("verify_page.unchecked", words=words)


def finding_words(words: Words, finding: Finding) -> str:
    """One sentence for one finding of the ledger's checker."""
    key = f"verify.{finding.code}" + (f"_{finding.case}" if finding.case else "")
    values = {name: UNKNOWN if one is None else one for name, one in finding.values.items()}
    if "cause" in values:
        values["cause"] = cause(words, values["cause"])
    return words(key, seq=finding.seq, **values)


def entries(
    call: Call, found: Sequence[Mapping[str, Any]], times: Sequence[Interval | None] | None
) -> None:
    """The ledger's entries, a line each; a clock that was not synchronised is marked. ``times`` what is
    certain of each, instead of what its clock said."""
    if not found:
        call.say("show.none")
        return
    zone = ZoneInfo(call.settings.station.timezone)
    rows = [[call.words(f"show.{name}") for name in ("seq", "time", "kind", "bin", "net")]]
    for place, entry in enumerate(found):
        kind = entry.get("kind", "thinned" if "thinned" in entry else "damaged")
        net_g = entry.get("net_g")
        rows.append(
            [
                str(entry["seq"]),
                told_time(call.words, entry.get("at"), zone)
                if times is None
                else certain_time(call.words, times[place], zone),
                call.words.get(f"entry.{kind}") or kind,
                entry.get("bin") or "",
                "" if net_g is None else f"{net_g:+} g",
            ]
        )
    table(rows)


def touched(call: Call, answer: Mapping[str, Any]) -> None:
    """``bag swap`` and ``scale zeroed``: the entries that were written, or that none was."""
    if call.json:
        call.write(answer)
        return
    if not answer["written"]:
        call.say(f"touch.no_{answer['action']}", bin=answer["bin"])
    for entry in answer["written"]:
        net_g = entry.get("net_g")
        call.say(
            "touch.written",
            seq=entry["seq"],
            kind=call.words.get(f"entry.{entry['kind']}") or entry["kind"],
            bin=entry["bin"],
            net=UNKNOWN if net_g is None else f"{net_g:+} g",
        )

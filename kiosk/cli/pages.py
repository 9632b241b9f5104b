"""The pages that people read, from what programs would get as JSON."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from kiosk import catalogue
from kiosk.cli.call import Call, json_line
from kiosk.cli.sentences import UNKNOWN, age, cause, device_name, sentences
from kiosk.cli.texts import Words
from kiosk.cli.time_words import certain_time, told_time
from kiosk.doctor import Finding, worst
from kiosk.doctor.town import local_time

if TYPE_CHECKING:
    from drivers.probe import Found, Tried
    from kiosk.core.timeline import Interval
    from kiosk.ledger.finding import Finding as LedgerFinding
    from kiosk.ledger.finding import Verdict

CLEAR_SCREEN = "\x1b[H\x1b[2J"


def status(call: Call, found: Mapping[str, Any]) -> None:
    """One page."""
    call.say("status.title", name=found["name"], station=found["station"], city=found["city"])
    if not found["running"]:
        call.say("status.not_running")
        books(call, found)
        public_key(call, found)
        return
    call.say("status.running", age=age(call.words, found["uptime_ms"]), software=found["software"])
    call.say(f"status.clock_{found['clock']}")
    link(call, found)
    books(call, found)
    lists(call, found["lists"])
    town(call, found["town"])
    orders(call, found["orders"])
    call.say("status.disk", mb=found["disk_free_bytes"] >> 20)
    public_key(call, found)
    if found["storage_trouble"] is not None:
        call.say("status.storage_trouble", why=cause(call.words, found["storage_trouble"]))
    for device in found["devices"]:
        if device["state"] == "lost":
            name, why = device_name(call.words, device["name"]), cause(call.words, device["code"])
            call.say("status.lost", device=name, why=why)
    if found["storage_trouble"] is not None or found["lost"]:
        call.say("status.see_doctor")
    click.echo()
    bins(call, found["bins"])


def orders(call: Call, found: Mapping[str, Any]) -> None:
    """What the city or a caretaker ordered, where it stands."""
    if found["closed"] is not None:
        reason = next(iter(found["closed"].values()), UNKNOWN)
        call.say("status.closed", reason=reason)
    if found["locked"]:
        call.say("status.locked", bins=", ".join(found["locked"]))


def books(call: Call, found: Mapping[str, Any]) -> None:
    if found["head_seq"] is None:
        call.say("status.no_ledger")
    else:
        call.say("status.books", head=found["head_seq"], queue=found["queue"])


def public_key(call: Call, found: Mapping[str, Any]) -> None:
    """What goes into ``kiosk-receiver station add``, to be copied from here."""
    key = found["public_key"]
    call.say("status.public_key" if key else "status.no_public_key", digits=key)


def link(call: Call, found: Mapping[str, Any]) -> None:
    """The way to the city."""
    link = found["link"]
    if not found["uplink_wanted"]:
        call.say("status.no_link")
    elif not link["online"]:
        call.say("status.offline", why=cause(call.words, link["code"]))
    elif link["code"] is not None:
        call.say("status.held", why=cause(call.words, link["code"]))
    else:
        call.say("status.online")


def lists(call: Call, found: Sequence[Mapping[str, Any]]) -> None:
    """The city's lists of cards, those that are there or ought to be."""
    for one in found:
        name = call.words(f"cardlist.{one['name']}")
        if one["version"] is not None:
            told = {"version": one["version"], "count": one["count"], "days": one["age_days"]}
            call.say("status.list", list=name, **told)
        elif one["needed"]:
            call.say("status.list_none", list=name)


def town(call: Call, found: Sequence[Mapping[str, Any]]) -> None:
    """Catalogue and tariff in force, where a city may say them."""
    for one in found:
        kind = call.words(f"town.{one['kind']}")
        since = local_time(one["since_ms"])
        call.say(f"status.town_{one['source']}", kind=kind, version=one["version"], since=since)


def bins(call: Call, found: Sequence[Mapping[str, Any]]) -> None:
    """The bins as a table."""
    names = item_names(call)
    head = [call.words(f"bins.{name}") for name in ("bin", "item", "weight", "state")]
    rows = [
        [
            one["bin"],
            names.get(one["item"], one["item"]),
            weight(one["live_g"]),
            call.words(f"state.{one['state']}") if one["state"] else UNKNOWN,
        ]
        for one in found
    ]
    table([head, *rows])


def scales(call: Call, found: Sequence[Mapping[str, Any]]) -> None:
    """``kiosk scale list``."""
    names = item_names(call)
    heads = ("bin", "item", "kind", "max", "division", "weight", "state")
    rows = [[call.words(f"bins.{name}") for name in heads]]
    for one in found:
        rows.append(
            [
                one["bin"],
                names.get(one["item"], one["item"]),
                call.words(f"scalekind.{one['kind'] or 'none'}"),
                weight(one["max_g"]),
                UNKNOWN if one["division_g"] is None else f"{one['division_g']} g",
                weight(one["live_g"]),
                call.words(f"state.{one['state']}") if one["state"] else UNKNOWN,
            ]
        )
    table(rows)


def sync_status(call: Call, found: Mapping[str, Any]) -> None:
    """``kiosk sync status``."""
    if found["head_seq"] is None:
        call.say("status.no_ledger")
        return
    call.say("sync.watermark", watermark=found["watermark"], head=found["head_seq"])
    call.say("sync.queue" if found["queue"] else "sync.all_there", queue=found["queue"])
    if not found["running"]:
        call.say("status.not_running")
        return
    if found["last_ack_age_ms"] is None:
        call.say("sync.no_ack")
    else:
        call.say("sync.last_ack", age=age(call.words, found["last_ack_age_ms"]))
    link(call, found)
    trouble = found["link"]["trouble"]
    if trouble is not None:
        told = age(call.words, found["link"]["trouble_age_ms"])
        call.say("sync.last_trouble", age=told, why=cause(call.words, trouble))


def doctor(call: Call, findings: Sequence[Finding], *, explain: bool) -> None:
    """A line a finding, its next step below it where there is one to take."""
    for finding in findings:
        what, todo = sentences(call.words, finding)
        click.echo(f"{call.words('level.' + finding.level)}  {what}")
        if finding.level != "OK":
            call.say("doctor_page.todo", todo=todo)
        if explain:
            call.say("doctor_page.code", code=finding.code, cause=finding.cause or UNKNOWN)
    if explain and not findings:
        call.say("doctor_page.nothing")
        return
    call.say(f"doctor_page.{worst(findings)}")


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


def finding_words(words: Words, finding: LedgerFinding) -> str:
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


class Watch:
    """``kiosk watch``: redrawn in place on a terminal, a block a change elsewhere."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def draw(self, view: Mapping[str, Any]) -> None:
        call = self._call
        if sys.stdout.isatty():
            click.echo(CLEAR_SCREEN, nl=False)
        call.say(f"phase.{view['phase']}")
        call.say("watch.counts", checkins=view["checkins"], records=view["records"])
        call.say("status.online" if view["online"] else "watch.offline")
        if view["storage_trouble"]:
            call.say("watch.storage_trouble")
        bins(call, view["bins"])
        if call.in_menu:
            call.say("watch.back")
        sys.stdout.flush()


def table(rows: Sequence[Sequence[str]]) -> None:
    """Columns by width on a terminal, where a Japanese character takes two places."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def columns(text: str) -> int:
    """Places on a terminal."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def weight(grams: int | None) -> str:
    """Kilograms for people; what is not known is no 0."""
    return UNKNOWN if grams is None else f"{grams / 1000:.2f} kg"


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


def item_names(call: Call) -> dict[str, str]:
    """The items' names in the language in use."""
    items = catalogue.load(call.settings.paths.catalogue).items
    return {code: getattr(item, call.words.language) for code, item in items.items()}


def as_rows(tables: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Nested settings as place and value, in the file's order; what is not set is left out."""
    if isinstance(tables, Mapping):
        for name, value in tables.items():
            yield from as_rows(value, f"{place}.{name}" if place else str(name))
    elif isinstance(tables, list | tuple):
        for number, value in enumerate(tables):
            yield from as_rows(value, f"{place}[{number}]")
    elif tables is not None:
        yield place, tables


def probe_tried(call: Call, one: Tried) -> None:
    """One attempt at an indicator's port."""
    asked = None if one.asked is None else ascii(one.asked.decode("latin-1"))[1:-1]
    if call.json:
        found = {"bytes": one.bytes, "frames": one.frames}
        call.write({"kind": "tried", "line": str(one.line), "asked": asked, **found})
        return
    how = call.words("probe.listening") if asked is None else ""
    call.say(
        "probe.tried",
        line=one.line,
        how=how or call.words("probe.asking", request=asked),
        bytes=one.bytes,
        frames=one.frames,
    )


def probe_found(call: Call, port: str, one: Found) -> None:
    """What speaks at the port, as it goes into the settings."""
    line = {
        "baud": one.line.baud,
        "bytesize": one.line.bytesize,
        "parity": one.line.parity,
        "stopbits": one.line.stopbits,
        "stream": one.stream,
    }
    if call.json:
        found = {"kind": "found", "port": port, "protocol": one.protocol, **line}
        call.write({**found, "unit_id": one.unit_id})
        return
    call.say("probe.found", protocol=one.protocol, line=one.line)
    said = {"port": port, "protocol": one.protocol, **line}
    click.echo("  " + ", ".join(f"{name} = {json_line(value)}" for name, value in said.items()))
    if one.unit_id is not None:
        click.echo(f"  modbus = {{ unit_id = {one.unit_id}, decimals = … }}")
    call.say("probe.streams" if one.stream else "probe.answers")


def probe_nothing(call: Call, port: str) -> None:
    """Nobody there that we know."""
    if call.json:
        call.write({"kind": "nothing", "port": port})
    call.say("probe.nothing", port=port)

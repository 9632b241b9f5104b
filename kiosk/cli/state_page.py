"""How the station is, for people, from what programs would get as JSON.

``kiosk status``, ``doctor``, ``watch``, ``scale list`` and ``sync status``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from kiosk.cli.call import Call
from kiosk.cli.sentences import UNKNOWN, age, cause, device_name, sentences
from kiosk.cli.tables import item_names, table, weight
from kiosk.doctor import Finding, worst
from kiosk.doctor.town import local_time

CLEAR_SCREEN = "\x1b[H\x1b[2J"


def status(call: Call, found: Mapping[str, Any]) -> None:
    """One page."""
    call.say("status.title", name=found["name"], station=found["station"], city=found["city"])
    if not found["running"] and found["busy"]:
        call.say("status.busy")
        public_key(call, found)
        return
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
    if not found["running"] and found["busy"]:
        call.say("status.busy")
        return
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

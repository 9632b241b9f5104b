"""``kiosk status``, ``doctor``, ``watch`` and ``sync``: how the station is, and what the city has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kiosk.cli.call import Call
from kiosk.cli.spoken import Spoken, SpokenGroup
from kiosk.cli.values import Readable
from kiosk.core.errors import OperatorError
from kiosk.tomlfile.problem import short

if TYPE_CHECKING:
    from kiosk.doctor import Finding


def add(app: click.Group) -> None:
    for command in (status, doctor, watch, sync):
        app.add_command(command)


@click.command(cls=Spoken)
@click.pass_obj
def status(call: Call) -> int:
    from kiosk.cli import asking, state_page

    found = asking.status(call.settings)
    if call.json:
        call.write(found)
    else:
        state_page.status(call, found)
    return 0 if found["running"] else 1


@click.command(cls=Spoken)
@click.argument("code", required=False)
@click.pass_obj
def doctor(call: Call, code: str | None) -> int:
    from kiosk.cli import asking, state_page
    from kiosk.doctor import worst

    findings = asking.doctor(call)
    if code is not None:
        findings = [one for one in findings if code in (one.code, one.cause)] or unknown(call, code)
    if call.json:
        call.write({"worst": worst(findings), "findings": [plain(call, one) for one in findings]})
    else:
        state_page.doctor(call, findings, explain=code is not None)
    return 1 if worst(findings) == "ERR" else 0


def unknown(call: Call, code: str) -> list[Finding]:
    """Nothing was found under this code: it is one of the checks, explained, or no code at all."""
    from kiosk.doctor import CODES

    if code in CODES or call.words.get(f"error.{code}.what") or call.words.get(f"cause.{code}"):
        return []
    raise OperatorError(
        "unknown_code",
        f"The doctor knows no code {short(code)}.",
        f"The checks are: {', '.join(CODES)}.",
        asked=short(code),
        names=", ".join(CODES),
    )


def plain(call: Call, finding: Finding) -> dict[str, object]:
    """A finding with its two sentences, for a program that shows them."""
    from kiosk.cli.sentences import sentences

    what, todo = sentences(call.words, finding)
    return {
        "code": finding.code,
        "level": finding.level,
        "case": finding.case,
        "subject": finding.subject or None,
        "cause": finding.cause,
        "what": what,
        "todo": todo,
    }


@click.command(cls=Spoken)
@click.pass_obj
def watch(call: Call) -> None:
    from kiosk.cli import asking, state_page

    screen = state_page.Watch(call)
    for view in asking.watch(call.settings, until_enter=call.in_menu):
        if call.json:
            call.write_each([view])
        else:
            screen.draw(view)


@click.group(cls=SpokenGroup)
def sync() -> None: ...


@sync.command("status")
@click.pass_obj
def sync_status(call: Call) -> int:
    from kiosk.cli import asking, state_page

    found = asking.sync_status(call.settings)
    if call.json:
        call.write(found)
    else:
        state_page.sync_status(call, found)
    return 0


@sync.command("import")
@click.argument("file", type=Readable(), metavar="FILE")
@click.pass_obj
def sync_import(call: Call, file: Path) -> int:
    from kiosk.carried import take_in
    from kiosk.cli import carried_page

    found = take_in(call.settings, file)
    if call.json:
        call.write(msgspec.to_builtins(found))
    else:
        carried_page.taken_in(call, found)
    return 0 if found.good else 1

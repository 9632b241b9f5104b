"""``kiosk class``: children weigh in teams, without cards."""

from __future__ import annotations

import click

from kiosk.cli.call import Call
from kiosk.cli.spoken import SpokenGroup
from kiosk.cli.values import Whole
from kiosk.core.errors import OperatorError
from kiosk.core.said import MAX_TEAMS, MIN_TEAMS

USUAL_TEAMS = 3


def add(app: click.Group) -> None:
    app.add_command(lesson)


@click.group("class", cls=SpokenGroup)
def lesson() -> None: ...


@lesson.command("start")
@click.option("--teams", type=Whole(MIN_TEAMS, MAX_TEAMS), default=USUAL_TEAMS, metavar="N")
@click.pass_obj
def start(call: Call, teams: int) -> int:
    return asked(call, teams)


@lesson.command("end")
@click.pass_obj
def end(call: Call) -> int:
    return asked(call, None)


def asked(call: Call, teams: int | None) -> int:
    from kiosk.cli import asking

    code = asking.ask(call.settings, "class", teams=teams)["code"]
    if code == "no_class":
        raise OperatorError("no_class", "No class is here.", "kiosk class start begins one.")
    if call.json:
        call.write({"teams": teams, "code": code})
    else:
        call.say("lesson.end" if teams is None else "lesson.start", teams=teams or 0)
    return 0

"""``kiosk caretaker``: whose cards open the caretaker's corner of the screen, and its number."""

from __future__ import annotations

import sys

import click

from kiosk.cli.call import Call
from kiosk.cli.commands.card_work import asked
from kiosk.cli.spoken import SpokenGroup

MAX_LINE = 64


def add(app: click.Group) -> None:
    app.add_command(caretaker)


@click.group(cls=SpokenGroup)
def caretaker() -> None:
    from kiosk.nodump import no_core_dumps

    no_core_dumps()


@caretaker.command("add")
@click.pass_obj
def caretaker_add(call: Call) -> None:
    for item in asked(call, "caretaker_add", {}):
        if call.json:
            call.write_each([item])
        elif "show" in item:
            call.say("caretakers.show", wait_s=item["wait_s"])
        else:
            call.say("caretakers.added", number=item["number"])


@caretaker.command("list")
@click.pass_obj
def caretaker_list(call: Call) -> None:
    from kiosk.cli import asking

    found = asking.ask(call.settings, "caretaker_list")
    if call.json:
        call.write(found)
        return
    for card in found["cards"]:
        call.say("caretakers.card", number=card["number"], day=card["day"])
    if not found["cards"]:
        call.say("caretakers.none")
    call.say("caretakers.number_set" if found["number_set"] else "caretakers.number_none")


@caretaker.command("remove")
@click.argument("number", metavar="NUMBER", type=int)
@click.pass_obj
def caretaker_remove(call: Call, number: int) -> None:
    from kiosk.cli import asking

    found = asking.ask(call.settings, "caretaker_remove", number=number)
    if call.json:
        call.write(found)
    call.say("caretakers.removed", number=number)


@caretaker.command("pin")
@click.option("--remove", is_flag=True)
@click.pass_obj
def caretaker_pin(call: Call, remove: bool) -> None:
    from kiosk.cli import asking

    digits = None if remove else typed(call)
    found = asking.ask(call.settings, "caretaker_number", digits=digits)
    if call.json:
        call.write(found)
    call.say("caretakers.number_removed" if remove else "caretakers.number_kept")


def typed(call: Call) -> str:
    """The number from the keyboard, twice and unseen, or the first line of standard input; never from the
    command's own words, which a shell remembers. OperatorError where it cannot serve."""
    from kiosk.cards.pin import check_digits

    if sys.stdin.isatty() and not call.json:
        digits: str = click.prompt(
            call.words("caretakers.type"),
            hide_input=True,
            confirmation_prompt=call.words("caretakers.again"),
        )
    else:
        digits = sys.stdin.readline(MAX_LINE).strip()
    check_digits(digits)
    return digits

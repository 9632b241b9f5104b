"""``kiosk`` alone: a menu that a number pad can drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kiosk.cli.call import Call
from kiosk.cli.spoken import DAILY
from kiosk.core.errors import KioskError, OperatorError

if TYPE_CHECKING:
    from kiosk.settings import Settings

MAX_ROUNDS = 1000
"""A menu left alone with something stuck on its keyboard ends one day."""


def menu(ctx: click.Context) -> None:
    """Number, Enter, answer, and again; 0 or the end of input leaves."""
    call = ctx.ensure_object(Call)
    if call.json:
        raise OperatorError(
            "menu_json", "The menu is for people and has no JSON.", "Name a command."
        )
    for _ in range(MAX_ROUNDS):
        call.say("menu.title")
        for number, path in enumerate(DAILY, 1):
            click.echo(f"  {number:2}  {call.words('help.' + path)}")
        click.echo(f"  {0:2}  {call.words('menu.end')}")
        number_given = ask_number(call, "menu.which", len(DAILY))
        if number_given == 0:
            return
        choose(ctx, call, DAILY[number_given - 1])
        click.echo()


def choose(ctx: click.Context, call: Call, path: str) -> None:
    """Runs one command as if it had been typed; its errors are told and the menu goes on."""
    try:
        words = path.split()
        if path in ("bag swap", "scale zeroed"):
            bin_id = ask_bin(call, call.settings)
            if bin_id is None:
                return
            words.append(bin_id)
        # A call of its own: the settings file may have been mended meanwhile.
        afresh = Call(config=call.config, lang=call.lang, in_menu=True)
        ctx.command.main(words, prog_name="kiosk", obj=afresh, standalone_mode=False)
    except KioskError as error:
        call.refuse(error)
    except (click.Abort, KeyboardInterrupt):
        # Ctrl-C ends what runs (watch), not the menu. click makes an Abort of it.
        click.echo()


def ask_bin(call: Call, settings: Settings) -> str | None:
    """The bin by its place in the list."""
    for number, one in enumerate(settings.bins, 1):
        click.echo(f"  {number:2}  {one.id}  {one.item}")
    number = ask_number(call, "menu.which_bin", len(settings.bins))
    return None if number == 0 else settings.bins[number - 1].id


def ask_number(call: Call, key: str, most: int) -> int:
    """A number from 0 to ``most``; 0 at the end of input."""
    for _ in range(MAX_ROUNDS):
        click.echo(call.words(key), nl=False)
        try:
            line = input().strip()
        except EOFError:
            return 0
        # A Japanese keyboard gives full-width digits, which are digits too.
        if line.isdecimal() and len(line) < 4 and int(line) <= most:
            return int(line)
        call.say("menu.again", most=most)
    return 0

"""``kiosk card``: cards and the codes on them."""

from __future__ import annotations

import click

from kiosk.cli.call import Call
from kiosk.cli.spoken import SpokenGroup


def add(app: click.Group) -> None:
    from kiosk.cli.commands.card_import import card_import
    from kiosk.cli.commands.card_paper import card_issue, card_print
    from kiosk.cli.commands.card_work import card_replace, card_revoke

    app.add_command(card)
    for command in (card_issue, card_print, card_replace, card_revoke, card_import):
        card.add_command(command)


@click.group(cls=SpokenGroup)
def card() -> None:
    from kiosk.nodump import no_core_dumps

    no_core_dumps()  # whatever is done here, it holds what is on cards


@card.command("read")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.pass_obj
def card_read(call: Call, images: tuple[str, ...]) -> int:
    from drivers.pictures import read_files

    unread = 0
    for line in read_files(images, lambda error: call.words.error(error)[0]):
        unread += "error" in line
        call.write_each([line])
    return 1 if unread else 0

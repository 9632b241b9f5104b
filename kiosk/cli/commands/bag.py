"""``kiosk bag``: full bags."""

from __future__ import annotations

import click

from kiosk.cli.call import Call
from kiosk.cli.spoken import SpokenGroup


def add(app: click.Group) -> None:
    app.add_command(bag)


@click.group(cls=SpokenGroup)
def bag() -> None: ...


@bag.command("swap")
@click.argument("bin_id", metavar="BIN")
@click.pass_obj
def bag_swap(call: Call, bin_id: str) -> int:
    from kiosk.cli import asking, ledger_page

    answer = asking.touch(call.settings, "bag_swap", bin_id)
    ledger_page.touched(call, answer)
    return 0 if answer["written"] else 1

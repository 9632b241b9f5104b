"""``kiosk run`` and ``kiosk uplink``: what systemd starts."""

from __future__ import annotations

import click

from kiosk.cli.call import Call
from kiosk.cli.spoken import Spoken


def add(app: click.Group) -> None:
    app.add_command(run)
    app.add_command(uplink)


@click.command(cls=Spoken)
@click.pass_obj
def run(call: Call) -> int:
    from kiosk.station import run_station

    return run_station(call.settings)


@click.command(cls=Spoken)
@click.pass_obj
def uplink(call: Call) -> int:
    from kiosk.uplink import run

    return run(call.settings)

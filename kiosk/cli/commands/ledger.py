"""``kiosk ledger``: is the ledger the one that was written, and what stands in it.

The ledger is only read, also beside a running station; a read-only connection never checkpoints.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kiosk.cli.call import Call
from kiosk.cli.spoken import SpokenGroup
from kiosk.cli.values import Readable, Target, Whole

if TYPE_CHECKING:
    from kiosk.settings import Settings

LAST = 20
"""Entries that ``show`` shows when not told how many."""


def add(app: click.Group) -> None:
    app.add_command(ledger)


@click.group(cls=SpokenGroup)
def ledger() -> None: ...


@ledger.command("verify")
@click.option("--ack", type=Readable(), metavar="FILE")
@click.pass_obj
def ledger_verify(call: Call, ack: Path | None) -> int:
    from kiosk.cli import ledger_page
    from kiosk.ledger.verify import verify

    folder = own_folder(call.settings)
    city = call.settings.city
    verdict = verify(
        folder,
        ack=ack,
        city_key=city.key if city else None,
        station_key=station_key(call.settings),
    )
    ledger_page.verdict(call, verdict)
    return 1 if verdict.findings else 0


@ledger.command("export")
@click.option("--to", "target", type=Target(), metavar="PATH")
@click.option("--all", "whole", is_flag=True)
@click.pass_obj
def ledger_export(call: Call, target: Path | None, whole: bool) -> None:
    from kiosk.ledger.export import exporting
    from kiosk.offline import as_owner
    from sync.signing import Signer

    settings = call.settings
    city_key = settings.city.key if settings.city else None
    with ExitStack() as held:
        # The ledger as its owner; the stick as whoever called, who may write there.
        with as_owner(settings.paths.data):
            signer = Signer.load(settings.paths.station_key)
            export = held.enter_context(
                exporting(settings.paths.data, signer, city_key, whole=whole or target is None)
            )
        if target is None:
            for line in export.lines():
                click.echo(line.decode(), nl=False)
            return
        written = export.write(target)
    if call.json:
        names = ("first", "last", "length_bytes", "resumed")
        found = {name: getattr(written, name) for name in names}
        call.write({"file": str(written.file), **found})
        return
    count = written.last - written.first + 1
    call.say("carried.exported" if count else "carried.nothing", count=count, file=written.file)
    call.say("carried.take_it")


@ledger.command("show")
@click.option("--kind", "kinds", multiple=True)
@click.option("--bin", "bin_id", metavar="BIN")
@click.option("--count", type=Whole(1, 10_000), default=LAST, metavar="N")
@click.option("--when", is_flag=True)
@click.pass_obj
def ledger_show(
    call: Call, kinds: tuple[str, ...], bin_id: str | None, count: int, when: bool
) -> None:
    from kiosk.cli import ledger_page
    from kiosk.ledger.show import show
    from kiosk.ledger.times import resolved

    folder = own_folder(call.settings)
    entries = show(folder, kinds=kinds, bin_id=bin_id, last=count)
    times = resolved(folder, entries) if when else None
    if call.json:
        told = [{}] * len(entries) if times is None else [{"when": one} for one in times]
        call.write(
            *(entry | msgspec.to_builtins(time) for entry, time in zip(entries, told, strict=True))
        )
    else:
        ledger_page.entries(call, entries, times)


def own_folder(settings: Settings) -> Path:
    """The data folder, after becoming its owner where root asks: what SQLite makes beside the
    ledger has to be the station's own."""
    from kiosk.offline import become_owner

    become_owner(settings.paths.data)
    return settings.paths.data


def station_key(settings: Settings) -> bytes | None:
    """The station's public key, None for a user who may not read the private one's file."""
    from kiosk.core.errors import OperatorError
    from sync.signing import Signer

    try:
        return Signer.load(settings.paths.station_key).public_key
    except OperatorError as error:
        if error.code == "key_file_unreadable":
            return None
        raise

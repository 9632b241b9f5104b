"""``kiosk print``: signs and labels for the station's bins. Needs no running station."""

from __future__ import annotations

from pathlib import Path

import click

from kiosk.cli.call import Call
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import SpokenGroup


def add(app: click.Group) -> None:
    app.add_command(print_)


@click.group("print", cls=SpokenGroup)
def print_() -> None: ...


@print_.command("labels")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--paper", type=click.Choice(["a4", "a5"]), default="a4")
@click.pass_obj
def print_labels(call: Call, out: Path, paper: str) -> None:
    from kiosk import catalogue
    from kiosk.cards.issuing import refuse_taken, write_new
    from kiosk.screen.texts.town import spoken
    from kiosk.signs import paper as sheets
    from kiosk.signs import station

    if out.suffix.lower() != ".pdf":
        raise wrong_call("form_of_labels", "OUT ends in .pdf.", value=".pdf")
    refuse_taken(out)  # before the fonts are cut to size, which takes seconds
    settings = call.settings
    items = catalogue.load(settings.paths.catalogue)
    said = spoken(settings.paths.texts, items)
    pages = list(station.pages(settings, items, said, paper="a5" if paper == "a5" else "a4"))
    write_new(out, sheets.document(pages, settings.station.name))
    out.chmod(0o644)  # to be seen by everybody
    if call.json:
        call.write(
            {"file": str(out), "pages": len(pages), "signs": [one.id for one in settings.bins]}
        )
        return
    call.say("labels.made", file=out, pages=len(pages), signs=len(settings.bins))

"""``kiosk config``: is the settings file right, and what does it mean with every default."""

from __future__ import annotations

import click

from kiosk.cli.call import Call
from kiosk.cli.spoken import SpokenGroup


def add(app: click.Group) -> None:
    app.add_command(config)


@click.group(cls=SpokenGroup)
def config() -> None: ...


@config.command("check")
@click.pass_obj
def config_check(call: Call) -> int:
    from kiosk import catalogue
    from kiosk.noticeboard import file as town_file
    from kiosk.screen.texts.town import spoken
    from kiosk.settings import problems
    from kiosk.settings.advice import advice

    wrong = problems(call.file)
    if wrong:
        call.refuse(*wrong)
        return 2
    settings = call.settings
    items = catalogue.load(settings.paths.catalogue)
    languages = spoken(settings.paths.texts).codes
    wrong = town_file.problems(settings.paths.town, items, languages=languages)
    if wrong:
        call.refuse(*wrong)
        return 2
    notes = list(advice(settings, items))
    if call.json:
        call.write(
            {
                "file": str(call.file),
                "digest": settings.digest(),
                "advice": [{"code": note.code, "place": note.place} for note in notes],
            }
        )
        return 0
    call.say("config.good", file=call.file, digest=settings.digest()[:12])
    for note in notes:
        what = call.words(f"doctor.settings.{note.code}.what", subject=note.place)
        todo = call.words(f"doctor.settings.{note.code}.todo")
        call.say("config.advice", what=what, todo=todo)
    return 0


@config.command("show")
@click.pass_obj
def config_show(call: Call) -> None:
    import msgspec

    from kiosk.cli.tables import as_rows

    tables = msgspec.to_builtins(call.settings, enc_hook=str)
    if call.json:
        call.write(tables)
        return
    for place, value in as_rows(tables):
        call.say("config.row", place=place, value=value)

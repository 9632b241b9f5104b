"""``kiosk card import``: the numbers of a town's cards become pseudonyms. Needs keys, and no station."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli.call import Call
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import Spoken
from kiosk.cli.values import Readable
from kiosk.tomlfile.problem import short

if TYPE_CHECKING:
    from kiosk.cards.importing import Name


@click.command("import", cls=Spoken)
@click.argument("file", type=Readable())
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--as", "kind", default="card", metavar="KIND")
@click.option("--column", metavar="NAME")
@click.pass_obj
def card_import(call: Call, file: Path, out: Path, kind: str, column: str | None) -> int:
    from kiosk.cards import importing
    from kiosk.cards.issuing import write_new
    from kiosk.nodump import no_core_dumps

    no_core_dumps()
    found = importing.read(file, column, named(call, kind))
    if found.errors:
        call.refuse(*found.errors)
        return 2
    write_new(out, found.to_bytes())
    repeated = found.rows - len(found.names)
    if call.json:
        call.write(
            {"rows": found.rows, "cards": len(found.names), "repeated": repeated, "file": f"{out}"}
        )
        return 0
    call.say("cards.imported", rows=found.rows, count=len(found.names), repeated=repeated, file=out)
    call.say("cards.allow", file=out)
    return 0


def named(call: Call, kind: str) -> Name:
    """What makes a pseudonym of a value. ``kind``: ``card``, ``uid``, a name of ``[[cards.foreign]]``."""
    from kiosk.cards import importing, keys
    from kiosk.core.cards.foreign import Pattern
    from kiosk.core.cards.names import pseudonym

    settings = call.settings
    if kind == "card":
        desk = keys.desk(settings.paths, settings.cards)
        return partial(importing.card, identify=desk.own_name)
    key, _ = keys.pseudonym_keys(settings.paths.pseudonym_key)
    if kind == "uid":
        return partial(importing.uid, name=partial(pseudonym, key, "nfc"))
    for one in settings.cards.foreign:
        if one.name == kind:
            name_of = partial(pseudonym, key, "foreign")
            return partial(importing.foreign, one.name, Pattern(one.pattern), name_of)
    names = ", ".join(("card", "uid", *(one.name for one in settings.cards.foreign)))
    raise wrong_call(
        "kind_of_cards",
        f"--as takes one of: {names}; not {short(kind)}.",
        names=names,
        value=short(kind),
    )

"""``kiosk card issue`` and ``print``: new cards, and cards on paper. Neither needs a running station.

Tokens go into files that only their owner may read. None is printed on a terminal, with ``--json``
neither: a terminal's log outlives the shredder.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, get_args

import click
from click.core import ParameterSource

from kiosk.cli.call import Call
from kiosk.cli.refusals import name_of, wrong_call
from kiosk.cli.spoken import Spoken
from kiosk.cli.texts import Language
from kiosk.cli.values import Readable, Whole

YEARS, MOST_YEARS = 5, 50
FORMS = (".pdf", ".svg", ".png")
BATCH = ".json"


class Day(click.ParamType[date]):
    """A day as in ISO 8601, that a card can hold."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        from kiosk.cards.issuing import LAST_POSSIBLE
        from kiosk.tomlfile.problem import short

        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            day = date.min
        if not date(2020, 1, 1) <= day <= LAST_POSSIBLE:
            option = name_of(param, ctx)
            raise wrong_call(
                "day",
                f"{option} takes a day such as 2031-03-31, not {short(value)}.",
                option=option,
                value=short(value),
            )
        return day


CARD_LANGUAGE = click.option("--card-lang", type=click.Choice(get_args(Language)))


@click.command("issue", cls=Spoken)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--count", "accounts", type=Whole(1, 2_000), default=1, metavar="N")
@click.option("--household", "members", type=Whole(1, 20), default=1, metavar="N")
@click.option("--spare", is_flag=True)
@click.option("--years", type=Whole(1, MOST_YEARS), default=YEARS, metavar="N")
@click.option("--until", type=Day(), metavar="DAY")
@click.option("--key-id", type=Whole(0, 255), metavar="N")
@click.option("--sign-key", type=Readable(), metavar="FILE")
@CARD_LANGUAGE
@click.pass_obj
def card_issue(
    call: Call,
    out: Path,
    accounts: int,
    members: int,
    spare: bool,
    years: int,
    until: date | None,
    key_id: int | None,
    sign_key: Path | None,
    card_lang: Language | None,
) -> None:
    from kiosk.cards import issuing
    from kiosk.nodump import no_core_dumps

    form = form_of(out, BATCH)
    given = click.get_current_context().get_parameter_source("years")
    if until is not None and given is ParameterSource.COMMANDLINE:
        raise wrong_call("years_or_until", "It is either --years or --until.")
    if until is not None and until < date.today():
        raise wrong_call(
            "day_past", f"--until {until} is over already.", option="--until", value=f"{until}"
        )
    no_core_dumps()
    issuer = issuing.issuer(call.settings.paths, key_id, sign_key)
    last_day = until or in_years(date.today(), years)
    batch = issuing.issue(issuer, last_day, accounts=accounts, members=members, spare=spare)
    if form == BATCH:
        issuing.write_new(out, issuing.to_bytes(batch))
        files = [out]
    else:
        files = written(call, batch, form, out, card_lang)
    if call.json:
        made = {"cards": len(batch.cards), "accounts": accounts, "spare": spare}
        names = {
            "last_day": f"{last_day}",
            "key_id": issuer.key_id,
            "files": [f"{f}" for f in files],
        }
        call.write({**made, **names})
        return
    call.say("cards.issued", count=len(batch.cards), day=last_day)
    tell(call, files, "cards.batch" if form == BATCH else "cards.paper")


@click.command("print", cls=Spoken)
@click.argument("batch_file", metavar="BATCH", type=Readable())
@click.argument("out", type=click.Path(path_type=Path))
@CARD_LANGUAGE
@click.pass_obj
def card_print(call: Call, batch_file: Path, out: Path, card_lang: Language | None) -> None:
    from kiosk.cards import issuing
    from kiosk.nodump import no_core_dumps

    form = form_of(out)
    no_core_dumps()
    batch = issuing.read(batch_file)
    files = written(call, batch, form, out, card_lang)
    if call.json:
        call.write({"cards": len(batch.cards), "files": [f"{file}" for file in files]})
        return
    tell(call, files, "cards.paper")


def form_of(out: Path, *more: str) -> str:
    """What is to be made, by the file's name."""
    form = out.suffix.lower()
    if form not in (*FORMS, *more):
        known = ", ".join((*more, *FORMS))
        raise wrong_call(
            "form_of_cards",
            f"OUT ends in one of: {known}.",
            value=known,
        )
    return form


def written(call: Call, batch: Any, form: str, out: Path, card_lang: Language | None) -> list[Path]:
    from kiosk.cards import paper
    from kiosk.cards.issuing import write_new

    language = card_lang or call.settings.station.language
    names = paper.names_of(call.settings)
    done: list[Path] = []
    try:
        for file, data in paper.files(batch, form, out, names, language):  # type: ignore[arg-type]
            write_new(file, data)
            done.append(file)
    except BaseException:  # Ctrl-C too: half a batch would be good cards that nobody counted
        for file in done:
            file.unlink(missing_ok=True)
        raise
    return done


def tell(call: Call, files: list[Path], then: str) -> None:
    """What was written, first and last, and what to do with it."""
    shown = files if len(files) <= 4 else [files[0], files[-1]]
    for file in shown:
        call.say("cards.file", file=file)
    call.say(then)


def in_years(today: date, years: int) -> date:
    """The same day, some years on; the day before where that year has no 29 February."""
    try:
        return today.replace(year=today.year + years)
    except ValueError:
        return today.replace(year=today.year + years, day=28)

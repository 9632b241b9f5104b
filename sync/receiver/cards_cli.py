"""``kiosk-receiver cards``: which cards are closed, and which alone are allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from kiosk.core.errors import OperatorError
from sync.messages.card_lists import MAX_RECORDS, NAMES, ListName
from sync.receiver import card_lists, city_keys
from sync.receiver.database import looking, opened, require_database, utc_ms
from sync.receiver.options import (
    city_key,
    city_option,
    database_option,
    identifier,
    json_option,
    key_option,
    print_json,
    say,
)

_PSEUDONYM = re.compile(r"[0-9a-fA-F]{32}")
MAX_LINE_CHARS = 200

_names = click.argument("names", metavar="[PSEUDONYM]...", nargs=-1)
_file = click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Pseudonyms, one a line; # begins a comment.",
)


@click.group()
def cards() -> None:
    """Closed and allowed cards, under pseudonyms of 32 hexadecimal digits."""


@cards.command("close")
@_names
@_file
@city_option
@database_option
@json_option
def close(
    names: tuple[str, ...], file: Path | None, city: str, database: str, as_json: bool
) -> None:
    """Let stations refuse these cards, from the next cards publish on."""
    _change("closed", True, names, file, city, database, as_json)


@cards.command("open")
@_names
@_file
@city_option
@database_option
@json_option
def open_(
    names: tuple[str, ...], file: Path | None, city: str, database: str, as_json: bool
) -> None:
    """Take these cards off the list of closed ones."""
    _change("closed", False, names, file, city, database, as_json)


@cards.command("allow")
@_names
@_file
@city_option
@database_option
@json_option
def allow(
    names: tuple[str, ...], file: Path | None, city: str, database: str, as_json: bool
) -> None:
    """Put these cards on the list of allowed ones, for stations with lists = "allowed"."""
    _change("allowed", True, names, file, city, database, as_json)


@cards.command("disallow")
@_names
@_file
@city_option
@database_option
@json_option
def disallow(
    names: tuple[str, ...], file: Path | None, city: str, database: str, as_json: bool
) -> None:
    """Take these cards off the list of allowed ones."""
    _change("allowed", False, names, file, city, database, as_json)


@cards.command("publish")
@click.option("--list", "name", type=click.Choice(NAMES), help="Only this list.")
@click.option("--whole", is_flag=True, help="A new whole list, however little has changed.")
@city_option
@database_option
@key_option
@json_option
def publish(
    name: ListName | None,
    whole: bool,
    city: str,
    database: str,
    key_file: Path | None,
    as_json: bool,
) -> None:
    """Sign the lists as they are now; a running receiver publishes them to every station."""
    require_database(database)
    signer = city_key(database, key_file)
    done = {}
    with opened(database) as engine, engine.begin() as connection:
        city_keys.hold(connection, signer.public_key)
        for each in NAMES if name is None else (name,):
            known = {one.name for one in card_lists.standings_of(connection, identifier(city))}
            # A town's first list may be an empty one, to tell its stations that there is one.
            if each in known or each == (name or "closed"):
                done[each] = card_lists.publish(
                    connection, city, each, signer, utc_ms(), whole=whole
                )
    if as_json:
        print_json([{"list": each, **_told(one)} for each, one in done.items()])
        return
    for each, one in done.items():
        how = (
            "a new whole list" if one.whole else f"+{one.added} -{one.removed} since the whole one"
        )
        click.echo(f"{each}: version {one.word.version}, {one.count} cards ({how})")


@cards.command("list")
@city_option
@database_option
@json_option
def list_(city: str, database: str, as_json: bool) -> None:
    """How many cards are on each list, and what no station has heard of yet."""
    with looking(database) as connection:
        found = card_lists.standings_of(connection, identifier(city))
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        version = "never published" if one.version is None else f"version {one.version}"
        waits = f", {one.unsigned} changes not published" if one.unsigned else ""
        click.echo(f"{one.name}: {one.count} cards, {version}{waits}")
    if not found:
        click.echo("There are no lists yet.")


def _change(
    name: ListName,
    on: bool,
    given: tuple[str, ...],
    file: Path | None,
    city: str,
    database: str,
    as_json: bool,
) -> None:
    pseudonyms = [pseudonym(text) for text in given]
    if file is not None:
        pseudonyms += _lines(file)
    if not pseudonyms:
        raise OperatorError(
            "no_cards", "No card is named.", "Give pseudonyms, or a file of them with --file FILE."
        )
    with opened(database) as engine, engine.begin() as connection:
        changed = card_lists.change(connection, identifier(city), name, pseudonyms, on=on)
    where = "on" if on else "off"
    words = f"{changed} cards are newly {where} the list {name}"
    todo = ". Tell the stations: kiosk-receiver cards publish" if changed else ""
    say(as_json, {"list": name, "on": on, "changed": changed}, words + todo)


def _told(one: card_lists.Published) -> dict[str, object]:
    word = one.word
    return {
        "epoch": word.epoch,
        "version": word.version,
        "day": word.day,
        "whole": one.whole,
        "count": one.count,
        "added": one.added,
        "removed": one.removed,
    }


def pseudonym(text: str, place: str = "") -> bytes:
    """A pseudonym as people write it; ``place`` where it stands."""
    if _PSEUDONYM.fullmatch(text) is None:
        raise OperatorError(
            "pseudonym",
            f"{place}what stands there is no pseudonym.",  # and not repeated: it may be a card's text
            "Write its 32 hexadecimal digits, never what is printed on a card.",
        )
    return bytes.fromhex(text)


def _lines(file: Path) -> Iterator[bytes]:
    """The pseudonyms in a file."""
    try:
        with file.open(encoding="ascii") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE_CHARS), ""), 1):
                text = line.partition("#")[0].strip()
                if number > 2 * MAX_RECORDS:
                    raise OperatorError(
                        "too_many_cards",
                        f"{file} has more than {2 * MAX_RECORDS} lines.",
                        f"A list holds {MAX_RECORDS} cards at most.",
                    )
                if text:
                    yield pseudonym(text, f"{file}, line {number}: ")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            "cards_file",
            f"{file} cannot be read ({error}).",
            "Name a text file with a pseudonym a line.",
        ) from error

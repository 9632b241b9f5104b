"""``kiosk-receiver catalogue`` and ``kiosk-receiver tariff``: what a city's stations count by."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kiosk.core.catalogue import Catalogue, Misfit, TariffTable, misfits, tariff_misfits
from kiosk.core.errors import OperatorError
from kiosk.core.schedule import Term
from sync.messages.town import Kind
from sync.receiver import city_keys, town_words
from sync.receiver.database import looking, opened, require_database, utc_ms
from sync.receiver.options import (
    city_key,
    city_option,
    database_option,
    identifier,
    json_option,
    key_option,
    print_json,
)

MAX_FILE_BYTES = 1 << 20
YEAR_MS = 366 * 86_400_000


def read_table(file: Path, kind: Kind, known: Catalogue | None) -> Catalogue | TariffTable:
    """The file, held to what stations hold it to; OperatorError with the place of what is wrong.
    ``known`` the catalogue whose items a tariff may name, None where the city has published none."""
    try:
        with file.open("rb") as open_file:
            data = open_file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ValueError("larger than 1 MiB")
        tables = tomllib.loads(data.decode())
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise _refused(file, "", f"it cannot be read ({why})", "Name a TOML file.") from error
    try:
        if kind == "tariff":
            tariff = msgspec.convert(tables, TariffTable)
            _fit(file, tariff_misfits(tariff, known))
            return tariff
        catalogue = msgspec.convert(tables, Catalogue)
    except msgspec.ValidationError as error:
        todo = f"Correct it; docs/settings.md says what a {kind} holds."
        raise _refused(file, "", f"{error}", todo) from error
    _fit(file, misfits(catalogue))
    return catalogue


def moment(text: str | None, now_ms: int) -> int:
    """ISO 8601 with its offset from UTC, to milliseconds; now where nothing is said."""
    if text is None:
        return now_ms
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise OperatorError(
            "moment",
            "That is no moment with an offset from UTC.",
            "Write it like 2026-04-01T00:00+09:00.",
        )
    when_ms = int(when.timestamp() * 1000)
    if not now_ms - YEAR_MS <= when_ms <= now_ms + 5 * YEAR_MS:
        raise OperatorError(
            "moment_far", "That moment is years away.", "Correct the year of --effective."
        )
    return when_ms


def group(kind: Kind) -> click.Group:
    """The commands of one of the two."""

    @click.group(kind, help=f"The {kind} that a city's stations count by, signed.")
    def commands() -> None: ...

    @commands.command("publish", help=f"Sign the {kind} in FILE; a running receiver publishes it.")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--effective", metavar="ISO", help="From then on, with the offset; else at once.")
    @city_option
    @database_option
    @key_option
    @json_option
    def publish(
        file: Path,
        effective: str | None,
        city: str,
        database: str,
        key_file: Path | None,
        as_json: bool,
    ) -> None:
        now_ms = utc_ms()
        effective_ms = moment(effective, now_ms)
        signer = city_key(database, key_file)
        with opened(database) as engine, engine.begin() as connection:
            city_keys.hold(connection, signer.public_key)
            city = identifier(city)
            known = town_words.current(connection, city, "catalogue", effective_ms)
            items = known if isinstance(known, Catalogue) else None
            table = read_table(file, kind, items)
            term = town_words.publish(connection, city, table, effective_ms, signer, now_ms)
        _say(kind, city, [term], as_json)

    @commands.command("sign", help="Sign what is in force and what waits again, as with a new key.")
    @city_option
    @database_option
    @key_option
    @json_option
    def sign(city: str, database: str, key_file: Path | None, as_json: bool) -> None:
        require_database(database)
        signer = city_key(database, key_file)
        with opened(database) as engine, engine.begin() as connection:
            city_keys.hold(connection, signer.public_key)
            city = identifier(city)
            terms = town_words.sign_again(connection, city, kind, signer, utc_ms())
        _say(kind, city, terms, as_json)

    @commands.command("show", help="What is in force, what waits, and what each station counts by.")
    @city_option
    @database_option
    @json_option
    def show(city: str, database: str, as_json: bool) -> None:
        with looking(database) as connection:
            now_ms, city = utc_ms(), identifier(city)
            words = town_words.words_of(connection, city, kind, now_ms)
            stations = town_words.at_stations(connection, city, kind)
        if as_json:
            print_json(
                {
                    "words": [_plain(one.term) for one in words],
                    "stations": [asdict(one) for one in stations],
                }
            )
            return
        for word in words:
            state = "in force since" if word.term.effective_ms <= now_ms else "from"
            click.echo(f"version {word.term.version}: {state} {_iso(word.term.effective_ms)}")
        if not words:
            click.echo(f"No {kind} was published; stations count by their own files.")
        for each in stations:
            counts = "nothing said" if each.version is None else f"{each.source} {each.version}"
            refused = "" if each.refused is None else f"; refuses what was sent: {each.refused}"
            click.echo(f"{each.station}: {counts}{refused}")

    return commands


def _say(kind: Kind, city: str, terms: list[Term], as_json: bool) -> None:
    if as_json:
        print_json([{"city": city, "kind": kind, **_plain(one)} for one in terms])
        return
    for one in terms:
        click.echo(f"{kind} version {one.version}: effective {_iso(one.effective_ms)}")
    if not terms:
        click.echo(f"No {kind} was published yet.")


def _plain(term: Term) -> dict[str, Any]:
    return {**asdict(term), "effective": _iso(term.effective_ms)}


def _iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="seconds")


def _fit(file: Path, found: Iterable[Misfit]) -> None:
    for one in found:
        raise _refused(file, one.place, one.what.rstrip("."), one.todo)


def _refused(file: Path, place: str, what: str, todo: str) -> OperatorError:
    where = f"{file}: {place}" if place else f"{file}"
    return OperatorError("town_file", f"{where}: {what}.", todo)

"""What the receiver's commands share: options, the city's key, and how they answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from kiosk.core.errors import OperatorError
from sync.receiver import city_keys
from sync.receiver.database import database_file, is_begun, opened, reading
from sync.signing import Signer

_IDENTIFIER = re.compile(r"[a-z0-9-]{1,32}")

database_option = click.option(
    "--database", required=True, metavar="URL", help="As in SQLAlchemy: sqlite:///city.db"
)
key_option = click.option(
    "--key", "key_file", type=click.Path(path_type=Path), help="The city's private key file."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON value, nothing else.")
city_option = click.option("--city", required=True, help="The city's identifier.")


def key_path(database: str, key_file: Path | None) -> Path:
    """Where the city's key is: in ``key_file``, or beside an SQLite database."""
    if key_file is not None:
        return key_file
    file = database_file(database)
    if file is None:
        raise OperatorError(
            "no_key_file",
            "The city's key has no place beside this database.",
            "Name its file with --key FILE.",
        )
    return file.with_suffix(".key")


def city_key(database: str, key_file: Path | None, *, first: bool = False) -> Signer:
    """The city's key, made on the ``first`` run only; OperatorError where it is not the one that the city
    of this database signs with: what is signed with another no station believes.
    """
    path, known = key_path(database, key_file), None
    if is_begun(database):
        with opened(database) as engine, reading(engine) as connection:
            known = city_keys.held(connection)
    if not path.exists():
        if not first or known is not None:
            raise no_key(path)
        return made_key(path)
    signer = Signer.load(path)
    city_keys.require(known, signer.public_key)
    return signer


def no_key(path: Path) -> OperatorError:
    return OperatorError(
        "no_city_key",
        f"There is no key of the city in {path}.",
        "Name the file that the receiver signs with: --key FILE. A new city's is made by its first"
        " receiver, or with: kiosk-receiver key --make",
    )


def made_key(path: Path) -> Signer:
    """A new key in a file that is not there."""
    try:
        return Signer.generate(path)
    except OSError as error:
        raise OperatorError(
            "key_file_unwritable",
            f"The city's key cannot be written to {path} ({error.strerror}).",
            "Check the folder, or name another file with --key FILE.",
        ) from error


def identifier(text: str) -> str:
    if _IDENTIFIER.fullmatch(text) is None:
        raise OperatorError(
            "identifier",
            f"{text!r} is not an identifier.",
            "Use 1 to 32 of the letters a-z, digits and hyphens.",
        )
    return text


def say(as_json: bool, value: Any, words: str) -> None:
    if as_json:
        print_json(value)
    else:
        click.echo(words)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))

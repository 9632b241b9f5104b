"""What the receiver's commands share: options, the city's key, and how they answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from kiosk.core.errors import OperatorError
from sync.receiver.database import database_file
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


def city_key(database: str, key_file: Path | None, *, first: bool = True) -> Signer:
    """The city's key: in ``key_file``, or beside an SQLite database; made on the ``first`` run only.

    What is signed with another key no station believes: whoever signs for a city that is there already
    has to have its key.
    """
    if key_file is None:
        file = database_file(database)
        if file is None:
            raise OperatorError(
                "no_key_file",
                "The city's key has no place beside this database.",
                "Name its file with --key FILE.",
            )
        key_file = file.with_suffix(".key")
    if not key_file.exists() and not first:
        raise OperatorError(
            "no_city_key",
            f"There is no key of the city in {key_file}.",
            "Name the file that the receiver signs with: --key FILE.",
        )
    if not key_file.exists():
        try:
            return Signer.generate(key_file)
        except OSError as error:
            raise OperatorError(
                "key_file_unwritable",
                f"The city's key cannot be written to {key_file} ({error.strerror}).",
                "Check the folder, or name another file with --key FILE.",
            ) from error
    return Signer.load(key_file)


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

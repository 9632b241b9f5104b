"""``kiosk-receiver key``: the city's public key, a new one, and the change from one to the next."""

from __future__ import annotations

from pathlib import Path

import click

from kiosk.core.errors import OperatorError
from sync.receiver import city_keys
from sync.receiver.database import is_begun, opened, reading, require_database
from sync.receiver.options import (
    city_key,
    database_option,
    json_option,
    key_option,
    key_path,
    made_key,
    no_key,
    print_json,
)
from sync.signing import Signer


@click.command("key")
@database_option
@key_option
@click.option("--make", is_flag=True, help="Make a new key where there is none.")
@click.option("--replace", is_flag=True, help="The city signs with this key from now on.")
@json_option
def key(database: str, key_file: Path | None, make: bool, replace: bool, as_json: bool) -> None:
    """Print the city's public key, which goes into every station's settings."""
    path = key_path(database, key_file)
    made = not path.exists() and (make or _begins(database))
    if made:
        made_key(path)
        click.echo(f"A new key was made: {path}. Keep it; the receiver signs with it.", err=True)
    elif make:
        raise OperatorError(
            "key_file_exists",
            f"There is a key file {path} already.",
            "Leave out --make, or name another file with --key FILE.",
        )
    if replace:
        public_key = _replaced(database, path)
    elif made:
        public_key = Signer.load(path).public_key  # which need not be this city's yet
    else:
        public_key = city_key(database, key_file).public_key
    if as_json:
        print_json({"public_key": public_key.hex()})
    else:
        click.echo(public_key.hex())


def _begins(database: str) -> bool:
    """Whether no receiver ran there: then a key is a new city's first step, else its name is mistyped."""
    if not is_begun(database):
        return True
    with opened(database) as engine, reading(engine) as connection:
        return not city_keys.is_begun(connection)


def _replaced(database: str, path: Path) -> bytes:
    require_database(database)
    if not path.exists():
        raise no_key(path)
    public_key = Signer.load(path).public_key
    with opened(database) as engine, engine.begin() as connection:
        city_keys.replace(connection, public_key)
    return public_key

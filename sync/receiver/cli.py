"""``kiosk-receiver``: the city's reference receiver on the command line.

Exit codes: 0 done, 1 something wrong was found, 2 the call or the settings are wrong. Errors are
one sentence that says what is wrong and one that says what to do.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from kiosk.core.errors import KioskError, OperatorError
from sync import output
from sync.ending import Ending
from sync.receiver import care_cli, city_keys, interpreter, registry, town_cli
from sync.receiver.broker_url import parse_broker
from sync.receiver.cards_cli import cards
from sync.receiver.care import look
from sync.receiver.carried_cli import import_
from sync.receiver.city_key_cli import key
from sync.receiver.command_cli import command
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
from sync.receiver.points_cli import points
from sync.receiver.service import Service
from sync.receiver.sinks_cli import sink
from sync.receiver.verify import verify_all


class _Commands(click.Group):
    """Turns foreseen failures into their two sentences, or with ``--json`` into one value."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> NoReturn:
        words = list(sys.argv[1:] if args is None else args)
        output.prepare()
        sys.exit(output.ended(lambda: self._answered(words), _no_output))

    def _answered(self, words: list[str]) -> int:
        try:
            super().main(words, prog_name="kiosk-receiver", standalone_mode=False)
            return 0
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 1
        except click.ClickException as error:
            what = error.format_message().rstrip(".") + "."
            todo = "See kiosk-receiver --help, or kiosk-receiver COMMAND --help."
            return _refuse(words, OperatorError("wrong_call", what, todo))
        except KioskError as error:
            return _refuse(words, error)
        except (click.Abort, KeyboardInterrupt):
            return 0


def _refuse(words: list[str], error: KioskError) -> int:
    if "--json" in words:
        print_json({"error": {"code": error.code, "what": error.what, "todo": error.todo}})
    else:
        output.complain(str(error))
    return 2 if isinstance(error, OperatorError) else 1


def _no_output(reason: str) -> None:
    what = f"Standard output cannot be written ({reason})."
    output.complain(f"{what} Look at where it goes: a full disk, or a closed one.")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The city's end: stores the stations' ledgers and acknowledges what is stored."""


@main.command()
@database_option
@click.option("--broker", "broker_url", required=True, metavar="URL", help="mqtt://HOST:PORT")
@click.option("--password-file", type=click.Path(path_type=Path), help="For the URL's user.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="For mqtts://; else the system's.")
@click.option("--cert-file", type=click.Path(path_type=Path), help="Client certificate.")
@click.option("--key-file", "tls_key", type=click.Path(path_type=Path), help="Its private key.")
@key_option
def run(
    database: str,
    broker_url: str,
    password_file: Path | None,
    ca_file: Path | None,
    cert_file: Path | None,
    tls_key: Path | None,
    key_file: Path | None,
) -> None:
    """Receive until SIGTERM or Ctrl-C. Any number may run side by side."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    broker = parse_broker(broker_url, password_file, ca_file, cert_file, tls_key)
    signer = city_key(database, key_file, first=True)
    ending = Ending()
    ending.heed()
    threading.excepthook = _die
    with opened(database, serving=True) as engine:
        with engine.begin() as connection:
            city_keys.hold(connection, signer.public_key)
        interpreter.settle()
        Service(engine, broker, signer, ending).run()


@main.command()
@database_option
@json_option
def verify(database: str, as_json: bool) -> None:
    """Check every stored chain, signature and seal again; 1 when something does not hold."""
    with looking(database) as connection:
        checked = verify_all(connection)
    if as_json:
        print_json(
            [
                {
                    "ledger": each.ledger,
                    "station": each.station,
                    "entries": each.entries,
                    "head": each.head.hex(),
                    "fork": each.fork_seq,
                    "faults": [{"seq": fault.seq, "code": fault.code} for fault in each.faults],
                }
                for each in checked
            ]
        )
    else:
        for each in checked:
            verdict = "holds" if not each.faults else f"{len(each.faults)} faults"
            click.echo(f"{each.ledger}  {each.station}  {each.entries} entries  {verdict}")
            for fault in each.faults:
                click.echo(f"    at {fault.seq}: {fault.code}")
            if each.fork_seq is not None:
                click.echo(f"    forked: another history was offered from {each.fork_seq} on")
        if not checked:
            click.echo("Nothing is stored here yet.")
    sys.exit(1 if any(each.faults for each in checked) else 0)


@main.group()
def station() -> None:
    """Which stations are known, by their public keys."""


@station.command("add")
@click.argument("name")
@city_option
@click.option("--key", "public_key", required=True, metavar="HEX", help="Its public key.")
@database_option
@json_option
def station_add(name: str, city: str, public_key: str, database: str, as_json: bool) -> None:
    """Register the public key of station NAME."""
    with opened(database) as engine, engine.begin() as connection:
        registry.add_station(connection, identifier(city), identifier(name), _hex(public_key))
    say(as_json, {"city": city, "station": name, "public_key": public_key}, f"{name}: registered")


@station.command("list")
@database_option
@json_option
def station_list(database: str, as_json: bool) -> None:
    """Every key that was ever registered, and how the stations are."""
    with looking(database) as connection:
        known = registry.list_stations(connection)
        now_ms = utc_ms()
        cares = {(one.city, one.station): one for one in look(connection, now_ms)}
    if as_json:
        print_json(
            [
                {
                    "city": each.city,
                    "station": each.station,
                    "public_key": each.public_key.hex(),
                    "added_ms": each.added_ms,
                    "revoked_ms": each.revoked_ms,
                    "care": care_cli.told(cares[each.city, each.station])
                    if each.revoked_ms is None
                    else None,
                }
                for each in known
            ]
        )
        return
    for each in known:
        state = "valid" if each.revoked_ms is None else "revoked"
        click.echo(f"{each.city}/{each.station}  {each.public_key.hex()}  {state}")
        if each.revoked_ms is None:
            click.echo(f"    {care_cli.line(cares[each.city, each.station], now_ms)}")
    if not known:
        click.echo("No station is registered yet.")


@station.command("revoke")
@click.argument("name")
@city_option
@click.option("--key", "public_key", metavar="HEX", help="Only this key; all without it.")
@database_option
@json_option
def station_revoke(
    name: str, city: str, public_key: str | None, database: str, as_json: bool
) -> None:
    """Take nothing more under a key of station NAME. What is stored stays."""
    with opened(database) as engine, engine.begin() as connection:
        revoked = registry.revoke_station(
            connection,
            identifier(city),
            identifier(name),
            _hex(public_key) if public_key is not None else None,
        )
    say(as_json, {"city": city, "station": name, "revoked": revoked}, f"{name}: {revoked} revoked")


@main.group()
def epoch() -> None:
    """The lives of the city's database."""


@epoch.command("new")
@database_option
@json_option
def epoch_new(database: str, as_json: bool) -> None:
    """After every restore of the database: stations then send again what it lacks."""
    require_database(database)
    with opened(database) as engine, engine.begin() as connection:
        number = registry.new_epoch(connection)
    say(as_json, {"epoch": number}, f"epoch {number}")


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise OperatorError(
            "not_hex",
            "The public key is not hexadecimal.",
            "Copy its 64 digits from the station: kiosk status shows it.",
        ) from None


def _die(args: threading.ExceptHookArgs) -> None:
    """Our own bug in a thread: say it and end, so that systemd starts the process anew."""
    logging.critical("a thread failed: %s", args.exc_type, exc_info=args.exc_value)
    os._exit(70)


main.add_command(key)
main.add_command(cards)
main.add_command(points)
main.add_command(town_cli.group("catalogue"))
main.add_command(town_cli.group("tariff"))
main.add_command(command)
main.add_command(sink)
main.add_command(import_)
main.add_command(care_cli.doctor)
station.add_command(care_cli.station_days)

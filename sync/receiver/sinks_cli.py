"""``kiosk-receiver sink``: what is committed, on to other platforms."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict
from pathlib import Path

import click

from kiosk.core.errors import OperatorError
from sync.ending import Ending
from sync.mqtt import Broker
from sync.receiver.broker_url import parse_broker
from sync.receiver.database import looking, opened, require_database
from sync.receiver.fiware.agent_sink import AgentSink
from sync.receiver.fiware.broker_sink import BrokerSink
from sync.receiver.fiware.http import Client
from sync.receiver.fiware.measures import provisioning
from sync.receiver.fiware.mqtt_sink import MqttSink
from sync.receiver.fiware.settings import Settings, load
from sync.receiver.options import database_option, json_option, print_json, say
from sync.receiver.sinks import Follower, Sink
from sync.receiver.sinks.standing import again, bins, standings

_NAME = re.compile(r"[a-z0-9-]{1,32}")
_file = click.Path(path_type=Path)
_settings = click.option(
    "--settings", "settings_file", type=_file, metavar="FILE", help="TOML: docs/fiware.md"
)


@click.group()
def sink() -> None:
    """Follow what is committed into other platforms."""


@sink.command("fiware")
@database_option
@click.option("--to", "url", required=True, metavar="URL", help="https://HOST or mqtts://HOST")
@click.option(
    "--form",
    type=click.Choice(["ngsi-ld", "iot-json"]),
    help="Entities for a context broker (default with https), or measures for an IoT Agent.",
)
@_settings
@click.option("--name", default="fiware", show_default=True, help="Its place in the database.")
@click.option("--token-file", type=_file, help="The platform's token.")
@click.option("--password-file", type=_file, help="For the user of an mqtt URL.")
@click.option("--ca-file", type=_file, help="Who signs the platform's certificate.")
@click.option("--cert-file", type=_file, help="Client certificate (mqtts).")
@click.option("--key-file", type=_file, help="Its private key.")
def fiware(
    database: str,
    url: str,
    form: str | None,
    settings_file: Path | None,
    name: str,
    token_file: Path | None,
    password_file: Path | None,
    ca_file: Path | None,
    cert_file: Path | None,
    key_file: Path | None,
) -> None:
    """Follow into FIWARE until SIGTERM or Ctrl-C. Of several with one name, one delivers."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if _NAME.fullmatch(name) is None:
        raise OperatorError(
            "sink_name",
            f"{name!r} is no name for a sink.",
            "Use 1 to 32 of the letters a-z, digits and hyphens.",
        )
    settings = load(settings_file)
    if url.startswith(("mqtt:", "mqtts:")):
        broker = parse_broker(url, password_file, ca_file, cert_file, key_file)
        made = _over_mqtt(name, broker, form, settings)
    else:
        made = _over_http(name, url, form, settings, token_file, ca_file)
    require_database(database)
    ending = Ending()
    ending.heed()
    with opened(database) as engine:
        Follower(engine, made).run(ending)


@sink.command("devices")
@database_option
@_settings
@click.option("--transport", type=click.Choice(["HTTP", "MQTT"]), default="HTTP", show_default=True)
def devices(database: str, settings_file: Path | None, transport: str) -> None:
    """Print the body of POST /iot/devices that makes every bin known to an IoT Agent."""
    settings = load(settings_file)
    with looking(database) as connection:
        body = provisioning(bins(connection), settings, transport=transport)
    click.echo(json.dumps(body, ensure_ascii=False, indent=1))


@sink.command("list")
@database_option
@json_option
def list_(database: str, as_json: bool) -> None:
    """How far every sink is, what keeps it, and what was refused."""
    with looking(database) as connection:
        known = standings(connection)
    if as_json:
        print_json([asdict(each) for each in known])
        return
    for each in known:
        click.echo(f"{each.sink}  {each.behind} behind  {each.aside_count} set aside")
        if each.trouble is not None:
            click.echo(f"    {each.trouble_code}: {each.trouble}")
        for subject, code, words in each.aside:
            click.echo(f"    {subject}: {code}: {words}")
    if not known:
        click.echo("No sink ever ran on this database.")


@sink.command("again")
@click.argument("name")
@click.option("--all", "everything", is_flag=True, help="Every ledger, from its first entry.")
@database_option
@json_option
def again_(name: str, everything: bool, database: str, as_json: bool) -> None:
    """Send ledgers with something set aside again, once what refused it is mended."""
    require_database(database)
    with opened(database) as engine, engine.begin() as connection:
        count = again(connection, name, everything=everything)
    say(as_json, {"sink": name, "ledgers": count}, f"{name}: {count} ledgers from the beginning")


def _over_mqtt(name: str, broker: Broker, form: str | None, settings: Settings) -> Sink:
    if form == "ngsi-ld":
        raise OperatorError(
            "form",
            "A context broker is not reached over MQTT.",
            "Use https:// for --form ngsi-ld, or --form iot-json.",
        )
    return MqttSink(name, broker, settings)


def _over_http(
    name: str,
    url: str,
    form: str | None,
    settings: Settings,
    token_file: Path | None,
    ca_file: Path | None,
) -> Sink:
    headers = {}
    if settings.tenant is not None:
        kind = "fiware-service" if form == "iot-json" else "NGSILD-Tenant"
        headers[kind] = settings.tenant
    if settings.service_path is not None:
        headers["fiware-servicepath"] = settings.service_path
    client = Client(
        url,
        timeout_s=settings.timeout_s,
        token_file=token_file,
        token_header=settings.token_header,
        ca_file=ca_file,
        headers=headers,
    )
    if form == "iot-json":
        return AgentSink(name, client, settings)
    return BrokerSink(name, client, settings)

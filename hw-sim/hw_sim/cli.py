"""``hw-sim``: a station's hardware, its residents and its city, simulated on one machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec


@click.group()
def main() -> None:
    """Simulated station hardware, residents and city; never installed on a station."""


@main.command()
def demo() -> None:
    """A station, its city and their residents on this machine, then the accounts.

    Settings come from the environment: DEMO_S real seconds (else until Ctrl-C), DEMO_SPEED divides the
    quiet between visits, DEMO_SEED, DEMO_PORT of the screen, DEMO_KEEP=1 goes on from the last run,
    DEMO_KILLS times one process is killed, DEMO_DIR the folder. Ends with 0 when everything is
    accounted for, 1 when not, 2 when it could not start.
    """
    from hw_sim.demo import run
    from hw_sim.demo_site import DemoError
    from hw_sim.wishes import Wishes

    try:
        sys.exit(run(Wishes.from_environment()))
    except DemoError as error:
        click.echo(f"hw-sim demo: {error}", err=True)
        sys.exit(2)


@main.command()
@click.argument("scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where truth.jsonl and the wires appear.",
)
def world(scenario: Path, folder: Path) -> None:
    """The world alone: wires, camera, cards and people; JSON lines of what happens.

    SIGUSR1 asks the people to finish, SIGTERM ends it.
    """
    from hw_sim.scenario import load
    from hw_sim.world import run_world

    try:
        loaded = load(scenario)
    except (msgspec.MsgspecError, ValueError) as error:
        click.echo(f"hw-sim world: {scenario} is no scenario: {error}", err=True)
        sys.exit(2)
    run_world(loaded, folder)


@main.command()
@click.option("--to", required=True, metavar="HOST:PORT", help="Where the line leads.")
@click.option("--port", default=0, help="To listen on; 0 takes a free one and says which.")
@click.option("--bytes-per-s", default=0, help="Bandwidth each way; 0: the machine's.")
@click.option("--latency-ms", default=0, help="One way.")
@click.option("--jitter-ms", default=0, help="At most so much more, anew for each chunk.")
@click.option("--stall-each-s", default=0.0, help="Mean time between stalls of a connection.")
@click.option("--stall-s", default=1.0, show_default=True, help="The longest stall.")
@click.option("--reset-each-s", default=0.0, help="Mean time until a reset in mid-packet.")
@click.option("--silence-each-s", default=0.0, help="Mean time until a connection is half open.")
@click.option("--dark-each-s", default=0.0, help="Mean time between blackouts of the line.")
@click.option("--dark-s", default=2.0, show_default=True, help="Their mean length.")
@click.option("--refuse-each-s", default=0.0, help="Mean time between refusals of everybody.")
@click.option("--refuse-s", default=1.0, show_default=True, help="Their mean length.")
@click.option("--seed", default=0, help="Of everything that is drawn.")
def link(to: str, port: int, seed: int, **given: float) -> None:
    """A bad line: a TCP proxy that is narrow, slow, uneven, and at times dead.

    Loss on a mobile line shows in TCP as stalls, resets and silence: those it makes. SIGUSR1 makes it dark
    until sent again, SIGUSR2 refusing. JSON lines say where it listens, what it becomes, what it counted.
    """
    from dataclasses import fields

    from hw_sim.link import Weather
    from hw_sim.link_run import Spells, run_link

    host, _, far = to.rpartition(":")
    if not host or not far.isdigit():
        raise click.BadParameter("write HOST:PORT", param_hint="--to")
    names = {each.name for each in fields(Weather)}
    weather = {name: value for name, value in given.items() if name in names}
    spells = {name: value for name, value in given.items() if name not in names}
    try:
        run_link((host, int(far)), port, Weather(**weather), Spells(**spells), seed)  # type: ignore[arg-type]
    except OSError as error:
        click.echo(f"hw-sim link: port {port} cannot be had ({error.strerror}).", err=True)
        sys.exit(2)


@main.command()
@click.option("--kills", default=1000, show_default=True, help="Of the four kinds together.")
@click.option("--seed", default=1, show_default=True)
@click.option("--each-s", default=0.9, show_default=True, help="Mean time between two kills.")
@click.option("--sqlite", is_flag=True, help="The city on SQLite instead of PostgreSQL.")
@click.option(
    "--whole", is_flag=True, help="The whole station with its people, not a ledger alone."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Kept afterwards, logs and all; a temporary one without it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON value on standard output.")
def chaos(
    kills: int,
    seed: int,
    each_s: float,
    sqlite: bool,
    whole: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Kill -9 at random: station, uplink, broker, receivers; then compare both ends row by row.

    Ends with 0 when ledger and city are identical, 1 when not, 2 when it could not start.
    """
    from hw_sim.chaos.run import Wish
    from hw_sim.chaos.run import main as run_chaos

    wish = Wish(kills, seed, each_s, not sqlite, whole, folder)
    sys.exit(run_chaos(wish, as_json=as_json))

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

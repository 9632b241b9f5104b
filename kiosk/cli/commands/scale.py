"""``kiosk scale``: the bins' scales, and recorded traces and bytes without a station."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli.call import Call
from kiosk.cli.commands import scale_work
from kiosk.cli.spoken import SpokenGroup
from kiosk.core.errors import OperatorError

if TYPE_CHECKING:
    from drivers.telegram import Codec

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


def slope(_ctx: click.Context, _option: click.Parameter, value: float) -> float:
    """A scale's slope: a true number, and not 0; negative where the cells are wired so."""
    if value == 0 or not math.isfinite(value):
        raise click.BadParameter(f"{value} is no slope of a scale")
    return value


def add(app: click.Group) -> None:
    app.add_command(scale)
    scale_work.add(scale)


@click.group(cls=SpokenGroup)
def scale() -> None: ...


@scale.command("list")
@click.pass_obj
def scale_list(call: Call) -> int:
    from kiosk.cli import asking, pages

    found = asking.scales(call.settings)
    if call.json:
        call.write_each(found)
    else:
        pages.scales(call, found)
    return 0


@scale.command("zeroed")
@click.argument("bin_id", metavar="BIN")
@click.pass_obj
def scale_zeroed(call: Call, bin_id: str) -> None:
    from kiosk.cli import asking

    answer = asking.touch(call.settings, "indicator_zeroed", bin_id)
    if call.json:
        call.write(answer)
    call.say("touch.zeroed", bin=bin_id)


@scale.command("replay")
@click.argument("trace", type=EXISTING)
@click.option("--counts-per-gram", type=float, callback=slope, required=True, metavar="X")
@click.option("--zero-counts", type=int, required=True, metavar="N")
@click.option("--max-g", type=click.IntRange(1), required=True, metavar="N")
@click.option("--division-g", type=click.IntRange(1), required=True, metavar="N")
@click.option("--rate-sps", type=click.FloatRange(0.1, 1000), required=True, metavar="X")
@click.option("--min-increment-g", type=click.IntRange(1), metavar="N")
@click.pass_obj
def scale_replay(
    call: Call,
    trace: Path,
    counts_per_gram: float,
    zero_counts: int,
    max_g: int,
    division_g: int,
    rate_sps: float,
    min_increment_g: int | None,
) -> None:
    from kiosk.core.config import ScaleRules
    from kiosk.replay import replay

    rules = ScaleRules(
        max_g=max_g,
        division_g=division_g,
        min_increment_g=division_g if min_increment_g is None else min_increment_g,
        rate_sps=rate_sps,
        counts_per_gram=counts_per_gram,
        zero_counts=zero_counts,
    )
    with trace.open(encoding="utf-8", errors="replace", newline="") as lines:
        call.write_each(replay(lines, rules))


@scale.command("decode")
@click.argument("file", type=EXISTING)
@click.option("--protocol", metavar="P")
@click.option("--bin", "bin_id", metavar="BIN")
@click.pass_obj
def scale_decode(call: Call, file: Path, protocol: str | None, bin_id: str | None) -> None:
    from drivers.decode import decode_file

    decoders = None if bin_id is None else indicator_of(call, bin_id)
    call.write_each(decode_file(file, protocol, decoders))


def indicator_of(call: Call, bin_id: str) -> dict[str, Callable[[], Codec]]:
    """The codec of one bin's indicator, as the settings have it."""
    from kiosk.devices import decoders
    from kiosk.settings import IndicatorScale

    found = {
        one.id: one.scale for one in call.settings.bins if isinstance(one.scale, IndicatorScale)
    }
    if bin_id not in found:
        raise OperatorError(
            "no_such_bin",
            f"There is no bin {bin_id} on an indicator.",
            f"The bins are: {', '.join(found)}.",
        )
    return decoders(found[bin_id])


@scale.command("probe")
@click.argument("port", metavar="PORT")
@click.option("--seconds", type=click.FloatRange(1, 600), default=60.0, metavar="N")
@click.pass_obj
def scale_probe(call: Call, port: str, seconds: float) -> int:
    from drivers.probe import Found, probe
    from kiosk.cli import pages

    for one in probe(port, seconds):
        if isinstance(one, Found):
            pages.probe_found(call, port, one)
            return 0
        pages.probe_tried(call, one)
    pages.probe_nothing(call, port)
    return 1

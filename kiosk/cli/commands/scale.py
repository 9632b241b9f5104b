"""``kiosk scale``: the bins' scales, and recorded traces and bytes without a station."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli.call import Call
from kiosk.cli.commands import scale_work
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import SpokenGroup
from kiosk.cli.values import Readable, Real, Whole
from kiosk.core.errors import OperatorError
from kiosk.tomlfile.problem import short

if TYPE_CHECKING:
    from drivers.telegram import Codec

MAX_G = 100_000_000
"""A hundred tonnes."""
MAX_COUNTS = 2**31
SLOPE = Real(0.000_001, 1_000_000, either_sign=True)
"""Counts a gram: not 0; negative where the cells are wired so."""


def add(app: click.Group) -> None:
    app.add_command(scale)
    scale_work.add(scale)


@click.group(cls=SpokenGroup)
def scale() -> None: ...


@scale.command("list")
@click.pass_obj
def scale_list(call: Call) -> int:
    from kiosk.cli import asking, state_page

    found = asking.scales(call.settings)
    if call.json:
        call.write_each(found)
    else:
        state_page.scales(call, found)
    return 0


@scale.command("zeroed")
@click.argument("bin_id", metavar="BIN")
@click.pass_obj
def scale_zeroed(call: Call, bin_id: str) -> int:
    from kiosk.cli import asking, ledger_page

    answer = asking.touch(call.settings, "indicator_zeroed", bin_id)
    ledger_page.touched(call, answer)
    return 0 if answer["written"] else 1


@scale.command("replay")
@click.argument("trace", type=Readable())
@click.option("--counts-per-gram", type=SLOPE, required=True, metavar="X")
@click.option("--zero-counts", type=Whole(-MAX_COUNTS, MAX_COUNTS), required=True, metavar="N")
@click.option("--max-g", type=Whole(1, MAX_G), required=True, metavar="N")
@click.option("--division-g", type=Whole(1, MAX_G), required=True, metavar="N")
@click.option("--rate-sps", type=Real(0.1, 1000), required=True, metavar="X")
@click.option("--min-increment-g", type=Whole(1, MAX_G), metavar="N")
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
    from kiosk import trace as traces
    from kiosk.core.config import ScaleRules
    from kiosk.replay import replay

    within("--division-g", division_g, max_g)
    if min_increment_g is not None:
        within("--min-increment-g", min_increment_g, max_g)
    rules = ScaleRules(
        max_g=max_g,
        division_g=division_g,
        min_increment_g=division_g if min_increment_g is None else min_increment_g,
        rate_sps=rate_sps,
        counts_per_gram=counts_per_gram,
        zero_counts=zero_counts,
    )
    call.write_each(replay(traces.lines(trace), rules))


def within(option: str, value_g: int, max_g: int) -> None:
    """Refuses what would be more than the scale's Max."""
    if value_g > max_g:
        raise wrong_call(
            "beyond",
            f"{option} {value_g} is more than --max-g {max_g}.",
            option=option,
            value=value_g,
            most=max_g,
        )


@scale.command("decode")
@click.argument("file", type=Readable())
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
            f"There is no bin {short(bin_id)} on an indicator.",
            f"The bins are: {', '.join(found)}.",
            bin=short(bin_id),
            names=", ".join(found),
        )
    return decoders(found[bin_id])


@scale.command("probe")
@click.argument("port", metavar="PORT")
@click.option("--seconds", type=Real(1, 600), default=60.0, metavar="N")
@click.pass_obj
def scale_probe(call: Call, port: str, seconds: float) -> int:
    from drivers.probe import Found, probe
    from kiosk.cli import probe_page

    for one in probe(port, seconds):
        if isinstance(one, Found):
            probe_page.found(call, port, one)
            return 0
        probe_page.tried(call, one)
    probe_page.nothing(call, port)
    return 1

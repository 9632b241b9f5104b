"""``kiosk scale zero``, ``adjust``, ``verify``, ``diagnose``, ``record``: work at a live scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli.call import Call
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import Spoken
from kiosk.cli.values import Real, Whole
from kiosk.core.errors import OperatorError

if TYPE_CHECKING:
    from kiosk.core.adjustment import Reference
    from kiosk.core.limits import Accuracy


KNOWN_G = Real(1, 3_000_000)
TOLERANCE_G = Real(0, 100_000)
WATER_SHARE = 0.01
"""So well a bottle's print or a measuring jug says how much is in it, where nobody says better."""


def add(group: click.Group) -> None:
    for command in (scale_zero, scale_adjust, scale_verify, scale_diagnose, scale_record):
        group.add_command(command)


@click.command("zero", cls=Spoken)
@click.argument("bin_id", metavar="BIN")
@click.pass_obj
def scale_zero(call: Call, bin_id: str) -> int:
    from kiosk.cli import asking
    from kiosk.cli.scale_live import check_answer

    asking.check_bin(call.settings, bin_id)
    answer = check_answer(asking.ask(call.settings, "scale_zero", bin=bin_id))
    call.say("zero.done", bin=bin_id, zero_g=answer["zero_g"])
    if call.json:
        call.write({"bin": bin_id, "zero_g": answer["zero_g"], "adjustment": answer["number"]})
    return 0


@click.command("adjust", cls=Spoken)
@click.argument("bin_id", metavar="BIN")
@click.option("--known-g", type=KNOWN_G, multiple=True, metavar="G")
@click.option("--tolerance-g", type=TOLERANCE_G, metavar="G")
@click.option("--water-ml", type=Real(100, 100_000), metavar="ML")
@click.option("--water-c", type=Real(0, 40), default=20.0, metavar="C")
@click.option("--bottle-g", type=Real(0, 10_000), default=0.0, metavar="G")
@click.option("--repeats", type=Whole(1, 10), metavar="N")
@click.option("--empty", is_flag=True)
@click.option("--yes", is_flag=True)
@click.option("--gravity-m-s2", type=Real(9.76, 9.84), metavar="X")
@click.option("--latitude-deg", type=Real(-90, 90), metavar="X")
@click.option("--height-m", type=Real(-500, 5_000), default=0.0, metavar="X")
@click.option("--moved", is_flag=True)
@click.pass_obj
def scale_adjust(
    call: Call,
    bin_id: str,
    known_g: tuple[float, ...],
    tolerance_g: float | None,
    water_ml: float | None,
    water_c: float,
    bottle_g: float,
    repeats: int | None,
    empty: bool,
    yes: bool,
    gravity_m_s2: float | None,
    latitude_deg: float | None,
    height_m: float,
    moved: bool,
) -> int:
    from kiosk.cli import scale_adjust as work
    from kiosk.core import gravity, water

    if latitude_deg is not None and gravity_m_s2 is None:
        gravity_m_s2 = gravity.normal_m_s2(latitude_deg, height_m)
    if moved:
        if gravity_m_s2 is None:
            raise OperatorError(
                "gravity_here",
                "Where the scale stands now is missing.",
                "Give --latitude-deg or --gravity-m-s2.",
            )
        return work.moved(call, bin_id, gravity_m_s2)
    references = known(known_g, tolerance_g)
    if water_ml is not None:
        tolerance_ml = water_ml * WATER_SHARE if tolerance_g is None else tolerance_g
        references = (*references, water.of_volume(water_ml, tolerance_ml, water_c, bottle_g))
    wish = work.Wish(
        references=references,
        placements=repeats or (1 if len(references) > 1 else 2),
        empty=True if empty else None,
        yes=yes,
        gravity_m_s2=gravity_m_s2,
    )
    return work.adjust(call, bin_id, wish)


@click.command("verify", cls=Spoken)
@click.argument("bin_id", metavar="BIN")
@click.option("--known-g", type=KNOWN_G, multiple=True, required=True, metavar="G")
@click.option("--tolerance-g", type=TOLERANCE_G, metavar="G")
@click.option("--class", "accuracy", type=click.Choice(("III", "IIII")), default="III")
@click.pass_obj
def scale_verify(
    call: Call,
    bin_id: str,
    known_g: tuple[float, ...],
    tolerance_g: float | None,
    accuracy: Accuracy,
) -> int:
    from kiosk.cli.scale_verify import verify

    return verify(call, bin_id, known(known_g, tolerance_g), accuracy)


@click.command("diagnose", cls=Spoken)
@click.argument("bin_id", metavar="BIN")
@click.pass_obj
def scale_diagnose(call: Call, bin_id: str) -> int:
    from kiosk.cli.scale_diagnose import diagnosed

    return diagnosed(call, bin_id)


@click.command("record", cls=Spoken)
@click.argument("bin_id", metavar="BIN")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--seconds", type=Real(1, 86_400), default=600.0, metavar="S")
@click.pass_obj
def scale_record(call: Call, bin_id: str, file: Path, seconds: float) -> int:
    from kiosk.cli.scale_record import record

    return record(call, bin_id, file, seconds)


def known(masses_g: tuple[float, ...], tolerance_g: float | None) -> tuple[Reference, ...]:
    """What is laid on; without a word a digital household scale has weighed it."""
    from kiosk.core.adjustment import MAX_LOADS, Reference
    from kiosk.scale_work import household_tolerance_g

    if len(masses_g) > MAX_LOADS:
        raise wrong_call(
            "loads",
            f"--known-g names more than {MAX_LOADS} loads.",
            option="--known-g",
            most=MAX_LOADS,
        )
    return tuple(
        Reference(mass_g, household_tolerance_g(mass_g) if tolerance_g is None else tolerance_g)
        for mass_g in masses_g
    )

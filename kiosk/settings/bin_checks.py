"""What one bin and its scale must say together.

Weights after OIML R 76-1: the division is 1, 2 or 5 times a power of ten (4.2.2.1); a class III
instrument has at most 10,000 divisions and Min = 20 e (3.2, table 3). The same bounds are asked of
an estimate, because nothing finer is true on a bin.
"""

from __future__ import annotations

import math
from pathlib import Path

from kiosk.core.catalogue import Catalogue
from kiosk.settings.scales import AnyScale, CountsScale, IndicatorScale
from kiosk.settings.shape import Bin
from kiosk.tomlfile import FileProblem

MAX_DIVISIONS = 10_000
MIN_DIVISIONS = 50
MIN_IN_DIVISIONS = 20
ADC_LIMIT = 2**23 - 1
MAX_REGISTERS = 32
"""Most transmitters read no more at once (as in ``drivers.indicator_modbus``)."""


def check_bin(one: Bin, place: str, catalogue: Catalogue, file: Path) -> None:
    if "-" in one.id:  # a key of the genesis' opening, and canonical keys hold none
        raise FileProblem(
            "bin_hyphen",
            file,
            f"{place}.id",
            f"the ledger cannot hold a bin's name with a hyphen, {one.id}.",
            f"Write {one.id.replace('-', '') or 'b1'}, or another name of a-z and 0-9.",
            value=one.id,
        )
    if one.item not in catalogue.items:
        raise unknown_item(one.item, f"{place}.item", file)
    near_empty_g, bag_min_g = one.effective_near_empty_g, one.effective_bag_min_g
    if near_empty_g >= bag_min_g:
        raise FileProblem(
            "near_empty_too_big",
            file,
            f"{place}.near_empty_g",
            f"{near_empty_g} g is not less than bag_min_g, {bag_min_g} g.",
            "Write less, so that taking something out is no bag change.",
            value=near_empty_g,
            limit=bag_min_g,
        )
    if one.scale:
        check_scale(one.scale, f"{place}.scale", file)
        if one.bag_limit_g and one.bag_limit_g > one.scale.max_g:
            raise out_of_scale(f"{place}.bag_limit_g", one.bag_limit_g, one.scale.max_g, file)
        if near_empty_g < one.scale.division_g:
            raise FileProblem(
                "near_empty_too_small",
                file,
                f"{place}.near_empty_g",
                f"{near_empty_g} g is less than one division, {one.scale.division_g} g.",
                "Write at least one division.",
                value=near_empty_g,
                limit=one.scale.division_g,
            )


def unknown_item(item: str, place: str, file: Path) -> FileProblem:
    return FileProblem(
        "item_unknown",
        file,
        place,
        f"the catalogue has no item {item}.",
        "Write an item of the catalogue, or add it there.",
        value=item,
    )


def out_of_scale(place: str, value_g: int, max_g: int, file: Path) -> FileProblem:
    return FileProblem(
        "beyond_max",
        file,
        place,
        f"{value_g} g is more than the scale's max_g, {max_g} g.",
        "Write at most max_g.",
        value=value_g,
        limit=max_g,
    )


def check_scale(scale: AnyScale, place: str, file: Path) -> None:
    digits = str(scale.division_g).rstrip("0")
    if digits not in ("1", "2", "5"):
        raise FileProblem(
            "division_form",
            file,
            f"{place}.division_g",
            f"a division of {scale.division_g} g does not exist.",
            "Write 1, 2 or 5, or one of these with zeros: 10, 20, 50, 100 …",
            value=scale.division_g,
        )
    if not MIN_DIVISIONS <= scale.max_g / scale.division_g <= MAX_DIVISIONS:
        raise FileProblem(
            "division_count",
            file,
            f"{place}.division_g",
            f"max_g / division_g must lie between {MIN_DIVISIONS} and {MAX_DIVISIONS}, "
            f"{scale.max_g} g / {scale.division_g} g does not.",
            "Correct the division or max_g; both stand on the scale's plate.",
            value=scale.division_g,
            max_g=scale.max_g,
        )
    if scale.min_increment_g is not None:
        if scale.min_increment_g < scale.division_g:
            raise FileProblem(
                "increment_too_small",
                file,
                f"{place}.min_increment_g",
                f"{scale.min_increment_g} g is less than one division, {scale.division_g} g.",
                "Write at least one division, or leave it out.",
                value=scale.min_increment_g,
                limit=scale.division_g,
            )
        if scale.min_increment_g > scale.max_g:
            raise out_of_scale(f"{place}.min_increment_g", scale.min_increment_g, scale.max_g, file)
    if isinstance(scale, CountsScale):
        check_hx711(scale, place, file)
    else:
        check_protocol(scale, place, file)
        check_seal(scale, place, file)


def check_hx711(scale: CountsScale, place: str, file: Path) -> None:
    """The slope is a true number, and Max lies within what 24 bits can say."""
    slope = scale.counts_per_gram
    if not math.isfinite(slope) or not 0.001 <= abs(slope) <= 100_000:
        raise FileProblem(
            "slope_impossible",
            file,
            f"{place}.counts_per_gram",
            f"{slope} counts a gram cannot be.",
            "Write what the adjustment found, from 0.001 to 100000; negative if wired so.",
            value=slope,
        )
    if abs(scale.zero_counts + scale.max_g * slope) > ADC_LIMIT:
        raise FileProblem(
            "adc_saturates",
            file,
            f"{place}.max_g",
            f"at {scale.max_g} g the converter would be at its end already.",
            "Correct max_g, counts_per_gram or zero_counts.",
            value=scale.max_g,
        )


def check_protocol(scale: IndicatorScale, place: str, file: Path) -> None:
    """What the protocol needs is there, and nothing that it does not read."""
    if (scale.protocol == "modbus") != (scale.modbus is not None):
        raise FileProblem(
            "modbus_map",
            file,
            f"{place}.modbus",
            'protocol = "modbus" and a table [bin.scale.modbus] belong together.',
            "Write both (at least decimals in the table), or neither.",
        )
    if scale.modbus is not None:
        count = scale.modbus.registers().count
        if count > MAX_REGISTERS:
            raise FileProblem(
                "modbus_spread",
                file,
                f"{place}.modbus.status",
                f"weight and status lie {count} registers apart; one read takes {MAX_REGISTERS}.",
                "Use the status register next to the weight, as the transmitter's manual has it.",
                value=count,
                limit=MAX_REGISTERS,
            )
    if scale.protocol != "generic":
        said = {"unit": scale.unit, "column": scale.column, "stable": scale.stable != "said"}
        for name, value in said.items():
            if value:
                raise FileProblem(
                    "generic_only",
                    file,
                    f"{place}.{name}",
                    f"protocol {scale.protocol} says this itself.",
                    'Remove it, or write protocol = "generic".',
                )
    elif not scale.stream and scale.request is None:
        raise FileProblem(
            "request_missing",
            file,
            f"{place}.request",
            "how the indicator is asked is not known.",
            'Write request, such as "P\\r\\n", from the indicator\'s manual, or stream = true.',
        )


def check_seal(scale: IndicatorScale, place: str, file: Path) -> None:
    """A certified weight needs the seal's number, its date and Min, all of them."""
    parts = {
        "seal_number": scale.seal_number,
        "valid_until": scale.valid_until,
        "min_g": scale.min_g,
    }
    missing = [name for name, value in parts.items() if value is None]
    if missing and len(missing) < len(parts):
        raise FileProblem(
            "seal_incomplete",
            file,
            f"{place}.{missing[0]}",
            "a verified scale needs seal_number, valid_until and min_g together.",
            "Add it from the scale's plate, or remove the others.",
        )
    if scale.min_g is not None and scale.min_g < MIN_IN_DIVISIONS * scale.division_g:
        raise FileProblem(
            "min_too_small",
            file,
            f"{place}.min_g",
            f"{scale.min_g} g is less than {MIN_IN_DIVISIONS} divisions.",
            "Write the Min on the scale's plate.",
            value=scale.min_g,
            limit=MIN_IN_DIVISIONS * scale.division_g,
        )

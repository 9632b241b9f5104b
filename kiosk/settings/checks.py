"""What the values of a settings file must say together. The first thing wrong is raised.

Weights after OIML R 76-1: the division is 1, 2 or 5 times a power of ten (4.2.2.1); a class III
instrument has at most 10,000 divisions and Min = 20 e (3.2, table 3). The same bounds are asked of
an estimate, because nothing finer is true on a bin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kiosk.catalogue import Catalogue
from kiosk.settings.shape import (
    AnyScale,
    Bin,
    CameraReader,
    Hx711Scale,
    IndicatorScale,
    Mqtt,
    Points,
    Settings,
    effective_bag_min_g,
    effective_near_empty_g,
)
from kiosk.tomlfile import FileProblem

MAX_DIVISIONS = 10_000
MIN_DIVISIONS = 50
MIN_IN_DIVISIONS = 20
MAX_SOCKET_PATH = 107
"""Bytes of a Unix socket's path (``sockaddr_un.sun_path`` less its NUL)."""
ADC_LIMIT = 2**23 - 1


def check(settings: Settings, catalogue: Catalogue, file: Path) -> None:
    """Raise ``FileProblem`` for the first thing that does not fit together."""
    check_station(settings, file)
    check_unique(bin_names(settings), "id", "setting_twice", file)
    check_unique(reader_names(settings), "id", "setting_twice", file)
    check_unique(pins(settings), "pin", "pin_twice", file)
    check_unique(ports(settings), "port", "port_twice", file)
    for number, one in enumerate(settings.bins):
        check_bin(one, f"bin[{number}]", catalogue, file)
    check_points(settings, catalogue, file)
    if settings.mqtt:
        check_mqtt(settings.mqtt, file)


def check_station(settings: Settings, file: Path) -> None:
    try:
        ZoneInfo(settings.station.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FileProblem(
            "timezone_unknown",
            file,
            "station.timezone",
            f"no time zone of this name is known here: {settings.station.timezone}.",
            "Write one like Asia/Tokyo, and install the package tzdata if it is missing.",
            value=settings.station.timezone,
        ) from error
    socket = str(settings.paths.socket)
    if len(socket.encode()) > MAX_SOCKET_PATH:
        raise FileProblem(
            "path_too_long",
            file,
            "paths.run",
            f"the control socket's path would be longer than {MAX_SOCKET_PATH} bytes.",
            "Choose a shorter folder, such as /run/kiosk.",
            limit=MAX_SOCKET_PATH,
        )


def bin_names(settings: Settings) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(settings.bins):
        yield f"bin[{number}].id", one.id


def reader_names(settings: Settings) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(settings.readers):
        yield f"reader[{number}].id", one.id


def pins(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every GPIO line in use, with its place."""
    for number, one in enumerate(settings.bins):
        place = f"bin[{number}]"
        if isinstance(one.scale, Hx711Scale):
            yield f"{place}.scale.dout_pin", str(one.scale.dout_pin)
            yield f"{place}.scale.sck_pin", str(one.scale.sck_pin)
        if one.lid_pin is not None:
            yield f"{place}.lid_pin", str(one.lid_pin)
        if one.lamp_pin is not None:
            yield f"{place}.lamp_pin", str(one.lamp_pin)
    if settings.buzzer:
        yield "buzzer.pin", str(settings.buzzer.pin)


def ports(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every serial port and camera in use, with its place."""
    for number, one in enumerate(settings.bins):
        if isinstance(one.scale, IndicatorScale):
            yield f"bin[{number}].scale.port", one.scale.port
    for number, reader in enumerate(settings.readers):
        if isinstance(reader, CameraReader):
            yield f"reader[{number}].source", str(reader.source)
        else:
            yield f"reader[{number}].port", reader.port


def check_unique(named: Iterator[tuple[str, str]], kind: str, code: str, file: Path) -> None:
    first: dict[str, str] = {}
    for place, value in named:
        if value in first:
            raise FileProblem(
                code,
                file,
                place,
                f"{value} is already used at {first[value]}.",
                f"Give each its own {kind}.",
                value=value,
                other=first[value],
            )
        first[value] = place


def check_bin(one: Bin, place: str, catalogue: Catalogue, file: Path) -> None:
    if one.item not in catalogue.items:
        raise FileProblem(
            "item_unknown",
            file,
            f"{place}.item",
            f"the catalogue has no item {one.item}.",
            "Write an item of the catalogue, or add it there.",
            value=one.item,
        )
    near_empty_g, bag_min_g = effective_near_empty_g(one), effective_bag_min_g(one)
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
    if isinstance(scale, Hx711Scale):
        check_hx711(scale, place, file)
    else:
        check_seal(scale, place, file)


def check_hx711(scale: Hx711Scale, place: str, file: Path) -> None:
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


def check_points(settings: Settings, catalogue: Catalogue, file: Path) -> None:
    points = settings.points
    if points.linked and settings.station.crowd != "one_by_one":
        raise FileProblem(
            "points_need_turns",
            file,
            "points.mode",
            f'points by {points.mode} need station.crowd = "one_by_one".',
            'Set the crowd so, or choose mode = "visit" or "none".',
            value=points.mode,
        )
    check_link_days(points, file)
    for table, mode in (("per_kg", "kg"), ("per_item", "item")):
        for code, value in getattr(points, table).items():
            place = f"points.{table}.{code}"
            item = catalogue.items.get(code)
            if item is None:
                raise FileProblem(
                    "item_unknown",
                    file,
                    place,
                    f"the catalogue has no item {code}.",
                    "Write an item of the catalogue, or add it there.",
                    value=code,
                )
            if value and item.legal and item.legal.points == "no":
                raise FileProblem(
                    "points_forbidden",
                    file,
                    place,
                    f"no points may be given for {code}: {item.legal.en}",
                    "Remove it.",
                    value=code,
                )
        if points.mode == mode and not getattr(points, table):
            raise FileProblem(
                "points_table_missing",
                file,
                f"points.{table}",
                f'mode = "{mode}" needs points for one item at least.',
                f"Add a table [points.{table}], for example pet-bottle = 10.",
                value=mode,
                table=table,
            )


def check_link_days(points: Points, file: Path) -> None:
    """No disposal diary: weighings are linked to check-ins only where points need it."""
    if points.link_days is None or (points.link_days > 0) == points.linked:
        return
    raise FileProblem(
        "link_days",
        file,
        "points.link_days",
        "weighings are linked to cards exactly where points go by item or weight.",
        'Remove it: it is 90 with mode = "item" or "kg" and 0 otherwise.',
        value=points.link_days,
    )


def check_mqtt(mqtt: Mqtt, file: Path) -> None:
    pairs = (
        ("cert_file", mqtt.cert_file, "key_file", mqtt.key_file),
        ("password_file", mqtt.password_file, "username", mqtt.username),
    )
    for name, value, partner_name, partner in pairs:
        if value is not None and partner is None:
            raise needs_partner(name, partner_name, file)
    if mqtt.key_file is not None and mqtt.cert_file is None:
        raise needs_partner("key_file", "cert_file", file)


def needs_partner(name: str, partner: str, file: Path) -> FileProblem:
    return FileProblem(
        "mqtt_pair",
        file,
        f"mqtt.{partner}",
        f"{name} needs {partner} beside it.",
        f"Add {partner}, or remove {name}.",
        name=name,
        partner=partner,
    )

"""What the values of a settings file must say together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kiosk.core.cards.foreign import Pattern, PatternError
from kiosk.core.cards.sun import DEFAULT_TEMPLATE, Template
from kiosk.core.catalogue import Catalogue
from kiosk.settings.bin_checks import check_bin, unknown_item
from kiosk.settings.hall_checks import check_heat, check_sound
from kiosk.settings.readers import (
    AnyReader,
    CameraReader,
    KeyboardReader,
    PcscReader,
    Pn532Reader,
    Rcs380Reader,
)
from kiosk.settings.scales import Hx711IioScale, Hx711Scale, Hx711SpiScale, IndicatorScale
from kiosk.settings.shape import Cards, City, Mqtt, Points, Settings
from kiosk.tomlfile import FileProblem

MAX_GATHER_S = 10
"""So long a question may wait for company on a metered line: somebody stands there."""
MAX_SOCKET_PATH = 107
"""Bytes of a Unix socket's path (``sockaddr_un.sun_path`` less its NUL)."""


def check(settings: Settings, catalogue: Catalogue, file: Path) -> None:
    """Raise ``FileProblem`` for the first thing that does not fit together."""
    for problem in misfits(settings, catalogue, file):
        raise problem


def misfits(settings: Settings, catalogue: Catalogue, file: Path) -> Iterator[FileProblem]:
    """What does not fit together, for each bin and each of the other checks the first thing."""
    checks: list[Callable[[], None]] = [
        partial(check_station, settings, file),
        partial(check_unique, bin_names(settings), "id", "setting_twice", file),
        partial(check_unique, reader_names(settings), "id", "setting_twice", file),
        partial(check_unique, pins(settings), "pin", "pin_twice", file),
        partial(check_unique, ports(settings), "port", "port_twice", file),
        partial(check_shared_clocks, settings, file),
    ]
    for number, one in enumerate(settings.bins):
        checks.append(partial(check_bin, one, f"bin[{number}]", catalogue, file))
    checks.append(partial(check_sound, settings.sound, file))
    checks.append(partial(check_heat, settings.heat, file))
    checks.append(partial(check_cards, settings.cards, file))
    checks.append(partial(check_points, settings, catalogue, file))
    checks.append(partial(check_lists, settings, file))
    checks.append(partial(check_balance, settings, file))
    names = [(f"cards.foreign[{n}].name", one.name) for n, one in enumerate(settings.cards.foreign)]
    checks.append(partial(check_unique, iter(names), "name", "setting_twice", file))
    checks.append(partial(check_foreign, settings, file))
    if settings.city:
        checks.append(partial(check_city, settings.city, file))
    if settings.mqtt:
        checks.append(partial(check_mqtt, settings.mqtt, file))
    for check_one in checks:
        try:
            check_one()
        except FileProblem as problem:
            yield problem


def check_lists(settings: Settings, file: Path) -> None:
    cards = settings.cards
    if cards.list_end_days < cards.list_good_days:
        raise FileProblem(
            "list_days",
            file,
            "cards.list_end_days",
            f"a list cannot end ({cards.list_end_days} days) while it is good"
            f" ({cards.list_good_days} days).",
            "Write a larger list_end_days, or a smaller list_good_days.",
            end=cards.list_end_days,
            good=cards.list_good_days,
        )
    if cards.lists != "as_sent" and settings.city is None:
        raise FileProblem(
            "lists_need_city",
            file,
            "cards.lists",
            "lists come from the city, and the settings do not name the city's key.",
            "Add public_key in [city], or remove lists.",
        )


def check_balance(settings: Settings, file: Path) -> None:
    """Only a line to the city brings an answer, and only one on which the question does not wait."""
    if not settings.points.balance:
        return
    if settings.city is None or settings.mqtt is None:
        raise FileProblem(
            "balance_needs_city",
            file,
            "points.balance",
            "balances come from the city, and the settings lack its key or the way to it.",
            "Add [city] and [mqtt], or remove balance.",
        )
    if settings.mqtt.gather_s > MAX_GATHER_S:
        raise FileProblem(
            "balance_late",
            file,
            "points.balance",
            f"with mqtt.gather_s = {settings.mqtt.gather_s} answers come when nobody waits any more.",
            f"Lower mqtt.gather_s to {MAX_GATHER_S} or less, or remove balance.",
            gather=settings.mqtt.gather_s,
            most=MAX_GATHER_S,
        )


def check_city(city: City, file: Path) -> None:
    from sync.signing import is_weak

    if is_weak(city.key):
        raise FileProblem(
            "weak_key",
            file,
            "city.public_key",
            "this is nobody's key: anybody could sign under it.",
            "Write the key that the city gave you.",
        )


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
    if len(os.fsencode(settings.paths.socket)) > MAX_SOCKET_PATH:
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
    """Every GPIO line in use, with its place; a clock line shared by several scales once."""
    clocks: set[int] = set()
    for number, one in enumerate(settings.bins):
        place = f"bin[{number}]"
        if isinstance(one.scale, Hx711Scale):
            yield f"{place}.scale.dout_pin", str(one.scale.dout_pin)
            if one.scale.sck_pin not in clocks:
                yield f"{place}.scale.sck_pin", str(one.scale.sck_pin)
            clocks.add(one.scale.sck_pin)
        if one.lid_pin is not None:
            yield f"{place}.lid_pin", str(one.lid_pin)
        if one.lamp_pin is not None:
            yield f"{place}.lamp_pin", str(one.lamp_pin)
        if one.full_pin is not None:
            yield f"{place}.full_pin", str(one.full_pin)
    for number, reader in enumerate(settings.readers):
        if isinstance(reader, Pn532Reader) and reader.reset_pin is not None:
            yield f"reader[{number}].reset_pin", str(reader.reset_pin)
    if settings.buzzer:
        yield "buzzer.pin", str(settings.buzzer.pin)
    if settings.reader_lamp:
        yield "reader_lamp.pin", str(settings.reader_lamp.pin)


def ports(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every serial port, camera and other device in use, with its place."""
    for number, one in enumerate(settings.bins):
        if isinstance(one.scale, IndicatorScale):
            yield f"bin[{number}].scale.port", one.scale.port
        if isinstance(one.scale, Hx711SpiScale):
            yield f"bin[{number}].scale.bus", f"SPI bus {one.scale.bus}"
        if isinstance(one.scale, Hx711IioScale):
            yield f"bin[{number}].scale.device", one.scale.device
    for number, reader in enumerate(settings.readers):
        yield held_by(reader, f"reader[{number}]")


def held_by(reader: AnyReader, place: str) -> tuple[str, str]:
    """What a reader takes for itself alone."""
    match reader:
        case CameraReader():
            return f"{place}.source", str(reader.source)
        case KeyboardReader() | Rcs380Reader():
            return f"{place}.device", reader.device
        case PcscReader():
            return f"{place}.name", f"PC/SC {reader.name or ''}".rstrip()
        case _:
            return f"{place}.port", reader.port


def check_shared_clocks(settings: Settings, file: Path) -> None:
    """One pulse train reads all chips on a clock line: the same gain, and about the same rate."""
    first: dict[int, tuple[str, Hx711Scale]] = {}
    for number, one in enumerate(settings.bins):
        scale, place = one.scale, f"bin[{number}].scale"
        if not isinstance(scale, Hx711Scale):
            continue
        other_place, other = first.setdefault(scale.sck_pin, (place, scale))
        for name in ("gain", "rate_sps"):
            if getattr(scale, name) != getattr(other, name):
                raise FileProblem(
                    "clock_shared",
                    file,
                    f"{place}.{name}",
                    f"it shares its clock line with {other_place}, whose {name} is "
                    f"{getattr(other, name)}.",
                    "Set both alike, or give this chip a clock line of its own.",
                    value=getattr(scale, name),
                    other=other_place,
                )


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


def check_turns(settings: Settings, file: Path) -> None:
    """Whether this station can tell whose drop it was, where the points' mode asks for it."""
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


def check_points(settings: Settings, catalogue: Catalogue, file: Path) -> None:
    check_turns(settings, file)
    points = settings.points
    for table, mode in (("per_kg", "kg"), ("per_item", "item")):
        for code, value in getattr(points, table).items():
            place = f"points.{table}.{code}"
            item = catalogue.items.get(code)
            if item is None:
                raise unknown_item(code, place, file)
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


def check_foreign(settings: Settings, file: Path) -> None:
    """The patterns of somebody else's codes (``kiosk.core.cards.foreign``)."""
    for number, one in enumerate(settings.cards.foreign):
        try:
            Pattern(one.pattern)
        except PatternError as error:
            raise FileProblem(
                "foreign_pattern",
                file,
                f"cards.foreign[{number}].pattern",
                f"character {error.at} is not as a code's pattern may be.",
                "Write it as docs/cards.md says, for example [0-9]{8}.",
                at=error.at,
            ) from error


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


def check_cards(cards: Cards, file: Path) -> None:
    try:
        Template(cards.sun_url)
    except ValueError as error:
        raise FileProblem(
            "sun_url",
            file,
            "cards.sun_url",
            f"the end of a chip's address {error}.",
            f"Write it as it was written to the chips, such as {DEFAULT_TEMPLATE}.",
            example=DEFAULT_TEMPLATE,
        ) from error


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
    for name, value in (("cert_file", mqtt.cert_file), ("crl_file", mqtt.crl_file)):
        if value is not None and mqtt.ca_file is None:
            raise needs_partner(name, "ca_file", file)


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

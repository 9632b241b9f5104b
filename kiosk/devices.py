"""From settings to device threads. Construction only; imports stand where a device is wanted, because
some take long to load and the scales have to be ready first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.gpio import Lid, Signals
from kiosk.core.cards import CardDesk
from kiosk.core.errors import OperatorError
from kiosk.settings import (
    CameraReader,
    CountsScale,
    Hx711IioScale,
    Hx711Scale,
    Hx711SpiScale,
    IndicatorScale,
    Settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.hx711_port import Wire
    from drivers.telegram import Codec
    from drivers.worker import Device
    from kiosk.clock import StationClock

KEY_BYTES = 32


def scales(settings: Settings) -> list[Device]:
    """A thread for each scale; HX711s on one clock line share theirs."""
    made: list[Device] = []
    lines: dict[object, dict[str, CountsScale]] = {}
    for one in settings.bins:
        scale = one.scale
        if isinstance(scale, Hx711Scale):
            lines.setdefault(("sck", scale.sck_pin), {})[one.id] = scale
        elif isinstance(scale, CountsScale):
            lines[one.id] = {one.id: scale}
        elif isinstance(scale, IndicatorScale):
            made.append(indicator(one.id, scale))
    for line in lines.values():
        made += _hx711_line(line)
    return made


def _hx711_line(line: dict[str, CountsScale]) -> list[Device]:
    from drivers import hx711

    kernel = isinstance(next(iter(line.values())), Hx711IioScale)
    bins = [
        hx711.Hx711Bin(name, scale.rate_sps, scale.gain, must_see=kernel)
        for name, scale in line.items()
    ]
    worker = hx711.Hx711Scale(bins, _wire(list(line.values())))
    return [worker, *worker.riders()]


def _wire(scales: list[CountsScale]) -> Wire:
    """What lies between the chips of one clock line and us."""
    first = scales[0]
    if isinstance(first, Hx711IioScale):
        from drivers.hx711_iio import IioWire

        return IioWire(first.device, first.gain)
    from drivers.hx711_looking import LookingWire

    if isinstance(first, Hx711SpiScale):
        from drivers.hx711_spi import SpiPins

        return LookingWire(SpiPins(first.bus, first.device, first.gain))
    from drivers.hx711_gpio import PackagePins, SharedClockPins

    on_gpio = [scale for scale in scales if isinstance(scale, Hx711Scale)]
    douts, sck = [scale.dout_pin for scale in on_gpio], on_gpio[0].sck_pin
    if len(douts) == 1:
        return LookingWire(PackagePins(douts[0], sck, first.gain))
    return LookingWire(SharedClockPins(douts, sck, first.gain))


def indicator(bin_id: str, scale: IndicatorScale) -> Device:
    """A weighing indicator's thread, or a load-cell transmitter's on Modbus."""
    from drivers.serial_line import Line

    line = Line(scale.baud, scale.bytesize, scale.parity, scale.stopbits)
    if scale.modbus is not None:
        from drivers.modbus_scale import ModbusScale

        registers = scale.modbus.registers()
        return ModbusScale(bin_id, scale.port, registers, poll_ms=scale.poll_ms, line=line)
    from drivers.protocols import PROTOCOLS
    from drivers.serial_scale import SerialScale

    spec = PROTOCOLS[scale.protocol]
    request = spec.request if scale.request is None else scale.request.encode("ascii")
    return SerialScale(
        bin_id,
        scale.port,
        decoder=decoders(scale)[scale.protocol],
        request=None if scale.stream else request,
        poll_ms=scale.poll_ms,
        line=line,
    )


def decoders(scale: IndicatorScale) -> dict[str, Callable[[], Codec]]:
    """The codec of one bin's indicator, as its settings say."""
    from drivers import indicator_generic, indicator_modbus
    from drivers.protocols import PROTOCOLS

    if scale.modbus is not None:
        registers = scale.modbus.registers()
        return {scale.protocol: lambda: indicator_modbus.decoder(registers)}
    if scale.protocol == indicator_generic.PROTOCOL:
        reading = indicator_generic.Reading(scale.unit, scale.column, scale.stable)
        return {scale.protocol: lambda: indicator_generic.decoder(reading)}
    return {scale.protocol: PROTOCOLS[scale.protocol].decoder}


def readers(settings: Settings, clock: StationClock) -> list[Device]:
    """A thread for each card reader, all at one desk that alone knows the keys."""
    if not settings.readers:
        return []
    from drivers import camera, pn532_pump

    desk = CardDesk(card_keys(settings.paths.card_key), _key(settings.paths.pseudonym_key))
    made: list[Device] = []
    for reader in settings.readers:
        name = f"reader:{reader.id}"
        if isinstance(reader, CameraReader):
            size = {"width_px": reader.width, "height_px": reader.height, "fps": reader.fps}
            made.append(camera.CameraReader(name, reader.source, desk, clock.today, **size))
        else:
            made.append(pn532_pump.Pn532Reader(name, reader.port, desk, baud=reader.baud))
    return made


def lids(settings: Settings) -> list[Device]:
    """The lid switches."""
    return [Lid(one.id, one.lid_pin) for one in settings.bins if one.lid_pin is not None]


def signals(settings: Settings) -> Signals:
    """Lamps and the buzzer."""
    lamps = {one.id: one.lamp_pin for one in settings.bins if one.lamp_pin is not None}
    return Signals(lamps, None if settings.buzzer is None else settings.buzzer.pin)


def card_keys(path: Path) -> dict[int, bytes]:
    """Key id to key: a file of one bare key (id 1), or of lines ``id key``."""
    keys: dict[int, bytes] = {}
    for line in _text(path).splitlines():
        words = line.split()
        if words:
            number = words[0] if len(words) == 2 else "1"
            keys[int(number)] = _hex(words[-1], path)
    return keys


def _key(path: Path) -> bytes:
    return _hex(_text(path).strip(), path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            "keys",
            f"The key file {path} cannot be read ({error}).",
            "Without it no card can be recognised: put it back from the town's safe.",
        ) from error


def _hex(text: str, path: Path) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise OperatorError(
            "keys",
            f"The key file {path} holds no key of 64 hexadecimal digits.",
            "Put the right file back from the town's safe.",
        )
    return key

"""From settings to device threads. Construction only; imports stand where a device is wanted, because
some take long to load and the scales have to be ready first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from drivers.gpio import Signals, fill_sensor, lid
from kiosk.cards.keys import Keyless
from kiosk.core.errors import DeviceError
from kiosk.settings import (
    CameraReader,
    CountsScale,
    Hx711IioScale,
    Hx711Scale,
    Hx711SpiScale,
    IndicatorScale,
    KeyboardReader,
    PcscReader,
    Rcs380Reader,
    ScannerReader,
    Settings,
)
from kiosk.settings.hall import CPU

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.hx711_port import Wire
    from drivers.telegram import Codec
    from drivers.worker import Device
    from kiosk.clock import StationClock
    from kiosk.core.cards import CardDesk
    from kiosk.settings.readers import AnyReader


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


def readers(settings: Settings, clock: StationClock, desk: Callable[[], CardDesk]) -> list[Device]:
    """A thread for each card reader. ``desk`` makes the desk that knows the keys, DeviceError while they
    are missing."""
    made: list[Device] = []
    for one in settings.readers:
        name = f"reader:{one.id}"
        make = partial(_reader, one, name, desk, clock)
        try:
            made.append(make())
        except DeviceError:  # its keys are missing: told by the one that waits for them
            made.append(Keyless(name, make))
    return made


def _reader(one: AnyReader, name: str, desk: Callable[[], CardDesk], clock: StationClock) -> Device:
    """DeviceError while the keys are missing."""
    known = desk()
    match one:
        case CameraReader():
            from drivers import camera

            return camera.CameraReader(
                name,
                one.source,
                known,
                clock.today,
                width_px=one.width,
                height_px=one.height,
                fps=one.fps,
                exposure=one.exposure,
            )
        case ScannerReader():
            from drivers.scanner_serial import SerialScanner

            return SerialScanner(
                name,
                one.port,
                known,
                clock.today,
                baud=one.baud,
                suffix=one.suffix,
                speaks=one.speaks,
                repeat_ms=one.repeat_s * 1000,
            )
        case KeyboardReader():
            from drivers.scanner_keyboard import KeyboardScanner

            repeat_ms = one.repeat_s * 1000
            return KeyboardScanner(
                name, one.device, known, clock.today, layout=one.layout, repeat_ms=repeat_ms
            )
        case Rcs380Reader():
            from drivers.reader_nfcpy import NfcpyReader

            return NfcpyReader(name, one.device, known)
        case PcscReader():
            from drivers.reader_pcsc import PcscReader as Reader

            return Reader(name, one.name or "", known)
        case _:
            from drivers import pn532_pump

            return pn532_pump.Pn532Reader(
                name, one.port, known, clock.today, baud=one.baud, reset_pin=one.reset_pin
            )


def lids(settings: Settings) -> list[Device]:
    """The lid switches."""
    return [lid(one.id, one.lid_pin) for one in settings.bins if one.lid_pin is not None]


def fill_sensors(settings: Settings) -> list[Device]:
    """What sees that a bin is full."""
    return [
        fill_sensor(one.id, one.full_pin, one.full_level)
        for one in settings.bins
        if one.full_pin is not None
    ]


def thermometers(settings: Settings) -> list[Device]:
    """The thermometer near the scales, and the machine's own where it has one."""
    hall, own = settings.thermometer, settings.heat.path
    made: list[Device] = []
    if hall is not None or own != CPU or own.exists():
        from drivers.thermometer import of_hall, of_machine

        if hall is not None:
            made.append(of_hall(hall.path))
        if own != CPU or own.exists():  # a machine without one has no such file
            made.append(of_machine(own))
    return made


def signals(settings: Settings) -> Signals:
    """Lamps and the buzzer."""
    lamps = {one.id: one.lamp_pin for one in settings.bins if one.lamp_pin is not None}
    buzzer, reader_lamp = settings.buzzer, settings.reader_lamp
    return Signals(
        lamps,
        None if buzzer is None else buzzer.pin,
        None if reader_lamp is None else reader_lamp.pin,
    )

"""From settings to device threads. Construction only; imports stand where a device is wanted, because
some take long to load and the scales have to be ready first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from drivers.gpio import Lid, Signals
from kiosk.card_keys import Keyless, desk
from kiosk.core.errors import DeviceError
from kiosk.settings import CameraReader, Hx711Scale, IndicatorScale, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.telegram import Codec
    from drivers.worker import Device
    from kiosk.clock import StationClock
    from kiosk.settings.shape import AnyReader, Paths


def scales(settings: Settings) -> list[Device]:
    """A thread for each scale."""
    made: list[Device] = []
    for one in settings.bins:
        scale = one.scale
        if scale is None:
            continue
        if isinstance(scale, Hx711Scale):
            from drivers import hx711

            made.append(
                hx711.Hx711Scale(
                    one.id,
                    dout_pin=scale.dout_pin,
                    sck_pin=scale.sck_pin,
                    rate_sps=scale.rate_sps,
                    gain=scale.gain,
                )
            )
        else:
            made.append(indicator(one.id, scale))
    return made


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
    """A thread for each card reader; the readers' desks alone know the keys."""
    made: list[Device] = []
    for one in settings.readers:
        name = f"reader:{one.id}"
        make = partial(_reader, one, name, settings.paths, clock)
        try:
            made.append(make())
        except DeviceError:  # its keys are missing: told by the one that waits for them
            made.append(Keyless(name, make))
    return made


def _reader(one: AnyReader, name: str, paths: Paths, clock: StationClock) -> Device:
    """DeviceError while the keys are missing."""
    known = desk(paths.card_key, paths.pseudonym_key)
    if isinstance(one, CameraReader):
        from drivers import camera

        size = {"width_px": one.width, "height_px": one.height, "fps": one.fps}
        return camera.CameraReader(name, one.source, known, clock.today, **size)
    from drivers import pn532_pump

    return pn532_pump.Pn532Reader(name, one.port, known, baud=one.baud)


def lids(settings: Settings) -> list[Device]:
    """The lid switches."""
    return [Lid(one.id, one.lid_pin) for one in settings.bins if one.lid_pin is not None]


def signals(settings: Settings) -> Signals:
    """Lamps and the buzzer."""
    lamps = {one.id: one.lamp_pin for one in settings.bins if one.lamp_pin is not None}
    return Signals(lamps, None if settings.buzzer is None else settings.buzzer.pin)

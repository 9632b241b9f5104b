"""From settings to device threads. Construction only; imports stand where a device is wanted, because
some take long to load and the scales have to be ready first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.gpio import Lid, Signals
from kiosk.core.cards import CardDesk
from kiosk.core.errors import OperatorError
from kiosk.settings import CameraReader, Hx711Scale, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.worker import Device
    from kiosk.clock import StationClock

KEY_BYTES = 32


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
            from drivers.serial_scale import SerialScale

            made.append(
                SerialScale(
                    one.id,
                    scale.port,
                    baud=scale.baud,
                    bytesize=scale.bytesize,
                    parity=scale.parity,
                    stopbits=scale.stopbits,
                    stream=scale.stream,
                    poll_ms=scale.poll_ms,
                )
            )
    return made


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


def thermometers(settings: Settings) -> list[Device]:
    """The thermometer near the scales."""
    if settings.thermometer is None:
        return []
    from drivers.thermometer import Thermometer

    return [Thermometer(settings.thermometer.path)]


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

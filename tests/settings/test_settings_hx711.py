"""Three ways to an HX711 in the settings, and several of them on one clock line."""

from __future__ import annotations

import pytest
from settings_site import USUAL, Write

from kiosk import devices, settings
from kiosk.settings import Hx711IioScale, Hx711SpiScale
from kiosk.tomlfile import FileProblem

PINS = 'kind = "hx711"\ndout_pin = 5\nsck_pin = 6\n'
SECOND = """
[[bin]]
id = "b9"
item = "carton"
[bin.scale]
kind = "hx711"
dout_pin = {dout}
sck_pin = 6
counts_per_gram = 43.0
zero_counts = 84000
max_g = 60000
division_g = 20
{more}
[[reader]]
id = "qr"
"""


def beside(more: str = "", dout: int = 13) -> str:
    return USUAL.replace('[[reader]]\nid = "qr"', SECOND.format(more=more, dout=dout), 1)


def test_two_bins_may_share_a_clock_line_and_then_a_thread(write: Write) -> None:
    read = settings.load(write(beside()))
    made = devices.scales(read)
    assert sorted(device.name for device in made) == ["scale:b1", "scale:b2", "scale:b9"]


@pytest.mark.parametrize("more", ["gain = 64", "rate_sps = 80"])
def test_chips_on_one_clock_line_have_one_gain_and_one_rate(write: Write, more: str) -> None:
    with pytest.raises(FileProblem) as caught:
        settings.load(write(beside(more)))
    assert (caught.value.code, caught.value.place) == (
        "clock_shared",
        f"bin[3].scale.{more.split()[0]}",
    )


def test_a_data_line_is_never_shared(write: Write) -> None:
    with pytest.raises(FileProblem) as caught:
        settings.load(write(beside(dout=5)))
    assert caught.value.code == "pin_twice"


def test_an_hx711_on_spi_is_a_port_and_no_pins(write: Write) -> None:
    text = USUAL.replace(PINS, 'kind = "hx711-spi"\nbus = 1\nrate_sps = 80\n')
    scale = settings.load(write(text)).bins[0].scale
    assert isinstance(scale, Hx711SpiScale)
    assert (scale.bus, scale.device, scale.rate_sps) == (1, 0, 80)


def test_an_spi_bus_reads_one_chip(write: Write) -> None:
    spi = 'kind = "hx711-spi"\n'
    text = beside().replace(PINS, spi).replace('kind = "hx711"\ndout_pin = 13\nsck_pin = 6\n', spi)
    with pytest.raises(FileProblem) as caught:
        settings.load(write(text))
    assert (caught.value.code, caught.value.place) == ("port_twice", "bin[3].scale.bus")


def test_an_hx711_of_the_kernels_is_named_and_never_read_at_80(write: Write) -> None:
    iio = 'kind = "hx711-iio"\ndevice = "scale-b1"\n'
    scale = settings.load(write(USUAL.replace(PINS, iio))).bins[0].scale
    assert isinstance(scale, Hx711IioScale)
    with pytest.raises(FileProblem) as caught:
        settings.load(write(USUAL.replace(PINS, iio + "rate_sps = 80\n")))
    assert caught.value.place == "bin[0].scale.rate_sps"

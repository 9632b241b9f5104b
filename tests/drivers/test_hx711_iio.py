"""The kernel's driver with its faults, in virtual time; and ours, which believes none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from driver_site import Inbox, MakeBench, iio_scale
from hw_sim.bench import Hx711Slot, Hx711Wiring
from hw_sim.iio_driver import IioFolder, KernelHx711
from hw_sim.virtual_pins import VirtualClock, plain_slot

from drivers.hx711_iio import IioWire
from kiosk.core.errors import DeviceError
from kiosk.core.events import CountsBlock, DeviceBack, DeviceLost

OFFSET = 1 << 23


class Kernel:
    """One device at 10 SPS in virtual time, without noise, 84,000 counts on it."""

    def __init__(self, load: float = 84_000.0) -> None:
        self.clock = VirtualClock(wake_ns=0)
        self.slot: Hx711Slot = plain_slot(Hx711Wiring(5, 6, 10.0, noise_counts=0.0), self.clock.now)
        self.slot.history_counts[0] = load
        self.slot.history_head = 1
        self.driver = KernelHx711(self.slot, self.clock)


def test_raw_is_offset_binary() -> None:
    assert Kernel(0.0).driver.raw(0) == OFFSET
    assert Kernel(-1.0).driver.raw(0) == OFFSET - 1
    assert Kernel().driver.raw(0) - OFFSET == 84_000


def test_a_shorted_line_reads_as_no_load_at_once_and_without_an_error() -> None:
    kernel = Kernel()
    kernel.slot.stuck_low = 1
    began = kernel.clock.now
    assert kernel.driver.raw(0) == OFFSET
    assert kernel.clock.now == began


def test_a_missing_chip_is_eio_after_two_seconds_and_the_gain_128() -> None:
    kernel = Kernel()
    kernel.driver.raw(0)
    with pytest.raises(OSError, match="Input/output"):
        kernel.driver.set_scale(kernel.driver.available(0).split()[1])
    kernel.driver.raw(0)
    kernel.slot.connected = 0
    began = kernel.clock.now
    with pytest.raises(OSError, match="Input/output"):
        kernel.driver.raw(0)
    assert kernel.clock.now - began > 2e9
    assert kernel.driver.scale() == kernel.driver.available(0).split()[0]


def test_a_gain_set_while_nothing_waits_is_refused_and_kept_and_nothing_settles() -> None:
    kernel = Kernel()
    kernel.driver.raw(0)
    with pytest.raises(OSError, match="Input/output"):
        kernel.driver.set_scale(kernel.driver.available(0).split()[1])
    values = [kernel.driver.raw(0) - OFFSET for _ in range(6)]
    assert values[0] == 84_000, "its pulses only now tell the chip"
    assert values[0] > values[1] > values[2] > 42_000, "and these are neither gain's"
    assert values[5] == 42_000


def test_the_scale_table_is_the_last_devices() -> None:
    kernel = Kernel()
    before = kernel.driver.scale()
    other = Kernel()
    other.driver = KernelHx711(other.slot, other.clock, avdd_uv=3_300_000)
    assert kernel.driver.scale() != before
    Kernel()


@pytest.fixture
def folder(make_bench: MakeBench, tmp_path: Path) -> IioFolder:
    bench = make_bench([Hx711Wiring(5, 6, 10.0, noise_counts=0.0)])
    bench.load(0, 84_000)
    return IioFolder(tmp_path / "scale-b1", bench.chips[0])


def test_a_chip_that_the_kernel_had_to_reset_is_set_to_its_gain_again(
    folder: IioFolder, inbox: Inbox
) -> None:
    scale = iio_scale(str(folder.path), gain=64)
    scale.start(inbox.post)
    try:
        assert set(inbox.wait(CountsBlock).counts) == {42_000}
        slot = folder.slot
        slot.connected = 0
        assert inbox.wait(DeviceLost).code == "scale_missing"
        slot.connected = 1
        inbox.wait(DeviceBack)
        assert set(inbox.wait(CountsBlock).counts) == {42_000}
    finally:
        scale.stop()
        folder.stop()


def test_a_gain_that_may_not_be_written_is_no_weight_at_another_gain(
    make_bench: MakeBench, inbox: Inbox, tmp_path: Path
) -> None:
    """As a service without rights in sysfs meets it."""
    bench = make_bench([Hx711Wiring(5, 6, 10.0)])
    bench.load(0, 84_000)
    folder = IioFolder(tmp_path / "scale-b1", bench.chips[0], writable=False)
    scale = iio_scale(str(folder.path), gain=64)
    scale.start(inbox.post)
    event = inbox.wait((DeviceLost, CountsBlock))
    assert isinstance(event, DeviceLost)
    assert event.code == "scale_gain"
    scale.stop()
    folder.stop()


def test_a_driver_without_that_gain_says_so(folder: IioFolder) -> None:
    (folder.path / "in_voltage0_scale_available").write_text("0.000002327\n")
    with pytest.raises(DeviceError) as caught:
        IioWire(str(folder.path), 64).open()
    assert caught.value.code == "scale_gain"
    folder.stop()


def test_no_device_of_that_label_is_a_missing_scale() -> None:
    with pytest.raises(DeviceError) as caught:
        IioWire("scale-nowhere", 128).open()
    assert caught.value.code == "scale_missing"
    assert "scale-nowhere" in caught.value.what

"""The chip model against the data sheet, pulse by pulse, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hw_sim.bench import RING, TONE, Bench, Hx711Wiring
from hw_sim.hx711_chip import BOTTOM, TOP, Hx711Chip

T = 100_000_000


class Rig:
    """One chip at 10 SPS, its pins in our hands and its time too."""

    def __init__(self, folder: Path, **wiring: object) -> None:
        quiet = {"noise_counts": 0.0, **wiring}
        self.bench = Bench.create(folder / "rig.mem", [Hx711Wiring(5, 6, 10.0, **quiet)])
        self.slot = self.bench.chips[0]
        self.now = int(self.slot.next_ns)
        self.chip = Hx711Chip(self.slot, lambda: self.now)

    def load(self, counts: float) -> None:
        self.bench.load(0, counts, self.now)

    def pulse(self, high_ns: int = 1_000) -> int | None:
        self.chip.sck(1)
        self.now += high_ns
        self.chip.sck(0)
        self.now += 1_000
        return self.chip.dout()

    def bits(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | int(self.pulse() or 0)
        return value

    def frame(self, pulses: int = 25) -> int:
        """Await a conversion and read it."""
        while self.chip.dout():
            self.now += T // 100
        value = self.bits(24)
        for _ in range(pulses - 24):
            assert self.pulse() == 1, "pulse 25 pulls DOUT high, and it stays so"
        return value - (1 << 24) if value >> 23 else value


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.mark.parametrize("counts", [0, -1, 1, 84_000, -84_000, 0x555555, TOP, BOTTOM])
def test_24_bits_come_most_significant_first(rig: Rig, counts: int) -> None:
    rig.load(counts)
    assert rig.frame() == counts


def test_beyond_the_range_it_saturates(rig: Rig) -> None:
    rig.load(9e6)
    assert rig.frame() == TOP
    rig.load(-9e6)
    rig.now += 5 * T
    assert rig.frame() == BOTTOM


def test_27_pulses_halve_the_gain_over_four_conversions(rig: Rig) -> None:
    rig.load(80_000)
    assert rig.frame(27) == 80_000
    values = [rig.frame(27) for _ in range(4)]
    assert 70_000 < values[0] < 80_000, "the filter still holds the old gain"
    assert values == sorted(values, reverse=True)
    assert values[3] == pytest.approx(40_000, abs=2)


def test_a_step_of_the_load_is_settled_after_four_conversions(rig: Rig) -> None:
    rig.load(0)
    rig.now += T // 2
    rig.frame()
    rig.load(10_000)
    values = [rig.frame() for _ in range(5)]
    assert values == sorted(values)
    assert 0 <= values[0] < 500
    assert values[4] == 10_000


def test_a_pulse_of_60_us_starts_it_anew(rig: Rig) -> None:
    rig.load(5_000)
    rig.frame(27)
    rig.now += T
    rig.bits(7)
    rig.pulse(high_ns=61_000)
    fall = rig.now
    assert rig.frame() == 5_000, "gain 128 again"
    assert rig.now - fall >= 4 * T - 1_000_000


def test_the_other_edition_keeps_its_gain(tmp_path: Path) -> None:
    rig = Rig(tmp_path, reset_keeps_gain=True)
    rig.load(5_000)
    rig.frame(27)
    rig.pulse(high_ns=61_000)
    assert rig.frame() == 2_500


def test_a_pulse_of_59_us_is_only_a_pulse(rig: Rig) -> None:
    rig.load(-1)
    rig.chip.dout()
    assert rig.pulse(high_ns=59_000) == 1
    assert rig.bits(23) == 0x7FFFFF


def test_a_conversion_that_ends_in_the_transfer_replaces_the_bits_to_come(rig: Rig) -> None:
    rig.load(0)
    rig.chip.dout()
    assert rig.bits(12) == 0
    rig.load(-1)
    rig.now += 5 * T
    assert rig.chip.dout() == 0, "the last bit stays"
    assert rig.bits(12) == 0xFFF


def test_it_converts_on_while_nobody_looks(rig: Rig) -> None:
    rig.load(100)
    rig.now += 36_000 * T
    before = int(rig.slot.conversions)
    assert rig.frame() == 100
    assert rig.slot.conversions - before == 36_001


def test_the_noise_is_the_data_sheets_and_the_seeds(tmp_path: Path) -> None:
    values = []
    for _ in range(2):
        rig = Rig(tmp_path, noise_counts=None, seed=7)
        rig.load(1_000)
        values.append([rig.frame() for _ in range(200)])
    assert values[0] == values[1]
    mean = sum(values[0]) / 200
    rms = (sum((value - mean) ** 2 for value in values[0]) / 200) ** 0.5
    assert 17 < rms < 25


def test_spikes_come_in_pairs(tmp_path: Path) -> None:
    rig = Rig(tmp_path, spike_ppm=20_000, seed=3)
    rig.load(1_000)
    wrong = [rig.frame() != 1_000 for _ in range(1_000)]
    assert sum(wrong) > 10
    alone = [i for i in range(1, 999) if wrong[i] and not wrong[i - 1] and not wrong[i + 1]]
    assert alone == []


def test_a_cable_off_leaves_the_line_to_its_pull(rig: Rig) -> None:
    rig.slot.connected = 0
    assert rig.chip.dout() is None
    rig.slot.connected = 1
    assert rig.chip.dout() == 0


def test_a_loose_wire_leaves_the_line_to_its_pull_for_a_while(tmp_path: Path) -> None:
    rig = Rig(tmp_path, loose_ppm=300_000, seed=4)
    seen = []
    for _ in range(2_000):
        rig.now += T // 20
        seen.append(rig.chip.dout())
    assert 0.02 < seen.count(None) / 2_000 < 0.3


def test_with_reloading_a_conversion_ends_a_frame_that_was_broken_off(tmp_path: Path) -> None:
    rig = Rig(tmp_path, reloads=True)
    rig.load(-1)
    rig.now += 5 * T
    rig.bits(11)
    assert rig.chip.dout() == 1
    rig.now += T
    assert rig.chip.dout() == 0
    assert rig.bits(24) == 0xFFFFFF


def test_pulses_in_the_middle_of_a_conversion_meet_the_next_one_without_a_look(rig: Rig) -> None:
    rig.load(-1)
    rig.frame()
    rig.now += T
    rig.chip.sck(1)
    assert rig.chip.dout() == 1, "the first bit of a conversion that nobody had looked for"


def test_another_process_finds_the_bench_and_nothing_else(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.load(77)
    other = Bench.attach(tmp_path / "rig.mem")
    assert other.chips[0].history_counts[0] == 77
    (tmp_path / "no.mem").write_bytes(b"KBENCH00" + bytes(100))
    with pytest.raises(ValueError, match="no bench"):
        Bench.attach(tmp_path / "no.mem")


def test_the_world_hears_each_change_of_an_output_once(rig: Rig) -> None:
    rig.bench.tell(22, TONE, 880)
    rig.bench.tell(22, TONE, 0)
    head, heard = rig.bench.changes(0)
    assert [(change.pin, change.value) for change in heard] == [(22, 880), (22, 0)]
    for _ in range(RING + 5):
        rig.bench.tell(22, TONE, 1)
    assert len(rig.bench.changes(head)[1]) == RING

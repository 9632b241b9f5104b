"""The chain of witnesses, in virtual time: what is believed, and what a reset cannot smuggle in."""

from __future__ import annotations

import pytest

from drivers.hx711_witness import Sample, Verdict, Witness

T = 100_000_000
"""10 SPS, in nanoseconds."""
FRAME = 300_000


class Chip:
    """A pump's life with one chip: closely seen edges, and a frame right after each."""

    def __init__(self, period: int = T, gain: int = 128, must_see: bool = False) -> None:
        self.witness = Witness(10.0, gain, must_see=must_see)
        self.period = period
        self.now = 1_000 * T

    def conversion(self, counts: int, after: float = 1.0) -> tuple[Verdict | None, Sample | None]:
        self.now += round(after * self.period)
        judged = self.witness.edge(self.now - 1_000_000, self.now)
        assert self.witness.frame(counts, self.now + FRAME) is None
        return judged

    def settled(self, counts: int = 84_000) -> Chip:
        """Its rate is known, its gain is."""
        for _ in range(20):
            self.conversion(counts)
        assert self.conversion(counts)[0] == "proven"
        return self


def test_a_frame_is_believed_when_the_next_conversion_comes_a_period_later() -> None:
    chip = Chip().settled()
    chip.conversion(84_100)
    ready = chip.now
    assert chip.conversion(84_200) == ("proven", Sample(ready, 84_100))


def test_the_first_frame_only_sets_the_gain() -> None:
    chip = Chip()
    assert chip.conversion(42_000) == (None, None)
    assert chip.conversion(43_700) == (None, None), "4 % more: the gain was another"
    for counts in (63_000, 82_300, 84_000, 84_001, 84_002):
        assert chip.conversion(counts) == (None, None)
    assert chip.conversion(84_010) == ("proven", Sample(chip.now - T, 84_002))


def test_near_zero_counts_nothing_shows_the_gain_so_the_filter_is_left_to_fill() -> None:
    chip = Chip()
    for _ in range(7):
        assert chip.conversion(10) == (None, None)
    assert chip.conversion(10)[0] == "proven"


def test_a_reset_in_the_frame_shows_as_four_periods_and_its_frame_is_never_believed() -> None:
    chip = Chip(gain=64).settled()
    chip.conversion(12_345)
    assert chip.conversion(84_000, after=4.0) == ("late", None)
    for _ in range(2):
        assert chip.conversion(84_000) == (None, None), "its gain was unknown"
    assert chip.conversion(84_000)[0] == "proven"


def test_after_a_reset_the_gain_is_128_in_both_editions_where_128_was_set() -> None:
    chip = Chip().settled()
    chip.conversion(12_345)
    assert chip.conversion(84_000, after=4.0) == ("late", None)
    ready = chip.now
    assert chip.conversion(84_001) == ("proven", Sample(ready, 84_000))


def test_a_load_that_hides_a_change_of_gain_for_one_value_does_not_hide_it_for_two() -> None:
    chip = Chip()
    chip.witness.restart()
    for counts in (84_000, 84_100, 63_000, 45_000, 42_000, 42_000, 42_001):
        assert chip.conversion(counts) == (None, None)
    assert chip.conversion(42_002)[1] == Sample(chip.now - T, 42_001)


def test_at_a_start_two_prompt_frames_that_agree_show_the_gain_and_late_ones_do_not() -> None:
    chip = Chip()
    assert chip.conversion(84_000) == (None, None)
    assert chip.conversion(84_010) == (None, None)
    assert chip.conversion(84_020)[1] == Sample(chip.now - T, 84_010)
    late = Chip()
    late.now += T
    late.witness.edge(late.now - 1_000_000, late.now)
    assert late.witness.frame(84_000, late.now + T // 4) is None
    assert late.conversion(84_000) == (None, None)
    assert late.conversion(84_000) == (None, None), "the third is the first that counts"


def test_a_lost_pulse_leaves_the_chip_in_mid_frame_and_is_found_out() -> None:
    chip = Chip().settled()
    chip.conversion(12_345)
    assert chip.conversion(84_000, after=0.1) == ("early", None)


def test_a_board_of_12_sps_sold_as_10_is_followed() -> None:
    chip = Chip(period=round(1e9 / 11.66)).settled()
    for _ in range(50):
        assert chip.conversion(84_000)[0] == "proven"
    assert chip.witness.period_ns == pytest.approx(chip.period, rel=0.01)


def test_a_thread_held_up_for_a_moment_loses_no_sample_and_keeps_the_phase() -> None:
    chip = Chip().settled()
    edge = chip.now + T
    assert chip.witness.edge(0, edge + T // 4)[0] == "proven"
    assert chip.witness.frame(84_000, edge + T // 4 + FRAME) is None
    verdict, sample = chip.witness.edge(edge + T - 1_000_000, edge + T)
    assert verdict == "proven"
    assert sample is not None
    assert 0 <= sample.ready_ns - edge < T // 50


def test_a_first_look_that_finds_it_ready_knows_not_since_when_and_carries_no_frame() -> None:
    chip = Chip()
    for _ in range(3):
        assert chip.witness.edge(0, chip.now) == (None, None)
        assert chip.witness.frame(84_000, chip.now + FRAME) == "overtaken"
        chip.now += T
    for _ in range(2):
        assert chip.conversion(84_000) == (None, None)
    assert chip.conversion(84_000)[0] == "proven"


def test_a_reader_that_cannot_see_dout_afterwards_must_see_each_edge() -> None:
    chip = Chip(must_see=True).settled()
    chip.now += T
    assert chip.witness.edge(0, chip.now) == ("unseen", None), "a line shorted to ground"


def test_a_quick_chip_beside_a_slow_one_on_a_clock_is_read_late_and_now_and_then_overtaken() -> (
    None
):
    chip = Chip().settled()
    verdicts = []
    edge = read = chip.now
    for _ in range(100):  # the other takes 5 % longer, and all are read at its edges
        read += round(1.05 * T)
        while edge + T < read:
            edge += T
        verdict, _ = chip.witness.edge(edge - 1_000_000, edge)
        verdicts.append(verdict)
        chip.witness.frame(84_000, read + FRAME)
        if read - edge > 0.95 * T:
            edge += T
    assert verdicts.count("proven") > 80
    assert not {"late", "early"} & set(verdicts)


def test_a_thread_held_up_for_long_believes_nothing_of_what_it_missed() -> None:
    chip = Chip().settled()
    chip.conversion(84_000)
    assert chip.witness.edge(0, chip.now + 3 * T) == ("late", None)


def test_a_frame_that_may_have_met_the_next_conversion_is_refused_and_the_chain_goes_on() -> None:
    chip = Chip().settled()
    chip.now += T
    chip.witness.edge(chip.now - 1_000_000, chip.now)
    assert chip.witness.frame(84_000, chip.now + round(0.95 * T)) == "overtaken"
    assert chip.conversion(84_000, after=2.0) == (None, None)
    assert chip.conversion(84_000)[0] == "proven"

"""Lamps, lid switches and the buzzer: gpiozero's own pins on the bench's memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal

import pytest
from driver_site import LONG_S, Inbox, MakeBench
from hw_sim.bench import LEVEL, Bench

from drivers.gpio import TONES, Lid, Signals
from kiosk.core.effects import Beep, Lamp
from kiosk.core.events import DeviceLost, LidMoved

LAMP, BUZZER, LID, SEEN = 27, 22, 17, 23


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench([])


@pytest.fixture
def signals(bench: Bench) -> Iterator[Signals]:
    made = Signals({"b1": LAMP}, BUZZER, SEEN)
    assert made.trouble is None
    yield made
    made.stop()


def heard(bench: Bench, count: int, since: int = 0) -> list[int]:
    """The next levels on the buzzer's pin."""
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        levels = [
            change.value
            for change in bench.changes(since)[1]
            if (change.pin, change.kind) == (BUZZER, LEVEL)
        ]
        if len(levels) >= count:
            return levels
        time.sleep(0.01)
    raise AssertionError(f"heard only {levels}")


def wait_for_light(bench: Bench, lit: bool) -> None:
    until = time.monotonic() + LONG_S
    while bench.lit(LAMP) != lit:
        assert time.monotonic() < until, f"the lamp never became {lit}"
        time.sleep(0.01)


def started_lid(inbox: Inbox) -> Lid:
    """A lid whose thread has seen that it is shut."""
    lid = Lid("b1", LID)
    lid.start(inbox.post)
    until = time.monotonic() + LONG_S
    while lid._active is None:
        assert time.monotonic() < until, "the lid was never looked at"
        time.sleep(0.01)
    return lid


@pytest.mark.parametrize("tone, flashes", [("seen", 1), ("refused", 3), ("recorded", 0)])
def test_the_lamp_at_the_readers_says_what_the_tone_says_of_a_card(
    bench: Bench, signals: Signals, tone: Literal["seen", "refused", "recorded"], flashes: int
) -> None:
    signals.beep(Beep(tone))
    heard(bench, 1)
    until = time.monotonic() + LONG_S
    while (flashes and lights(bench)[-1:] != [0]) or lights(bench).count(1) < flashes:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert lights(bench).count(1) == flashes


def lights(bench: Bench) -> list[int]:
    """The levels that the lamp at the readers has gone through."""
    changes = bench.changes(0)[1]
    return [one.value for one in changes if (one.pin, one.kind) == (SEEN, LEVEL)]


def test_a_lamp_is_on_off_and_blinks(bench: Bench, signals: Signals) -> None:
    signals.lamp(Lamp("b1", "on"))
    assert bench.lit(LAMP)
    signals.lamp(Lamp("b1", "blink"))
    wait_for_light(bench, False)
    wait_for_light(bench, True)
    signals.lamp(Lamp("b1", "off"))
    assert not bench.lit(LAMP)
    signals.lamp(Lamp("b9", "on"))  # a bin without a lamp


def test_the_tones_differ_and_none_waits_for_its_end(bench: Bench, signals: Signals) -> None:
    assert len(set(TONES.values())) == len(TONES)
    for tone in ("seen", "recorded", "refused", "trouble"):
        since = bench.changes(0)[0]
        signals.beep(Beep(tone))
        times = TONES[tone][2]
        assert heard(bench, 2 * times, since) == [1, 0] * times


def test_a_new_tone_ends_the_one_before(bench: Bench, signals: Signals) -> None:
    signals.beep(Beep("trouble"))
    heard(bench, 1)
    since = bench.changes(0)[0]
    signals.beep(Beep("seen"))
    assert heard(bench, 3, since) == [0, 1, 0]


def test_a_station_that_stops_is_dark_and_silent(bench: Bench, signals: Signals) -> None:
    signals.lamp(Lamp("b1", "on"))
    signals.beep(Beep("trouble"))
    signals.stop()
    signals.stop()
    assert not bench.lit(LAMP)
    assert not bench.lit(BUZZER)
    signals.beep(Beep("seen"))


def test_without_pins_nothing_is_asked_of_the_pi() -> None:
    signals = Signals({}, None)
    signals.beep(Beep("seen"))
    signals.lamp(Lamp("b1", "on"))
    signals.stop()
    assert signals.trouble is None


def test_a_pin_that_is_none_is_a_word_and_no_crash(bench: Bench) -> None:
    signals = Signals({"b1": 99}, None)
    assert signals.trouble is not None
    assert signals.trouble.code == "gpio_missing"
    signals.stop()


def test_a_lid_that_bounces_is_told_once_each_way(bench: Bench, inbox: Inbox) -> None:
    bench.drive(LID, 0)
    lid = started_lid(inbox)
    for last in (1, 0, 1):
        for level in (last, 1 - last) * 5:
            bench.drive(LID, level)
            time.sleep(0.003)
        bench.drive(LID, last)
        moved = inbox.wait(LidMoved)
        assert (moved.bin, moved.open) == ("b1", bool(last))
    time.sleep(0.2)
    lid.stop()
    assert inbox.drain() == []


def test_a_switch_whose_cable_is_off_reads_as_open(bench: Bench, inbox: Inbox) -> None:
    bench.drive(LID, 0)
    lid = started_lid(inbox)
    bench.drive(LID, None)
    assert inbox.wait(LidMoved).open
    lid.stop()


def test_a_lid_on_a_pin_that_is_none_is_lost_once(bench: Bench, inbox: Inbox) -> None:
    lid = Lid("b1", 99)
    lid.start(inbox.post)
    lost = inbox.wait(DeviceLost)
    assert (lost.device, lost.code) == ("lid:b1", "gpio_missing")
    time.sleep(0.5)
    lid.stop()
    assert inbox.drain() == []

"""Lamps and the buzzer: gpiozero's own pins on the bench's memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal

import pytest
from driver_site import LONG_S, MakeBench
from hw_sim.bench import LEVEL, Bench

from drivers.gpio import TONES, Signals
from kiosk.core.effects import Beep, Lamp

LAMP, BUZZER, SEEN = 27, 22, 23


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


def test_in_the_quiet_hours_a_card_is_seen_and_not_heard(bench: Bench, signals: Signals) -> None:
    signals.beep(Beep("seen", silent=True))
    until = time.monotonic() + LONG_S
    while lights(bench).count(1) < 1:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert [c for c in bench.changes(0)[1] if (c.pin, c.kind, c.value) == (BUZZER, LEVEL, 1)] == []


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

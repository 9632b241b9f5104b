"""One contract for every contact, on gpiozero's own pins over the bench's memory: lids and fill sensors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from driver_site import LONG_S, Inbox, MakeBench
from hw_sim.bench import Bench

from drivers.gpio import Contact, fill_sensor, lid
from kiosk.core.events import DeviceLost, Event, FillMoved, LidMoved

PIN, NO_PIN = 17, 99


@dataclass(frozen=True, slots=True)
class Kind:
    """One contact: ``rest`` the level that its resistor holds, ``says`` what the other one means."""

    make: Callable[[int], Contact]
    name: str
    rest: int
    event: type
    says: Callable[[Event], bool]
    begins_told: bool


def opened(event: Event) -> bool:
    assert isinstance(event, LidMoved)
    return not event.open


def blocked(event: Event) -> bool:
    assert isinstance(event, FillMoved)
    return event.blocked


KINDS = (
    Kind(lambda pin: lid("b1", pin), "lid:b1", 1, LidMoved, opened, False),
    Kind(lambda pin: fill_sensor("b1", pin, "low"), "fill:b1", 1, FillMoved, blocked, True),
    Kind(lambda pin: fill_sensor("b1", pin, "high"), "fill:b1", 0, FillMoved, blocked, True),
)


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench([])


@pytest.fixture(params=KINDS, ids=["lid", "fill-low", "fill-high"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def started(kind: Kind, inbox: Inbox, pin: int = PIN) -> Contact:
    """A contact whose thread has looked once."""
    contact = kind.make(pin)
    contact.start(inbox.post)
    until = time.monotonic() + LONG_S
    while contact._active is None:
        assert time.monotonic() < until, "it was never looked at"
        time.sleep(0.01)
    return contact


def test_how_it_stands_at_a_start_is_told_where_it_is_news(
    bench: Bench, inbox: Inbox, kind: Kind
) -> None:
    bench.drive(PIN, 1 - kind.rest)
    contact = started(kind, inbox)
    if kind.begins_told:
        assert kind.says(inbox.wait(kind.event))
    bench.drive(PIN, kind.rest)
    assert not kind.says(inbox.wait(kind.event)), "so nothing else was told before"
    contact.stop()


def test_one_that_bounces_is_told_once_each_way(bench: Bench, inbox: Inbox, kind: Kind) -> None:
    bench.drive(PIN, kind.rest)
    contact = started(kind, inbox)
    if kind.begins_told:
        assert not kind.says(inbox.wait(kind.event))
    for last in (1 - kind.rest, kind.rest):
        for level in (last, 1 - last) * 5:
            bench.drive(PIN, level)
            time.sleep(0.003)
        bench.drive(PIN, last)
        assert kind.says(inbox.wait(kind.event)) == (last != kind.rest)
    contact.stop()
    assert inbox.drain() == []


def test_a_cable_that_is_off_reads_as_the_one_at_which_the_bin_goes_on(
    bench: Bench, inbox: Inbox, kind: Kind
) -> None:
    """An open lid counts nothing by itself; a sensor that sees nothing closes no bin."""
    bench.drive(PIN, 1 - kind.rest)
    contact = started(kind, inbox)
    if kind.begins_told:
        assert kind.says(inbox.wait(kind.event))
    bench.drive(PIN, None)
    assert not kind.says(inbox.wait(kind.event))
    contact.stop()


def test_one_on_a_pin_that_is_none_is_lost_once(bench: Bench, inbox: Inbox, kind: Kind) -> None:
    contact = kind.make(NO_PIN)
    contact.start(inbox.post)
    lost = inbox.wait(DeviceLost)
    assert (lost.device, lost.code) == (kind.name, "gpio_missing")
    time.sleep(0.5)
    contact.stop()
    assert inbox.drain() == []

"""A bin in service is in use again, whatever becomes of whoever worked at its scale."""

from __future__ import annotations

from contextlib import closing

import pytest
from hw_sim.days import Day

from kiosk.answers import Answers
from kiosk.core.errors import DeviceError
from kiosk.core.events import Event
from kiosk.tapping import ScaleOps, Tap


def test_a_service_that_the_rules_begin_too_late_is_ended_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The storage holds the rules up for longer than anybody waits; the question is in their inbox."""
    assert Answers.ask.__kwdefaults__ is not None
    monkeypatch.setitem(Answers.ask.__kwdefaults__, "wait_s", 0.01)
    day, inbox = Day(1), list[Event]()
    scales = ScaleOps(day.station, Tap(), Answers(inbox.append))
    with closing(scales.heard("b0", service=True)) as heard, pytest.raises(DeviceError) as late:
        next(heard)
    assert late.value.code == "no_answer"
    for event in inbox:
        day.post(event)
    day.run(4_000)
    assert day.station.view().bins[0].state == "ready"


def test_who_comes_second_and_hears_nothing_does_not_end_what_the_first_is_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day, late = Day(1), list[Event]()
    day.run(4_000)

    def post(event: Event) -> None:
        if held_up:
            late.append(event)
            return
        day.post(event)
        answers.tell(day.answers[-1])

    held_up, answers = False, Answers(post)
    scales = ScaleOps(day.station, Tap(), answers)
    with closing(scales.heard("b0", service=True)) as first:
        next(first)
        held_up = True
        assert Answers.ask.__kwdefaults__ is not None
        monkeypatch.setitem(Answers.ask.__kwdefaults__, "wait_s", 0.01)
        with closing(scales.heard("b0", service=True)) as second, pytest.raises(DeviceError):
            next(second)
        for event in late:
            day.post(event)
        assert day.station.view().bins[0].state == "away"
        held_up = False
    day.run(4_000)
    assert day.station.view().bins[0].state == "ready"

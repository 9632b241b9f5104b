"""Devices that go and come back: each told once, a lost scale's bin goes on as one without a scale."""

from __future__ import annotations

from kiosk.core import fullness, heat
from kiosk.core.bin import Bin
from kiosk.core.effects import Beep, Effect
from kiosk.core.entries import Alarm
from kiosk.core.events import DeviceBack, DeviceLost
from kiosk.core.intents import Write
from kiosk.core.state import State

ALARM_EVERY_MS = 60_000
"""A flapping device writes no more than one alarm entry in this time."""


def lost(state: State, event: DeviceLost) -> list[Effect]:
    if event.device in state.lost:
        return []
    state.lost[event.device] = event
    bin_ = _scales_bin(state, event.device)
    if bin_ is not None:
        bin_.lost = True
        state.held = [s for s in state.held if s.bin != bin_.rules.bin]
        bin_.interrupt()
    fullness.sensor_lost(state, event)
    if event.device == heat.DEVICE:
        heat.unfelt(state)
    last_ms = state.alarmed_ms.get(event.device)
    if last_ms is None or event.t_ms - last_ms >= ALARM_EVERY_MS:
        state.alarmed_ms[event.device] = event.t_ms
        state.intend(Write(Alarm(event.code, event.device, "on", event.detail)))
    return [Beep("trouble")]


def back(state: State, event: DeviceBack) -> None:
    if event.device not in state.lost:
        return
    del state.lost[event.device]
    bin_ = _scales_bin(state, event.device)
    if bin_ is not None:
        bin_.lost = False
        bin_.interrupt()
    state.intend(Write(Alarm("device_back", event.device, "off", "")))


def cards_readable(state: State) -> bool:
    """Whether showing a card is of any use now; false while every reader is lost."""
    readers = state.rules.readers
    return not readers or any(name not in state.lost for name in readers)


def _scales_bin(state: State, device: str) -> Bin | None:
    kind, _, name = device.partition(":")
    return state.bins.get(name) if kind == "scale" else None

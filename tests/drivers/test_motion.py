"""Who is there, and who is only the light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hw_sim import sensor
from hw_sim.conditions import CONDITIONS, room
from hw_sim.presentations import FPS, Presentation
from hw_sim.sensor import Exposure, Gray, Lamp, Light

from drivers.frame import THUMB_PX
from drivers.motion import ALERT_MS, Box, MotionGate

LOOK_MS = 66
LOOKS = 40


def thumb(picture: Gray) -> Gray:
    return np.asarray(cv2.resize(picture, THUMB_PX, interpolation=cv2.INTER_AREA), np.uint8)


def seen(hall: Light, look: int, lamp: Lamp, lux: float, exposure: Exposure) -> Gray:
    """What the sensor makes of a hall."""
    dice = np.random.default_rng(look)
    rows = lamp.rows(look * LOOK_MS / 1_000, exposure.ms)
    return thumb(sensor.levels(hall.copy(), exposure, lux, rows, dice))


def with_hand(hall: Light) -> Light:
    """A finger at the picture's edge."""
    there = hall.copy()
    there[380:480, 300:360] = 0.35
    return there


LIGHTS = {
    "daylight": (Lamp(), 500.0, None),
    "lamps at 50 Hz": (Lamp(100.0, 0.3), 400.0, None),
    "lamps at 50 Hz, short exposure": (Lamp(100.0, 0.6), 500.0, 2.0),
    "lamps at 60 Hz, short exposure": (Lamp(120.0, 0.6), 500.0, 1.0),
    "an old ballast": (Lamp(50.0, 0.2), 400.0, None),
    "a mains that is not quite 50 Hz": (Lamp(101.3, 0.5), 500.0, 3.0),
    "a dark hall": (Lamp(), 8.0, None),
}


@pytest.mark.parametrize("light", LIGHTS)
def test_lamp_flicker_is_nobody_and_a_finger_is_somebody(light: str) -> None:
    lamp, lux, ms = LIGHTS[light]
    exposure = Exposure(ms, 1.0) if ms else sensor.auto_exposure(lux)
    hall, gate = room(np.random.default_rng(3)), MotionGate()
    for look in range(LOOKS):
        assert not gate.alert(seen(hall, look, lamp, lux, exposure), look * LOOK_MS)
    finger = seen(with_hand(hall), LOOKS, lamp, lux, exposure)
    assert gate.alert(finger, LOOKS * LOOK_MS)
    assert gate.box is not None
    assert gate.box.overlaps(Box(300 / 640, 380 / 480, 360 / 640, 1.0))


def test_exposure_that_hunts_and_a_cloud_that_passes_are_nobody() -> None:
    hall, gate = room(np.random.default_rng(4)), MotionGate()
    auto = sensor.auto_exposure(400)
    for look in range(3 * LOOKS):
        hunting = 1 + 0.4 * np.sin(2 * np.pi * look / 15)
        cloud_lux = 400 * (1 - 0.004 * look)
        exposure = Exposure(auto.ms, auto.gain * hunting)
        assert not gate.alert(seen(hall, look, Lamp(), cloud_lux, exposure), look * LOOK_MS)


def test_alert_ends_some_time_after_the_last_movement() -> None:
    hall, gate = room(np.random.default_rng(5)), MotionGate()
    exposure = sensor.auto_exposure(500)
    gate.alert(seen(hall, 0, Lamp(), 500, exposure), 0)
    hand = seen(with_hand(hall), 1, Lamp(), 500, exposure)
    assert gate.alert(hand, 66)
    for t_ms in range(132, 600, 66):  # it is the same picture soon, and so no movement
        gate.alert(hand, t_ms)
    assert gate.alert(hand, 600)
    assert not gate.moving
    assert not gate.alert(hand, 600 + ALERT_MS)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_whatever_card_comes_is_noticed_before_its_code_is_whole(condition: str) -> None:
    gate, card = MotionGate(), Presentation(condition, 1, "A CARD OF A TOWN")
    assert card.whole is not None
    alert = [
        gate.alert(thumb(card.frame(number)), round(number * 1_000 / FPS))
        for number in range(0, card.whole + 1, 2)
    ]
    assert alert[-1]


def test_a_camera_that_changes_its_size_is_looked_at_anew() -> None:
    gate = MotionGate()
    assert not gate.alert(np.full((60, 80), 90, np.uint8), 0)
    assert not gate.alert(np.full((45, 80), 200, np.uint8), 66)

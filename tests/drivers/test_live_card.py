"""A card before a camera, frame by frame in virtual time: how often it is read, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hw_sim import cardprint, sensor
from hw_sim.conditions import room
from hw_sim.presentations import FPS, Presentation
from hw_sim.sensor import Exposure, Gray, Lamp

from drivers.exposure import HOPELESS_MS, LONG_TURN_MS, SHORT_MS, SHORT_TURN_MS, ExposurePlan
from drivers.frame import Frame
from drivers.frames import GATE_MS, GLANCE_MS, SAVED_MS, SEARCH_SHARE, FrameReader
from drivers.presence import Presence
from kiosk.core.cards import CardBody, issue

TEXT = issue(CardBody(1, 25_000, bytes(range(10))), bytes(32))
POSTER = b"HTTPS://EXAMPLE.ORG/RECYCLING"


def free() -> float:
    """A processor for which all of this is nothing."""
    return 0.0


def frame(picture: Gray, number: int) -> Frame:
    """As a USB camera sends it."""
    data = np.frombuffer(sensor.jpeg(picture), np.uint8)
    return Frame(data, round(number * 1_000 / FPS), number + 1)


def hall(frames: int) -> Iterator[Frame]:
    """Nobody, under lamps on the mains."""
    light, lamp, exposure = room(np.random.default_rng(2)), Lamp(100.0, 0.3), Exposure(8.0, 1.0)
    shots = [
        sensor.levels(
            light.copy(), exposure, 500, lamp.rows(k / FPS, 8.0), np.random.default_rng(k)
        )
        for k in range(30)
    ]
    for number in range(frames):
        yield frame(shots[number % 30], number)


def readings(card: Presentation, exposure: Exposure | None = None) -> int:
    """How many events one presentation makes."""
    reader, presence, count = FrameReader(free), Presence(), 0
    for number in range(card.frames):
        shot = frame(card.frame(number, exposure), number)
        for code in reader.read(shot):
            assert code.text == TEXT
            count += presence.is_new(code.text, shot.t_ms)
    return count


def test_card_swiped_once_is_read_once() -> None:
    swipe = Presentation("swipe", 2, TEXT.decode())
    assert swipe.speed_mm_s == 467
    assert readings(swipe, Exposure(1.0, 2.0)) == 1
    assert readings(swipe, Exposure(12.0, 1.0)) == 0, "smeared over six modules"


@pytest.mark.parametrize("condition", ["tilted", "low light", "tremble"])
def test_card_held_by_a_hand_is_read_once(condition: str) -> None:
    assert readings(Presentation(condition, 3, TEXT.decode())) == 1


def test_empty_hall_costs_no_frames() -> None:
    reader, seconds = FrameReader(free), 3
    shown = list(hall(seconds * FPS))
    for one in shown:
        assert reader.read(one) == []
    looked_at = sum(one.looked_at for one in shown)
    decoded = sum("gray" in vars(one) for one in shown)
    assert looked_at <= 1_000 / GATE_MS * seconds + 1
    assert 1 <= decoded <= 1_000 / GLANCE_MS * seconds + 1


def test_card_that_lay_there_before_the_start_is_found_by_a_glance() -> None:
    scene = np.full((480, 640), 100, np.uint8)
    laid = cardprint.lay(scene, cardprint.face(TEXT.decode()), cardprint.Pose(320, 240, 300))
    reader = FrameReader(free)
    found = [reader.read(frame(laid, number)) for number in range(3)]
    assert TEXT in [code.text for codes in found for code in codes]


def test_poster_on_the_wall_hides_no_card() -> None:
    """A code that is always there is read, and the worn card beside it gets the costly steps."""
    poster = cardprint.face(POSTER.decode())[:, :360][::3, ::3]
    card = Presentation("worn", 2, TEXT.decode())
    alone, beside = FrameReader(free), FrameReader(free)
    found = {"alone": 0, "beside": 0, "poster": 0}
    for number in range(20, 50, 3):
        picture = card.frame(number)
        found["alone"] += TEXT in [code.text for code in alone.read(frame(picture, number))]
        picture[: poster.shape[0], : poster.shape[1]] = poster
        texts = [code.text for code in beside.read(frame(picture, number))]
        found["beside"] += TEXT in texts
        found["poster"] += POSTER in texts
    assert found["poster"] == 10
    assert found["alone"] > 0
    assert found["beside"] >= found["alone"] // 2


@pytest.mark.parametrize("used_s", [0.002, 0.02, 0.2])
def test_slow_processor_looks_at_fewer_frames_and_keeps_within_its_share(used_s: float) -> None:
    """However slow it is: what a frame used too much, the next ones do without."""
    card = Presentation("worn", 5, "X" * 300)  # nobody reads that
    shots = [sensor.jpeg(card.frame(number)) for number in range(20, 30)]
    given: list[Frame] = []
    reader = FrameReader(lambda: used_s * sum(one.looked_at for one in given))
    for number in range(120):
        data = np.frombuffer(shots[number % len(shots)], np.uint8)
        given.append(Frame(data, round(number * 1_000 / FPS), number + 1))
        reader.read(given[-1])
    used_in_all_s = used_s * sum(one.looked_at for one in given)
    assert 0 < used_in_all_s <= SEARCH_SHARE * len(given) / FPS + SAVED_MS / 1_000 + used_s


def test_exposure_hints_go_by_turns_and_leave_the_dark_alone() -> None:
    plan = ExposurePlan("hint")

    def ask(
        t_ms: int, *, moving: bool = True, read: bool = False, dark: bool = False
    ) -> float | None:
        return plan.next(t_ms, moving=moving, read=read, dark=dark)

    assert ask(0, moving=False) is None, "nobody there: the camera's own"
    assert ask(100) == SHORT_MS
    assert ask(100 + SHORT_TURN_MS) is None, "held still or too dark for it: the camera's own again"
    assert ask(100 + SHORT_TURN_MS + LONG_TURN_MS - 1) is None
    assert ask(100 + SHORT_TURN_MS + LONG_TURN_MS) == SHORT_MS
    at_ms = 100 + SHORT_TURN_MS + LONG_TURN_MS + 50
    assert ask(at_ms, dark=True) is None
    assert ask(at_ms + HOPELESS_MS - 1) is None
    assert ask(at_ms + HOPELESS_MS) == SHORT_MS


def test_exposure_set_by_hand_or_left_alone_stays_so() -> None:
    for wish, expected in (("auto", None), (1.5, 1.5)):
        plan = ExposurePlan(wish)  # type: ignore[arg-type]
        for t_ms in range(0, 3_000, 100):
            assert plan.next(t_ms, moving=True, read=False, dark=False) == expected


@pytest.mark.parametrize("shape", ["bytes", "one row", "one column", "grey", "colour"])
def test_pictures_come_in_every_shape_that_cameras_give(shape: str) -> None:
    picture = cardprint.lay(
        np.full((480, 640), 100, np.uint8),
        cardprint.face(TEXT.decode()),
        cardprint.Pose(320, 240, 300),
    )
    coded = np.frombuffer(sensor.jpeg(picture), np.uint8)
    data = {
        "bytes": coded,
        "one row": coded[None, :],
        "one column": coded[:, None],
        "grey": picture,
        "colour": np.repeat(picture[:, :, None], 3, axis=2),
    }[shape]
    given = Frame(data, 0, 1)
    assert given.thumb is not None and given.gray is not None
    assert given.thumb.shape == (60, 80) and given.gray.shape == (480, 640)
    assert [code.text for code in FrameReader(free).read(given)] == [TEXT]


def test_damaged_jpeg_is_no_picture_and_no_exception() -> None:
    good = np.frombuffer(sensor.jpeg(np.full((480, 640), 90, np.uint8)), np.uint8)
    dice = np.random.default_rng(1)
    reader = FrameReader(free)
    for number in range(60):
        bad = good.copy()
        bad[dice.integers(2, bad.size, 30)] = dice.integers(0, 256, 30)
        assert reader.read(Frame(bad[: dice.integers(1, bad.size)], 100 * number, number + 1)) == []
    for noise in (dice.bytes(3_000), b"\xff\xd8" + dice.bytes(3_000), b"\xff"):
        given = Frame(np.frombuffer(noise, np.uint8), 0, 1)
        assert given.thumb is None and given.gray is None

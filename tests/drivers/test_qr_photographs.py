"""The rendered photographs (``hw_sim.pictures``), and the station's reading of them.

``KIOSK_SEARCH_SIZE`` multiplies how many; ``tests/benchmarks/card_pictures.py`` is the large run.
"""

from __future__ import annotations

import os
from collections import Counter

import cv2
import numpy as np
import pytest
import zxingcpp
from hw_sim.pictures import backgrounds, kinds, optics, payloads
from hw_sim.pictures.album import clean, photograph
from hw_sim.pictures.payloads import Payload
from hw_sim.pictures.plan import Plan, take
from numpy.typing import NDArray

from drivers import qr_grid, qr_modes
from drivers.pictures import Opened, as_json, read_image
from drivers.qr_still import read_gray
from drivers.qr_zxing import look, read_modules

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
SMALL = tuple(kind for kind in kinds.KINDS if kind not in ("photo", "lots", "high_version"))


def shown(picture: NDArray[np.uint8]) -> list[str]:
    return sorted(str(as_json(code)) for code in read_image(Opened(picture, lambda: picture)))


def test_the_same_number_is_the_same_photograph() -> None:
    for number in (0, 9, len(kinds.KINDS) + 3):
        one, again, other = photograph(5, number), photograph(5, number), photograph(6, number)
        assert np.array_equal(one.picture, again.picture)
        assert one.payloads[0].text == again.payloads[0].text
        assert not np.array_equal(one.picture, other.picture)


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_every_kind_of_photograph_can_be_taken(kind: str) -> None:
    dice = np.random.default_rng(1)
    plan = kinds.KINDS[kind](dice)
    assert plan.shape[0] * plan.shape[1] <= 12_000_000
    if kind == "photo":
        plan = kinds.replace(plan, shape=(300, 400))
    shot = take(plan, dice)
    assert shot.picture.dtype == np.uint8
    assert min(shot.picture.shape[:2]) > 20
    assert len(shot.payloads) == plan.codes


def test_what_is_said_to_stand_in_a_code_stands_there() -> None:
    """Every mode, level and version, without anything in the way: each text is read as it is said."""
    dice = np.random.default_rng(3)
    modes: Counter[str] = Counter()
    versions = set()
    for number in range(100 * SIZE):
        payload = payloads.draw(dice, least_version=1 + number % 2 * 9, most_version=30)
        modes[payload.mode] += 1
        versions.add(payload.version)
        assert shown(clean(payload)) == [str(payload.shown)]
    assert set(modes) == {"token", "digits", "address", "utf8", "binary", "bytes", "kanji", "eci"}
    assert len(versions) >= 12


def test_no_photograph_is_read_wrong_and_more_are_read_than_by_zxing_alone() -> None:
    ours = alone = 0
    for number in range(len(SMALL) * SIZE):
        shot = photograph(11, number, SMALL)
        truth = Counter(str(one.shown) for one in shot.payloads)
        read = Counter(shown(shot.picture))
        assert read - truth == Counter(), f"photograph {number} ({shot.kind})"
        ours += read.total()
        gray = shot.picture if shot.picture.ndim == 2 else cv2.cvtColor(shot.picture, 6)
        alone += len(look(np.asarray(gray, np.uint8))[0])
    assert ours > alone


def test_no_code_is_read_where_none_is() -> None:
    """126 textures much like codes (tiles, rings, other symbols, snow), nine to a picture."""
    dice = np.random.default_rng(7)
    kinds_of_it = len(backgrounds.ALONE)
    for number in range(14 * SIZE):
        made = [backgrounds.ALONE[(number + n) % kinds_of_it]((72, 96), dice) for n in range(9)]
        scene = np.vstack([np.hstack(made[row : row + 3]) for row in (0, 3, 6)])
        scene = optics.defocused(scene, float(dice.uniform(0, 1.5)))
        assert read_gray(optics.sensed(scene, 1.0, 4.0, dice)) == [], number


def test_snow_along_a_grid_is_no_code() -> None:
    """The last resort is given places where nothing is: modules by chance never pass the check."""
    dice = np.random.default_rng(8)
    for number in range(12 * SIZE):
        snow = dice.integers(0, 256, (100, 100)).astype(np.uint8)
        corners = ((10.0, 10.0), (90.0, 10.0), (90.0, 90.0), (10.0, 90.0))
        sight = qr_grid.Sight(corners, 1 + number % 4)
        for modules in qr_grid.readings(snow, sight):
            assert read_modules(modules) == []


def a_card(version: int = 3) -> Payload:
    dice = np.random.default_rng(version)
    return payloads.draw(dice, least_version=version, most_version=version)


@pytest.mark.parametrize("off_m", [(0.0, 0.0), (1.5, -1.0), (-2.0, 2.0), (3.0, 3.0)])
def test_a_code_whose_fourth_corner_was_guessed_wrong_is_read(off_m: tuple[float, float]) -> None:
    payload = a_card()
    picture = clean(payload, 6)
    low, high = 24.0, len(picture) - 24.0
    wrong = (high + 6 * off_m[0], high + 6 * off_m[1])
    sight = qr_grid.Sight(((low, low), (high, low), wrong, (low, high)), payload.version)
    read = [code.text for one in qr_grid.readings(picture, sight) for code in read_modules(one)]
    assert payload.text in read


def test_a_sheet_bent_sideways_is_read_along_the_bent_grid() -> None:
    payload = a_card(4)
    picture = clean(payload, 6)
    y, x = np.mgrid[: len(picture), : len(picture)].astype(np.float32)
    bow = np.float32(9.0) * np.cos((y / len(picture) - np.float32(0.5)) * np.float32(np.pi))
    bent = cv2.remap(picture, x + bow, y, cv2.INTER_LINEAR, borderValue=255)
    low, high = 24.0, len(picture) - 24.0
    corners = ((low, low), (high, low), (high, high), (low, high))
    sight = qr_grid.Sight(corners, payload.version)
    readings = qr_grid.readings(np.asarray(bent, np.uint8), sight)
    assert payload.text in [code.text for one in readings for code in read_modules(one)]


@pytest.mark.parametrize("version", [1, 2, 7, 14, 32, 40])
def test_what_the_standard_fixes_is_so_in_every_code(version: int) -> None:
    code = payloads.qrcode.QRCode(version=version, border=0)
    code.add_data("x")
    code.make(fit=False)
    dark = np.array(code.get_matrix(), dtype=bool)
    fixed = qr_modes.function_patterns(version)
    assert np.array_equal((fixed < 0)[fixed != 0], dark[fixed != 0])


def test_kanji_are_told_from_bytes_in_a_code_that_is_smudged() -> None:
    """One module in ten is wrong: no length can be trusted, and still only one way fits."""
    dice = np.random.default_rng(4)
    for text in ("点茗資源", "漢字回収町内会", "感謝曜日空缶瓶紙布東京都"):
        said = text.encode("shift_jis")
        for kanji in (True, False):
            what: str | bytes = text if kanji else said
            code = zxingcpp.create_barcode(what, zxingcpp.BarcodeFormat.QRCodeModel2, ec_level="H")
            clear = np.array(code.to_image(scale=1, add_quiet_zones=False), np.uint8)
            (found,) = read_modules(clear)
            smudged = clear ^ np.where(dice.random(clear.shape) < 0.1, 255, 0).astype(np.uint8)
            level, mask = found.symbol.extra["ECLevel"], int(found.symbol.extra["DataMask"])
            assert qr_modes.likely_kanji(smudged, level, mask, said) == kanji


def test_a_plan_with_several_codes_keeps_them_apart() -> None:
    plan = Plan(shape=(480, 640), codes=4, share=0.6, versions=(1, 2), light=())
    shot = take(plan, np.random.default_rng(2))
    assert shown(shot.picture) == sorted(str(one.shown) for one in shot.payloads)

"""The kinds of photographs: those of BoofCV's QR benchmark (boofcv.org, "Performance:QrCode": blurred,
bright spots, brightness, close, curved, damaged, glare, high version, lots, monitor, nominal,
noncompliant, pathological, perspective, rotations, shadows), and what a recycling station sees beside
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from hw_sim.pictures import light, wear
from hw_sim.pictures.bends import Held
from hw_sim.pictures.faces import Face, Ink, Levels
from hw_sim.pictures.payloads import Dice
from hw_sim.pictures.plan import PHOTO, Plan, Wear

SHAPES = (
    (480, 640),
    (480, 640),
    (480, 640),
    (640, 480),
    (720, 1280),
    (600, 800),
    (420, 420),
    (1080, 1440),
)


def nominal(dice: Dice) -> Plan:
    """A code held as it should be."""
    plan = Plan(
        shape=SHAPES[dice.integers(len(SHAPES))],
        share=dice.uniform(0.3, 0.75),
        ink=Ink(black=dice.uniform(15, 60), white=dice.uniform(190, 245)),
        roll=dice.uniform(-180, 180) if dice.random() < 0.3 else dice.uniform(-15, 15),
        pitch=dice.uniform(-18, 18),
        yaw=dice.uniform(-18, 18),
        light=(partial(_uneven, depth=dice.uniform(0, 0.4)),),
        defocus_m=dice.uniform(0.0, 0.35),
        noise=dice.uniform(1, 6),
        processed=dice.random() < 0.4,
        jpeg=int(dice.integers(60, 96)) if dice.random() < 0.7 else None,
    )
    if dice.random() < 0.3:
        dark, paper = dice.integers(0, 50, 3), dice.integers(215, 256, 3)
        plan = replace(plan, dark=_colour(dark), light_colour=_colour(paper))
    return plan


def blurred(dice: Dice) -> Plan:
    return replace(nominal(dice), defocus_m=dice.uniform(0.45, 1.15))


def moved(dice: Dice) -> Plan:
    return replace(nominal(dice), motion_m=dice.uniform(0.6, 2.2), defocus_m=0.2)


def bright_spots(dice: Dice) -> Plan:
    return replace(nominal(dice), light=(light.spotted,), exposure=dice.uniform(0.8, 1.4))


def brightness(dice: Dice) -> Plan:
    """Far too bright, or far too dark without much noise."""
    plan = nominal(dice)
    if dice.random() < 0.5:
        ink = replace(plan.ink, black=dice.uniform(60, 130))
        return replace(plan, ink=ink, exposure=dice.uniform(1.6, 3.0))
    return replace(plan, exposure=dice.uniform(0.06, 0.25), noise=dice.uniform(0.5, 2))


def low_light(dice: Dice) -> Plan:
    """Dark and noisy, unsharp because the shutter was open long."""
    exposure, motion_m = dice.uniform(0.1, 0.4), dice.uniform(0, 1)
    noise = dice.uniform(4, 18)
    return replace(nominal(dice), exposure=exposure, noise=noise, motion_m=motion_m)


def close(dice: Dice) -> Plan:
    """So near that the code fills the picture or runs to its edges."""
    plan = nominal(dice)
    slight = dice.uniform(-6, 6, 3)
    return replace(
        plan,
        share=dice.uniform(0.85, 1.02),
        roll=float(slight[0]),
        pitch=float(slight[1]),
        yaw=float(slight[2]),
        defocus_m=dice.uniform(0.1, 0.6),
        versions=(1, 6),
        inside=False,
    )


def curved(dice: Dice) -> Plan:
    bend = (
        Held(0, 0, 1, curl=dice.uniform(40, 130), curl_axis=dice.uniform(0, 180), wave=0.0)
        if dice.random() < 0.7
        else Held(0, 0, 1, wave=dice.uniform(0.2, 1.3), curl_axis=dice.uniform(0, 180))
    )
    return replace(nominal(dice), bend=bend, versions=(1, 9))


def damaged(dice: Dice) -> Plan:
    """Scratched, stained, torn, or all of it."""
    amount = dice.uniform(0.4, 2.0)
    uses: list[Wear] = [
        partial(_scratched, amount=amount),
        partial(_stained, amount=amount),
        wear.torn,
    ]
    chosen = [use for use in uses if dice.random() < 0.55] or [uses[0]]
    return replace(nominal(dice), wear=tuple(chosen))


def faded(dice: Dice) -> Plan:
    """A print that has lost its ink, or has too much of it, or misses lines between its dots."""
    spread = dice.uniform(0.12, 0.34) * (1 if dice.random() < 0.6 else -1)
    plan = nominal(dice)
    if dice.random() < 0.5:
        return replace(plan, ink=replace(plan.ink, spread=spread))
    return replace(plan, wear=(partial(_faded, amount=dice.uniform(0.5, 1.3)),))


def folded(dice: Dice) -> Plan:
    return replace(nominal(dice), wear=(wear.folded,))


def glare(dice: Dice) -> Plan:
    strength = dice.uniform(120, 500)
    return replace(
        nominal(dice),
        light=(partial(light.glared, strength=strength),),
        exposure=dice.uniform(0.5, 1),
    )


def high_version(dice: Dice) -> Plan:
    shape = ((1080, 1440), (960, 1280), (720, 720))[dice.integers(3)]
    return replace(nominal(dice), shape=shape, versions=(13, 30), share=dice.uniform(0.55, 0.9))


def lots(dice: Dice) -> Plan:
    """Two to twelve codes in a picture."""
    codes = int(dice.integers(2, 13))
    shape = ((960, 1280), (1080, 1440), (720, 1280))[dice.integers(3)]
    share = dice.uniform(0.45, 0.65)
    return replace(nominal(dice), codes=codes, shape=shape, share=share, versions=(1, 4))


def monitor(dice: Dice) -> Plan:
    """On a phone's screen, with its pixels."""
    plan = nominal(dice)
    dots = float(np.exp(dice.uniform(np.log(2.5), np.log(16))))
    return replace(
        plan,
        ink=replace(plan.ink, black=dice.uniform(2, 20), white=250.0),
        screen=dots,
        share=dice.uniform(0.35, 0.8),
        exposure=dice.uniform(0.6, 1.6),
        motion_m=dice.uniform(0, 0.6),
    )


def noncompliant(dice: Dice) -> Plan:
    """Round modules, dots with gaps, a logo, colours, hardly any quiet zone."""
    plan = nominal(dice)
    ink = replace(
        plan.ink,
        round_=float(dice.choice((0.0, 0.5, 1.0))),
        gap=float(dice.choice((0.0, 0.15, 0.3))),
        logo=float(dice.choice((0.0, 0.12, 0.2))),
        quiet=int(dice.integers(0, 4)),
        inverted=dice.random() < 0.25,
    )
    colours = ((0, 0, 200), (160, 40, 0), (0, 90, 0), (120, 0, 120), (20, 60, 120), (40, 40, 40))
    papers = ((255, 255, 255), (120, 220, 250), (200, 230, 200), (240, 220, 180))
    return replace(
        plan,
        ink=ink,
        dark=colours[dice.integers(len(colours))],
        light_colour=papers[dice.integers(len(papers))],
    )


def pathological(dice: Dice) -> Plan:
    """Each thing bearable, several at once."""
    plan = nominal(dice)
    makers = (blurred, damaged, glare, monitor, low_light, curved, perspective, faded, shadows, far)
    first, second = (makers[n](dice) for n in dice.permutation(len(makers))[:2])
    base = Plan()
    for other in (first, second):
        changed = {
            name: getattr(other, name)
            for name in ("wear", "bend", "screen", "pitch", "yaw", "module_px", "light", "noise")
            if getattr(other, name) != getattr(base, name)
        }
        plan = replace(plan, **changed)
    return replace(plan, defocus_m=dice.uniform(0.2, 0.6), ink=first.ink)


def perspective(dice: Dice) -> Plan:
    tilt = dice.uniform(25, 62) * dice.choice((-1, 1))
    other = dice.uniform(-25, 25)
    pitch, yaw = (tilt, other) if dice.random() < 0.5 else (other, tilt)
    return replace(nominal(dice), pitch=float(pitch), yaw=float(yaw), share=dice.uniform(0.4, 0.8))


def rotations(dice: Dice) -> Plan:
    return replace(nominal(dice), roll=dice.uniform(-180, 180), share=dice.uniform(0.2, 0.6))


def shadows(dice: Dice) -> Plan:
    return replace(nominal(dice), light=(light.shadowed, partial(_uneven, depth=0.4)))


def rolling_shutter(dice: Dice) -> Plan:
    """The hand moves while the sensor's rows are read one after the other."""
    bend = Held(0, 0, 1, shear_px=dice.uniform(-14, 14), wobble_px=dice.uniform(0, 1.2))
    return replace(nominal(dice), bend=bend, motion_m=dice.uniform(0, 0.9))


def jpeg(dice: Dice) -> Plan:
    """Compressed until the blocks show."""
    plan = replace(nominal(dice), jpeg=int(dice.integers(4, 25)))
    return replace(plan, module_px=dice.uniform(2.0, 4.5), defocus_m=0.2, card=True)


def far(dice: Dice) -> Plan:
    """A module is little more than a pixel."""
    plan = nominal(dice)
    return replace(plan, module_px=dice.uniform(1.25, 2.4), versions=(1, 6), jpeg=None)


def cropped(dice: Dice) -> Plan:
    """Somebody cut the picture at the code's edge."""
    return replace(nominal(dice), cut_m=dice.uniform(0.0, 2.0), card=False)


def inverted(dice: Dice) -> Plan:
    plan = nominal(dice)
    return replace(plan, ink=replace(plan.ink, inverted=True))


def mirrored(dice: Dice) -> Plan:
    return replace(nominal(dice), mirrored=True)


def photo(dice: Dice) -> Plan:
    """Twelve million pixels from a phone: the code large or small, often unsharp by many pixels."""
    plan = nominal(dice)
    turned = PHOTO if dice.random() < 0.5 else PHOTO[::-1]
    return replace(
        plan,
        shape=turned,
        share=float(np.exp(dice.uniform(np.log(0.06), np.log(0.7)))),
        defocus_m=dice.uniform(0.0, 0.8),
        noise=dice.uniform(3, 14),
        jpeg=int(dice.integers(70, 93)),
        dark=None,
    )


def nothing(dice: Dice) -> Plan:
    """No code at all: every text read here is a phantom."""
    return replace(nominal(dice), codes=0)


def _uneven(
    levels: Levels, dice: Dice, about: tuple[float, float], reach_px: float, *, depth: float
) -> Levels:
    del about, reach_px  # the whole picture lies in that light
    return light.uneven(levels, depth, dice)


def _scratched(face: Face, dice: Dice, *, amount: float) -> Face:
    return wear.scratched(face, amount, dice)


def _stained(face: Face, dice: Dice, *, amount: float) -> Face:
    return wear.stained(face, amount, dice)


def _faded(face: Face, dice: Dice, *, amount: float) -> Face:
    return wear.faded(face, amount, dice)


def _colour(three: np.ndarray) -> tuple[int, int, int]:
    blue, green, red = three.tolist()
    return blue, green, red


KINDS: dict[str, Callable[[Dice], Plan]] = {
    made.__name__: made
    for made in (
        nominal, blurred, moved, bright_spots, brightness, low_light, close, curved, damaged, faded, folded,
        glare, high_version, lots, monitor, noncompliant, pathological, perspective, rotations, shadows,
        rolling_shutter, jpeg, far, cropped, inverted, mirrored, photo, nothing,
    )
}  # fmt: skip

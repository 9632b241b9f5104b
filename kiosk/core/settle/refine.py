"""The mode that the samples themselves name: Gauss-Newton with priors, from one start.

Theory: loud ringing (2 kg, noise 1 g) wants its frequency to some thousandths of a hertz, which no grid
has. The model is linear but for frequency and decay; each step solves the linear part exactly and moves the
other two. The covariance of the last step is the hypothesis's (Laplace's approximation of its evidence).
"""

from __future__ import annotations

import math
from operator import mul

from kiosk.core.settle.floor import Floor, White
from kiosk.core.settle.hypotheses import SWAY_LOG_PRIORS, Build, Guess, loud, wave_of
from kiosk.core.settle.linear import solve3, solve5

DECAY_PER_S, DECAY_SPREAD = 2.5, 0.9
"""Prior of a mode's decay (log-normal), and of its frequency:"""
MODE_HZ, MODE_SPREAD_HZ = 7.0, 5.0
TOP_HZ = 20.0
STEPS_MAX = 4


def refined(
    seen: White,
    build: Build,
    floor: Floor,
    index: int,
    hz: float,
    decay: float,
    loud_g: float,
) -> Guess | None:
    """Gauss-Newton with priors from one start: the mode that the samples themselves name.

    ``seen`` the samples with ``floor``'s colour taken out; ``index`` which floor that is.
    """
    white, squares, y1 = seen
    h, n = build.period_s, len(white)
    ones, ones2 = floor.ones[:n], floor.ones2[n]
    times_s = [k * h for k in range(n)]
    loudest = loud(build, loud_g, hz)
    shrink = 1.0 / loudest**2
    log_decay, omega = math.log(decay), 2 * math.pi * hz
    spread = 2 * math.pi * MODE_SPREAD_HZ
    prior = 2 * math.log(loudest) + math.log(spread * DECAY_SPREAD) + floor.logdet[n]
    found: tuple[float, Guess] | None = None
    last = (log_decay, omega)
    for _ in range(STEPS_MAX):
        decay = math.exp(log_decay)
        re0, im0 = wave_of(omega / (2 * math.pi), decay, h, n, None)
        re, im = floor.whiten(re0), floor.whiten(im0)
        rr, ri = sum(map(mul, re, re)) + shrink, sum(map(mul, re, im))
        ii, r1 = sum(map(mul, im, im)) + shrink, sum(map(mul, re, ones))
        i1 = sum(map(mul, im, ones))
        right = [sum(map(mul, white, re)), sum(map(mul, white, im)), y1]
        linear = solve3((rr, ri, ii, r1, i1, ones2), right)
        if linear is None:
            break
        p, q, c = linear.x
        off_decay = (log_decay - math.log(DECAY_PER_S)) / DECAY_SPREAD
        off_omega = (omega - 2 * math.pi * MODE_HZ) / spread
        misfit = squares - linear.gain + off_decay**2 + off_omega**2
        if found is not None and misfit > found[0] + 1e-3:
            # A step too far: half of it.
            log_decay, omega = (log_decay + last[0]) / 2, (omega + last[1]) / 2
            continue
        turn = floor.whiten(
            [t_s * (q * r - p * i) for t_s, r, i in zip(times_s, re0, im0, strict=True)]
        )
        fade = floor.whiten(
            [
                -decay * k * h * (p * r + q * i)
                for k, (r, i) in enumerate(zip(re0, im0, strict=True))
            ]
        )
        rest = [t - p * r - q * i - c * o for t, r, i, o in zip(white, re, im, ones, strict=True)]
        step = solve5(
            (
                rr,
                ri, ii,
                sum(map(mul, turn, re)), sum(map(mul, turn, im)),
                sum(map(mul, turn, turn)) + 1 / spread**2,
                sum(map(mul, fade, re)), sum(map(mul, fade, im)), sum(map(mul, fade, turn)),
                sum(map(mul, fade, fade)) + 1 / DECAY_SPREAD**2,
                r1, i1, sum(map(mul, turn, ones)), sum(map(mul, fade, ones)), ones2,
            ),
            [
                sum(map(mul, rest, re)) - shrink * p,
                sum(map(mul, rest, im)) - shrink * q,
                sum(map(mul, rest, turn)) - off_omega / spread,
                sum(map(mul, rest, fade)) - off_decay / DECAY_SPREAD,
                sum(map(mul, rest, ones)),
            ],
        )  # fmt: skip
        if step is None:
            break
        log_evidence = SWAY_LOG_PRIORS[index] - misfit / 2 - step.half_logdet
        log_evidence -= prior
        hz = omega / (2 * math.pi)
        guess = Guess(log_evidence, c, step.var, misfit, index, hz, decay, complex(p, -q))
        found, last = (misfit, guess), (log_decay, omega)
        if step.gain < 0.02:
            break
        log_decay += max(-0.7, min(0.7, step.x[3]))
        omega = abs(omega + max(-6.0, min(6.0, step.x[2])))
        omega = min(omega, 2 * math.pi * TOP_HZ)
    return None if found is None else found[1]

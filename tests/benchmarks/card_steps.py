"""What each step of the live reader reads of the frames that zxing-cpp alone does not, and its cost.

    nice -n 19 python tests/benchmarks/card_steps.py --trials 8

Every third frame of ``hw_sim.presentations`` with the whole code in it; each step gets the part of the
picture around the code, as the reader cuts it. Prints a table for docs/benchmarks.md, from which
``drivers/live.py`` takes its order.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from itertools import count

import numpy as np
from hw_sim import sensor
from hw_sim.conditions import CONDITIONS
from hw_sim.presentations import FPS, Presentation

from drivers.frame import Frame
from drivers.live import LIVE_STEPS, sight
from drivers.vision import load_cv2

TEXT = "W507%1100KB0*M0DY0W01$APQ:EI8T6-VPU7+83EX1N1P"
EVERY, LOOK_FRAMES = 3, 45
MARGIN_PX = 40
STEPS = {step.__name__: step for step in LIVE_STEPS}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--trials", type=int, default=8)
    given = asked.parse_args()
    load_cv2()
    frames: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    located: Counter[str] = Counter()
    read: Counter[tuple[str, str]] = Counter()
    alone: Counter[str] = Counter()
    spent_s: Counter[str] = Counter()
    for condition in CONDITIONS:
        done = 0
        for seed in count(1):
            card = Presentation(condition, seed, TEXT)
            if card.whole is None:
                continue
            for number in range(card.whole, min(card.whole + LOOK_FRAMES, card.frames), EVERY):
                box = card.code_box(number)
                if box is None:
                    continue
                data = np.frombuffer(sensor.jpeg(card.frame(number)), np.uint8)
                gray = Frame(data, round(number * 1_000 / FPS), 1).gray
                assert gray is not None
                frames[condition] += 1
                seen = sight(gray)
                if seen.codes:
                    continue
                missed[condition] += 1
                located[condition] += bool(seen.unread)
                left, top, right, bottom = box
                part = np.ascontiguousarray(
                    gray[
                        max(0, top - MARGIN_PX) : bottom + MARGIN_PX,
                        max(0, left - MARGIN_PX) : right + MARGIN_PX,
                    ]
                )
                who = []
                for name, step in STEPS.items():
                    began_s = time.process_time()
                    if step(part):
                        who.append(name)
                    spent_s[name] += time.process_time() - began_s
                for name in who:
                    read[condition, name] += 1
                if len(who) == 1:
                    alone[who[0]] += 1
            done += 1
            if done == given.trials:
                break
    lines = ["| condition | frames | not read | located | " + " | ".join(STEPS) + " |"]
    lines.append("|---" * (4 + len(STEPS)) + "|")
    for condition in CONDITIONS:
        cells = [str(read[condition, name]) for name in STEPS]
        head = (condition, frames[condition], missed[condition], located[condition])
        lines.append("| " + " | ".join([*map(str, head), *cells]) + " |")
    for title, of in (
        ("read by it alone", lambda name: str(alone[name])),
        ("ms", lambda name: f"{1_000 * spent_s[name] / missed.total():.2f}"),
        (
            "read for each ms spent",
            lambda name: f"{sum(read[c, name] for c in CONDITIONS) / (1_000 * spent_s[name]):.3f}",
        ),
    ):
        lines.append("| " + " | ".join([title, "", "", "", *map(of, STEPS)]) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

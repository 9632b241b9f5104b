"""``hw-sim link``: the bad line as a process of its own, with troubles of the whole line by a seed.

SIGUSR1 makes the line dark and, sent again, open; SIGUSR2 does the same with refusing. Each change and,
every ``TELL_S`` and at the end, the counts are a JSON line on standard output.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from types import FrameType

from hw_sim.link import Line, State, Weather
from sync.ending import Ending

TELL_S = 10.0
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Spells:
    """Times in which the whole line is dark or refuses: means in seconds, 0 for never."""

    dark_each_s: float = 0.0
    dark_s: float = 2.0
    refuse_each_s: float = 0.0
    refuse_s: float = 1.0

    def drawn(self, rng: random.Random) -> Iterator[tuple[float, State, float]]:
        """Without end: so long open, then this state for so long. Nothing where there are none."""
        each_s: dict[State, tuple[float, float]] = {
            "dark": (self.dark_each_s, self.dark_s),
            "refusing": (self.refuse_each_s, self.refuse_s),
        }
        wanted = {state: pair for state, pair in each_s.items() if pair[0] > 0}
        while wanted:
            waits = {state: rng.expovariate(1 / mean_s) for state, (mean_s, _) in wanted.items()}
            state = min(waits, key=lambda each: waits[each])
            yield waits[state], state, rng.expovariate(1 / wanted[state][1])


def run_link(to: tuple[str, int], port: int, weather: Weather, spells: Spells, seed: int) -> None:
    """Until SIGTERM or Ctrl-C. OSError where the port cannot be had."""
    ending = Ending()
    ending.heed()
    with closing(Line(to, weather, port=port, seed=seed)) as line:
        asked: list[State] = []

        def heard(number: int, _frame: FrameType | None) -> None:
            asked.append("dark" if number == signal.SIGUSR1 else "refusing")

        signal.signal(signal.SIGUSR1, heard)
        signal.signal(signal.SIGUSR2, heard)
        _say({"listening": line.port})
        state: State = "open"
        changes = _changes(spells, random.Random(seed + 1))
        due_s, wanted = next(changes, (float("inf"), state))
        begun_s = told_s = time.monotonic()
        while not ending.asked:
            time.sleep(LOOK_S)
            now_s = time.monotonic()
            if asked:
                new = asked.pop(0)
                state = _become(line, "open" if new == state else new)
            elif now_s - begun_s >= due_s:
                state = _become(line, wanted)
                due_s, wanted = next(changes)
            if now_s - told_s >= TELL_S:
                told_s = now_s
                _say(asdict(line.counts))
        _say(asdict(line.counts))


def _changes(spells: Spells, rng: random.Random) -> Iterator[tuple[float, State]]:
    """When, counted from the start, the line becomes what."""
    at_s = 0.0
    for wait_s, state, last_s in spells.drawn(rng):
        at_s += wait_s
        yield at_s, state
        at_s += last_s
        yield at_s, "open"


def _become(line: Line, state: State) -> State:
    line.become(state)
    _say({"state": state})
    return state


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()

"""Faults of power and disk while a list is taken in; run as a program, since it forks and limits itself.

``power FOLDER``: each system call that touches the disk is the last one once; prints how many there
were. What was written and not synced may be torn then. ``full FOLDER``: no file may grow.
"""

from __future__ import annotations

import logging
import os
import random
import resource
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from list_site import CityList, Clock, card, cards, deliver, lists

from sync.messages.card_lists import PART_RECORDS

STEPS = {"open", "pwrite", "write", "ftruncate", "fsync", "rename", "unlink", "close"}
MAX_STEPS = 300


def before_and_after() -> tuple[CityList, CityList]:
    old, new = CityList(), CityList()
    old.publish_full(cards(0, PART_RECORDS + 2))
    old.change(add=[card(20_000)])
    new.version = old.version
    new.publish_full(cards(100, PART_RECORDS + 202))
    new.change(add=[card(20_001)])
    return old, new


def cut_at(step: int, folder: Path, city: CityList) -> bool:
    """Deliver in a child that dies before its ``step``-th call; whether it came that far."""
    child = os.fork()
    if child == 0:
        left = step

        def on_call(_frame: FrameType, event: str, called: object) -> None:
            nonlocal left
            if event == "c_call" and getattr(called, "__name__", "") in STEPS:
                left -= 1
                if left == 0:
                    os._exit(9)

        sys.setprofile(on_call)
        deliver(lists(folder, Clock()), city)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def power(folder: Path) -> None:
    old, new = before_and_after()
    start = folder / "start"
    deliver(lists(start, Clock()), old)
    rng = random.Random(2)
    step = 0
    while True:
        step += 1
        assert step < MAX_STEPS
        station = folder / f"cut-{step}"
        shutil.copytree(start, station)
        cut = cut_at(step, station, new)
        for torn in station.glob("*.new"):
            data = torn.read_bytes()
            torn.write_bytes(data[: rng.randrange(len(data) + 1)] + bytes(rng.randrange(64)))
        after = lists(station, Clock())
        assert after.refused("closed") is None, f"step {step}"
        held = after.held("closed")
        assert held is not None
        first, last = (card(0) in held), (card(PART_RECORDS + 201) in held)
        assert first != last, f"step {step}: a mixture"
        assert (card(20_000) in held) == first, f"step {step}: a delta of another list"
        deliver(after, new)
        assert after.standing(card(20_001)) == after.standing(card(150)) == "closed"
        assert after.standing(card(0)) == "good"
        shutil.rmtree(station)
        if not cut:
            sys.stdout.write(f"{step}\n")
            return


def full(folder: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old, new = before_and_after()
    station = lists(folder, Clock())
    deliver(station, old)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for bytes_left in (0, 100, 40_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, hard))
        deliver(station, new)
        refused = station.refused("closed")
        assert refused is not None and refused.reason == "storage"
        assert station.standing(card(0)) == station.standing(card(20_000)) == "closed"
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    deliver(station, new)
    assert station.standing(card(20_001)) == "closed" and station.standing(card(0)) == "good"


if __name__ == "__main__":
    logging.disable()
    {"power": power, "full": full}[sys.argv[1]](Path(sys.argv[2]))

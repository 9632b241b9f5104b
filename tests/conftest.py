"""In which order the tests run, so that nobody waits for a long story at the end, and what they inherit.

pytest-xdist deals the tests out in equal runs, one to a worker, and whoever is through takes the
second half of the longest run that is left. So each run begins with long files, and what is left
to be shared out at last is short. Stories and reckoning run side by side, so that there is always
something to do while others wait; and who reckons steps back, so that a story keeps its pace.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BEHIND = 10
"""Steps of niceness."""

STORIES_S = {
    "cli/test_scale_stories.py": 200,
    "screen/test_journeys_corner.py": 170,
    "screen/test_journeys.py": 150,
    "screen/test_troubles_on_the_page.py": 120,
    "demo/test_demo_run.py": 80,
    "cli/test_troubles_in_the_field.py": 80,
    "drivers/test_reader_contract.py": 75,
    "cli/test_card_work_in_the_field.py": 65,
    "drivers/test_indicator_pumps.py": 60,
    "drivers/test_hx711_ways.py": 55,
    "sync/test_link_troubles.py": 50,
    "sync/test_doctor_and_the_city.py": 35,
    "sync/test_sync_broker.py": 35,
    "sync/test_link_tls.py": 30,
    "drivers/test_hx711_scale.py": 30,
    "demo/test_demo_ends.py": 30,
    "sync/test_lists_broker.py": 25,
    "sync/test_commands_broker.py": 25,
    "sync/test_town_broker.py": 15,
    "cli/test_no_token_anywhere.py": 15,
}
"""Files that mostly wait, and how long about: real processes and wires, at life's pace."""

RECKONED_S = {
    "screen/test_every_state.py": 85,
    "house/test_types.py": 30,
    "worlds/test_days.py": 25,
    "cards/test_cards_on_paper.py": 20,
    "sync/test_sync_worlds.py": 20,
    "drivers/test_qr_photographs.py": 20,
    "sync/test_sinks.py": 20,
    "sync/test_receiver_store.py": 20,
    "sync/test_many_receivers.py": 15,
    "screen/test_screen_drawn.py": 20,
    "screen/test_corner_drawn.py": 15,
    "screen/test_screen_town.py": 12,
    "screen/test_screen_play.py": 12,
    "screen/test_screen_hands.py": 10,
    "screen/test_screen_hostile.py": 10,
    "screen/test_screen_load.py": 8,
    "worlds/test_years.py": 10,
}
"""Files that want a processor all the time, or a browser of their own."""


def pytest_configure(config: pytest.Config) -> None:
    signals_reach_children()
    gc.disable()
    if hasattr(config, "workerinput"):
        stories, workers = shares(config)
        if int(config.workerinput["workerid"].removeprefix("gw")) in range(stories, workers):
            os.nice(BEHIND)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: nobody looks through its half a million objects again."""
    gc.freeze()
    gc.enable()


def pytest_collection(session: pytest.Session) -> None:
    """Each worker first imports a share of the files, and then finds the others' compiled.

    Pytest rewrites each file's assertions and keeps what it made. All workers begin at once with
    all the files: in a fresh checkout each would compile every one of them for itself.
    """
    if not hasattr(session.config, "workerinput") or session.config.args != ["tests"]:
        return
    workers: int = session.config.workerinput["workercount"]
    own = int(session.config.workerinput["workerid"].removeprefix("gw"))
    for file in sorted(HERE.glob("*/test_*.py"))[own::workers]:
        if str(file.parent) not in sys.path:
            sys.path.insert(0, str(file.parent))
        importlib.import_module(file.stem)


def signals_reach_children() -> None:
    """Under ``nohup`` or behind an ``&`` some signals are ignored, and every child would inherit that.

    A handler that does nothing is as good here, and is the default again in a child.
    """
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def shares(config: pytest.Config) -> tuple[int, int]:
    """How many workers begin with stories, and how many there are."""
    workers: int = config.workerinput["workercount"]
    return workers - workers * 3 // 7, workers


def dealt(files: dict[str, int], workers: int) -> list[list[str]]:
    """The longest first, each to whom has the least to do yet."""
    piles: list[list[str]] = [[] for _ in range(workers)]
    for name in sorted(files, key=lambda name: -files[name]):
        assert (HERE / name).is_file(), f"{name} has another name now"
        min(piles, key=lambda pile: sum(files[one] for one in pile)).append(name)
    return piles


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    stories, workers = shares(config)
    if stories < workers:
        # The longest last: browsers and stations of four long stories start one after the other.
        piles = [pile[::-1] for pile in dealt(STORIES_S, stories)]
        piles += dealt(RECKONED_S, workers - stories)
    else:
        piles = dealt(STORIES_S | RECKONED_S, workers)
    runs = [[one for name in pile for one in items if one.path == HERE / name] for pile in piles]
    long = {one for run in runs for one in run}
    short = [one for one in items if one not in long]
    left = len(items)
    for place, run in enumerate(runs):
        size = left // (workers - place)  # as pytest-xdist divides
        room = max(0, size - len(run))
        run += short[:room]
        del short[:room]
        left -= size
    items[:] = [one for run in runs for one in run] + short

"""In which order the tests run, so that nobody waits for a long story at the end, and what they inherit.

pytest-xdist deals the tests out in equal runs, one to a worker, and whoever is through takes the
second half of the longest run that is left. So each run begins with long files, and what is left
to be shared out at last is short.
"""

from __future__ import annotations

import gc
import importlib
import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

LONG = (
    "cli/test_scale_stories.py",
    "worlds/test_days.py",
    "cli/test_card_work_in_the_field.py",
    "house/test_types.py",
    "cli/test_troubles_in_the_field.py",
    "demo/test_demo_run.py",
    "sync/test_link_troubles.py",
    "screen/test_screen_drawn.py",
    "screen/test_journeys.py",
    "screen/test_journeys_corner.py",
    "screen/test_troubles_on_the_page.py",
    "screen/test_every_state.py",
    "cli/test_no_token_anywhere.py",
    "demo/test_demo_ends.py",
    "sync/test_sink_process.py",
    "sync/test_lists_broker.py",
    "link/test_chaos.py",
    "sync/test_sync_broker.py",
    "sync/test_commands_broker.py",
    "sync/test_many_receivers.py",
    "drivers/test_qr_photographs.py",
    "drivers/test_reader_contract.py",
    "worlds/test_disturbed.py",
)
"""Files of half a minute and more, those that wait in turn with those that reckon."""


def pytest_configure() -> None:
    signals_reach_children()
    gc.disable()


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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    workers: int = config.workerinput["workercount"]
    runs: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for place, name in enumerate(LONG):
        assert (HERE / name).is_file(), f"{name} has another name now"
        runs[place % workers] += [one for one in items if one.path == HERE / name]
    dealt = {one for run in runs for one in run}
    short = [one for one in items if one not in dealt]
    left = len(items)
    for place, run in enumerate(runs):
        size = left // (workers - place)  # as pytest-xdist divides
        room = max(0, size - len(run))
        run += short[:room]
        del short[:room]
        left -= size
    items[:] = [one for run in runs for one in run] + short

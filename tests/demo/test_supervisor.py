"""Children that die come back, whoever killed them; children that cannot live are given up."""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hw_sim.supervisor import Child, Keeper

FOREVER = (sys.executable, "-c", "import signal; signal.pause()")
PATIENCE_S = 20.0
"""No assertion hangs on it: a child that never comes fails the test instead of holding it."""

News = queue.Queue[tuple[str, str]]
Keep = Callable[[Child], tuple[Keeper, News]]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    keepers: list[Keeper] = []

    def started(child: Child) -> tuple[Keeper, News]:
        news: News = queue.Queue()
        keeper = Keeper(child, tmp_path, lambda name, what: news.put((name, what)))
        keepers.append(keeper)
        keeper.start()
        return keeper, news

    yield started
    for keeper in keepers:
        keeper.stop()


def heard(news: News, what: str) -> None:
    while news.get(timeout=PATIENCE_S)[1] != what:
        pass


def test_a_child_killed_by_its_pid_file_comes_back_with_a_new_one(
    keep: Keep, tmp_path: Path
) -> None:
    _, news = keep(Child("station", FOREVER))
    heard(news, "started")
    pid_file = tmp_path / "pids" / "station.pid"
    first = int(pid_file.read_text())
    os.kill(first, signal.SIGKILL)
    heard(news, "died")
    heard(news, "started")
    second = int(pid_file.read_text())
    assert second != first
    os.kill(second, 0)


def test_killed_often_it_comes_back_as_often(keep: Keep) -> None:
    keeper, news = keep(Child("uplink", FOREVER))
    heard(news, "started")
    for _ in range(12):
        assert keeper.send(signal.SIGKILL)
        heard(news, "started")
    assert keeper.failure is None
    assert keeper.starts == 13


def test_asked_to_end_again_and_again_it_comes_back_each_time(keep: Keep) -> None:
    """By default SIGTERM kills; our own programs end with 0. Neither is the child's own fault."""
    polite = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(0))\nsignal.pause()"
    for command in (FOREVER, (sys.executable, "-c", polite)):
        keeper, news = keep(Child("uplink", command))
        heard(news, "started")
        for _ in range(12):
            assert keeper.send(signal.SIGTERM)
            heard(news, "started")
        assert keeper.failure is None


def test_a_child_that_cannot_live_is_given_up_with_its_last_words(keep: Keep) -> None:
    broken = "import sys; print('the port is taken', file=sys.stderr); sys.exit(2)"
    keeper, news = keep(Child("broker", (sys.executable, "-c", broken)))
    for _ in range(8):
        heard(news, "died")
    keeper.stop()
    assert keeper.failure is not None
    assert "the port is taken" in keeper.failure


def test_a_world_that_ends_is_not_started_again(keep: Keep) -> None:
    keeper, news = keep(Child("world", (sys.executable, "-c", "pass"), restarts=False))
    heard(news, "died")
    keeper.stop()
    assert keeper.starts == 1
    assert keeper.failure is not None


def test_stopping_ends_the_child_and_takes_the_pid_file_away(keep: Keep, tmp_path: Path) -> None:
    keeper, news = keep(Child("receiver", FOREVER))
    heard(news, "started")
    pid = int((tmp_path / "pids" / "receiver.pid").read_text())
    keeper.stop()
    keeper.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not (tmp_path / "pids" / "receiver.pid").exists()
    assert keeper.failure is None


def test_no_child_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    """Not even one that listens to no SIGTERM."""
    deaf = "import signal\nsignal.signal(15, signal.SIG_IGN)\nprint('here', flush=True)\nsignal.pause()"
    keeping = f"""
import signal, sys
from pathlib import Path
from hw_sim.supervisor import Child, Keeper
child = Child("world", (sys.executable, "-c", {deaf!r}), output=lambda line: print(line, flush=True))
Keeper(child, Path({str(tmp_path)!r}), lambda name, what: None).start()
signal.pause()
"""
    demo = subprocess.Popen([sys.executable, "-c", keeping], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None and demo.stdout.readline() == "here\n"
    child = os.pidfd_open(int((tmp_path / "pids" / "world.pid").read_text()))
    demo.kill()
    demo.communicate()
    gone, _, _ = select.select([child], [], [], PATIENCE_S)
    os.close(child)
    assert gone


def test_what_a_child_says_reaches_its_listener_line_by_line(keep: Keep) -> None:
    said: queue.Queue[str] = queue.Queue()
    keep(Child("world", (sys.executable, "-c", "print('a'); print('b')"), output=said.put))
    assert [said.get(timeout=PATIENCE_S) for _ in range(2)] == ["a", "b"]

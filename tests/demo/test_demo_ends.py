"""However a demo is ended, it ends in good order, and whoever started it hears so."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hw_sim.demo_site import free_port

DEMO = Path(sys.executable).with_name("hw-sim")
PATIENCE_S = 150.0
"""The demo's own tail is bounded by 60 s."""


def wishes(folder: Path, **more: str) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("DEMO_")}
    return given | {"DEMO_DIR": str(folder), "DEMO_PORT": str(free_port())} | more


def test_ctrl_c_ends_make_with_the_demos_own_0(tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"SHELL := /bin/bash\ndemo:\n\t{DEMO} demo\n")
    terminal, its_own = pty.openpty()
    make = subprocess.Popen(
        ["setsid", "--ctty", "make", "-f", makefile, "demo"],
        env=wishes(tmp_path / "demo"),
        stdin=its_own,
        stdout=its_own,
        stderr=its_own,
    )
    os.close(its_own)
    said = b""
    while b"the residents' screen" not in said:
        said += os.read(terminal, 4_096)
    os.write(terminal, b"\x03")
    try:
        while part := os.read(terminal, 4_096):
            said += part
    except OSError:
        pass  # make has gone, and with it the terminal's last user
    os.close(terminal)
    assert make.wait(PATIENCE_S) == 0, said.decode()
    assert b"everything is accounted for" in said


def test_a_closed_terminal_ends_it_in_good_order_and_it_can_go_on_for_a_second(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "demo"
    first = subprocess.Popen([DEMO, "demo"], stdout=subprocess.PIPE, env=wishes(folder))
    assert first.stdout is not None
    while b"the residents' screen" not in first.stdout.readline():
        assert first.poll() is None
    first.stdout.close()
    first.send_signal(signal.SIGHUP)
    assert first.wait(PATIENCE_S) == 0
    again = subprocess.run(
        [DEMO, "demo"],
        env=wishes(folder, DEMO_S="1", DEMO_KEEP="1"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 boot" in again.stdout
    assert list((folder / "pids").iterdir()) == []


@pytest.mark.parametrize(
    "wish", [{"DEMO_KEEP": "yes"}, {"DEMO_DIR": "/proc/demo"}, {"DEMO_KILLS": "1.5"}]
)
def test_a_demo_that_cannot_be_is_refused_in_two_sentences(
    tmp_path: Path, wish: dict[str, str]
) -> None:
    done = subprocess.run(
        [DEMO, "demo"],
        env=wishes(tmp_path / "demo") | wish,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("hw-sim demo: ") and done.stderr.count("\n") == 1

"""A process that crashes with a card before it leaves nothing of its memory behind."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from field_station import KIOSK, FieldStation
from hw_sim.pn532_peer import Tag

CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV); signal.pause()"
UID = bytes.fromhex("04c0ffee112233")


def dumped(process: subprocess.Popen[bytes]) -> bool:
    """How it ended: whether the kernel wrote its memory, into a file or a pipe."""
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    process.wait()
    assert found is not None and found.si_status in (signal.SIGSEGV, signal.SIGABRT)
    return found.si_code == os.CLD_DUMPED


@pytest.fixture
def dumps_allowed(tmp_path: Path) -> Iterator[None]:
    """As after ``ulimit -c unlimited``; the machine is shown to dump a process that does nothing about
    it, or the test would prove nothing."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    (tmp_path / "control").mkdir()
    crashed = subprocess.Popen([sys.executable, "-c", CRASH], cwd=tmp_path / "control")
    if not dumped(crashed):
        resource.setrlimit(resource.RLIMIT_CORE, before)
        pytest.skip("this machine dumps no core of anybody (hard limit, or core_pattern)")
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def cores(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*core*") if path.is_file()]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_station_that_crashes_after_a_card_leaves_no_core(
    tmp_path: Path, dumps_allowed: None, number: signal.Signals
) -> None:
    (tmp_path / "s").mkdir()
    with FieldStation(tmp_path / "s") as field:
        peer = field.plug_nfc()
        field.start()
        peer.place(Tag(UID))
        field.until(lambda: field.view()["checkins"] == 1, "the card was never seen")
        assert field.kiosk("status", "--json")["core_dumps"] is False
        assert field.process is not None
        os.kill(field.process.pid, number)
        assert not dumped(field.process)
        assert cores(field.folder) == []


def test_the_doctor_says_that_dumps_are_off(tmp_path: Path, dumps_allowed: None) -> None:
    (tmp_path / "s").mkdir()
    with FieldStation(tmp_path / "s") as field:
        field.start()
        findings = field.kiosk("doctor", "--json")["findings"]
        assert [one["level"] for one in findings if one["code"] == "core_dumps"] == ["OK"]


def test_a_command_about_cards_that_crashes_leaves_no_core(
    tmp_path: Path, dumps_allowed: None
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 40), 255, np.uint8))
    command = [KIOSK, "card", "read", *["a.png"] * 3000]
    working = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE)
    assert working.stdout is not None
    assert working.stdout.readline(), "it is at work"
    os.kill(working.pid, signal.SIGSEGV)  # the rest of what it says fits into no pipe
    assert not dumped(working)
    working.stdout.close()
    assert [path for path in cores(tmp_path) if path.parent == tmp_path] == []


@pytest.mark.parametrize("unit", ["kiosk-station", "kiosk-uplink", "kiosk-receiver"])
def test_systemd_allows_none_either(unit: str) -> None:
    text = (Path(__file__).parents[2] / f"systemd/{unit}.service").read_text(encoding="utf-8")
    assert "LimitCORE=0" in text.splitlines()

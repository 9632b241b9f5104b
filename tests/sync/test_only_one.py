"""Somebody starts the uplink by hand while systemd's runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.core.errors import OperatorError
from sync.only_one import only_one

HOLDER = """
import sys
from pathlib import Path
from sync.only_one import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_uplink_is_told_so_until_the_first_is_killed(tmp_path: Path) -> None:
    control = tmp_path / "control.sock"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, control], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout is not None and first.stdin is not None
    try:
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(OperatorError) as refused, only_one(control):
            pass
        assert refused.value.code == "uplink_running"
        with only_one(tmp_path / "another" / "control.sock"):
            pass
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
        first.stdin.close()
    with only_one(control):
        pass

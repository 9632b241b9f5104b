"""mypy, strict, over everything that is shipped or stands in for hardware."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_types_hold_under_strict_mypy(root: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "kiosk", "drivers", "sync", "hw-sim/hw_sim"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr

"""A bad wire on a busy machine, in virtual time: nothing wrong is delivered, and little is lost.

The benchmark itself, small; ``docs/benchmarks.md`` has a million readings of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
READS = 3_000 * SIZE
WIRE = Path(__file__).parents[1] / "benchmarks/wire.py"


@pytest.mark.parametrize("more", [[], ["--goes-on"], ["--gain", "64"]], ids=" ".join)
def test_no_wrong_reading_is_delivered_and_most_conversions_are(more: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, WIRE, "--driver", "ours", "--reads", str(READS), *more],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [result["p"] for result in results] == [1e-5, 1e-4, 1e-3]
    for result in results:
        assert result["delivered"] >= READS
        assert result["wrong"] == 0
        assert result["share_of_completed"] >= 0.85


def test_the_package_alone_delivers_wrong_readings_on_the_same_pins() -> None:
    """So that the world above is known to be a hard one."""
    ran = subprocess.run(
        [sys.executable, WIRE, "--driver", "hx711", "--reads", "3000", "--p", "1e-3"],
        capture_output=True,
        text=True,
    )
    assert json.loads(ran.stdout)["wrong"] > 30

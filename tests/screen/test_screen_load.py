"""The benchmarks of the page, small: they run, and what must not grow does not.

``KIOSK_SEARCH_SIZE`` multiplies the visits; ``tests/benchmarks/screen_load.py`` measures times.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from screen_people import LONG_S, Station
from shots import PANELS, browser_page

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from screen_load import shown, visits

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
VISITS = 30 * SIZE
HEAP_SLACK_KB = 1_024


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser_page(PANELS["wide"]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        yield opened


def test_visit_after_visit_leaves_nothing_on_the_page(page: Page, station: Station) -> None:
    page.goto(f"{station.origin}/")
    early, late = visits(page, station, VISITS, (VISITS // 3, VISITS))
    assert late["nodes"] <= early["nodes"]
    assert late["listeners"] <= early["listeners"]
    assert late["heap_kb"] <= early["heap_kb"] + HEAP_SLACK_KB


def test_every_weight_that_is_told_is_painted(page: Page, station: Station) -> None:
    page.goto(f"{station.origin}/")
    assert len(shown(page, station, 3)) == 3

"""A fresh folder and a ledger in it (``ledger_site``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_site import Site

from kiosk.ledger import Ledger


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "data")


@pytest.fixture
def ledger(site: Site) -> Iterator[Ledger]:
    opened = site.open()
    yield opened
    opened.close()

"""A folder with the usual catalogue and the settings file under test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from settings_site import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    root = Path(__file__).parents[2]
    shutil.copy(root / "config/catalogue.toml", tmp_path)

    def written(text: str) -> Path:
        file = tmp_path / "station.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return written

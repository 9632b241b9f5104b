"""docs/cli.md has every command of ``kiosk`` under a heading, and there every option of its own."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from kiosk.cli import app
from kiosk.cli.spoken import common_options, paths
from kiosk.doctor import CODES

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
COMMANDS = dict(paths(app, ""))
COMMON = {option.name for option in common_options()}


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_has_its_section_with_every_option(path: str) -> None:
    found = re.search(rf"^### `kiosk {path}\b.*?$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, path
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Option) and parameter.name not in COMMON:
            assert f"`{max(parameter.opts, key=len)}" in found[1]


def test_no_section_is_about_a_command_that_does_not_exist() -> None:
    named = re.findall(r"^### `kiosk ([a-z ]+?)(?: [\[A-Z].*)?`$", PAGE, re.MULTILINE)
    assert set(named) == set(COMMANDS)


def test_every_check_of_the_doctor_is_in_the_table() -> None:
    for code in CODES:
        assert f"`{code}`" in PAGE

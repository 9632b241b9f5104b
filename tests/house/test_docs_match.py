"""A command or an option that is not in ``docs/cli.md`` does not exist for those who need it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

PROGRAMS = ("kiosk", "kiosk-receiver", "hw-sim")


def group(root: Path, program: str) -> click.Command:
    """The click command behind a console script: the script itself, or the one its module holds."""
    scripts: dict[str, str] = {}
    for project in ("pyproject.toml", "hw-sim/pyproject.toml"):
        scripts |= tomllib.loads((root / project).read_text(encoding="utf-8"))["project"]["scripts"]
    module_name, _, attribute = scripts[program].partition(":")
    module = import_module(module_name)
    script = getattr(module, attribute)
    if isinstance(script, click.Command):
        return script
    groups = {id(value): value for value in vars(module).values() if isinstance(value, click.Group)}
    assert len(groups) == 1, f"{module_name}: which click group is {program}?"
    return next(iter(groups.values()))


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below, hidden ones too, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)) or command.commands:
            child = command.get_command(click.Context(command), name)
            assert child is not None, f"{path} {name}"
            yield from commands(child, f"{path} {name}")


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_and_option_is_documented(root: Path, program: str) -> None:
    page = (root / "docs/cli.md").read_text(encoding="utf-8")
    missing = []
    for path, command in commands(group(root, program), program):
        if f"`{path}" not in page and not re.search(rf"^#+ .*{re.escape(path)}\b", page, re.M):
            missing.append(path)
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                option = max(parameter.opts, key=len)
                if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", page):
                    missing.append(f"{path} {option}")
    assert missing == []


def test_every_decision_is_one_page_and_numbered_without_a_gap(root: Path) -> None:
    records = sorted((root / "docs/decisions").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        lines = record.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {int(record.name[:4])}. "), record.name
        assert len(lines) <= 60, f"{record.name}: one page"


def test_links_between_our_pages_lead_somewhere(root: Path, tracked: list[Path]) -> None:
    broken = []
    for path in tracked:
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)\s#]+)", (root / path).read_text(encoding="utf-8")):
            if "://" not in target and not (root / path.parent / target).exists():
                broken.append(f"{path}: {target}")
    assert broken == []


def test_every_code_that_a_receiver_refuses_with_says_on_the_page_what_helps(root: Path) -> None:
    sources = [root / "sync/messages" / name for name in ("batch.py", "content.py", "wire.py")]
    sources += sorted((root / "sync/receiver").glob("*.py"))
    said = re.compile(
        r"(?:Malformed|Refused|AckError)\(\s*\"(\w+)\"|Aside\(.*?, \"(\w+)\"|UNSTORABLE = \"(\w+)\""
        r"|code = .*?\"(\w+)\"(?: if .*? else \"(\w+)\")?"
    )
    codes = {
        code
        for source in sources
        for found in said.findall(source.read_text(encoding="utf-8"))
        for code in found
        if code
    }
    page = (root / "docs/trust.md").read_text(encoding="utf-8")
    table = page.split("## Why a message is refused")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.M)
    assert {code for row in rows for code in re.findall(r"`(\w+)`", row)} == codes

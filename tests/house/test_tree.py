"""What must not be in the tree, and what must be in what is built from it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home/\w+|Users/\w+)/")
"""Somebody's own machine. A document says ``~`` instead."""

ADDRESS = re.compile(r"(?:https?|ssh|git)(?:\+\w+)?://([\w.-]+)")
LOOPBACK = {"127.0.0.1", "localhost", "HOST"}
"""``HOST`` stands for one in a usage line."""

INSTALLS = (
    "requirements/",
    "tools/",
    "systemd/",
    ".ci/",
    "Makefile",
    "pyproject.toml",
    "hw-sim/pyproject.toml",
)
"""What decides where things are fetched from: it may name no host at all."""

FETCH_SETTINGS = re.compile(r"index-url|index_url|find-links\s*=|trusted-host|\"resolved\":")


def texts(root: Path, tracked: list[Path]) -> list[tuple[Path, str]]:
    found = []
    for path in tracked:
        data = (root / path).read_bytes()
        if b"\0" not in data:
            found.append((path, data.decode("utf-8")))
    return found


def test_no_tracked_file_names_a_path_of_someones_machine(root: Path, tracked: list[Path]) -> None:
    named = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts(root, tracked)
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) or str(root) in line
    ]
    assert named == []


def test_nothing_that_installs_names_where_packages_come_from(
    root: Path, tracked: list[Path]
) -> None:
    named = [
        f"{path}: {host}"
        for path, text in texts(root, tracked)
        if str(path).startswith(INSTALLS)
        for host in ADDRESS.findall(text)
        if host not in LOOPBACK
    ]
    assert named == []


def test_no_tracked_file_sets_a_package_index(root: Path, tracked: list[Path]) -> None:
    # tools/lock switches the writing of one off; this file looks for it.
    exempt = {Path("tools/lock"), Path(__file__).relative_to(root), Path("CONTRIBUTING.md")}
    named = [
        path
        for path, text in texts(root, tracked)
        if path not in exempt and FETCH_SETTINGS.search(text)
    ]
    assert named == []


@pytest.fixture(scope="module")
def wheel(root: Path, tracked: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in the wheel that a station installs, built from the tracked files alone."""
    copy = tmp_path_factory.mktemp("tree")
    for path in tracked:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, copy / path)
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--no-index", "-w", out, copy], check=True)
    (built,) = out.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_file_of_the_product(wheel: list[str], tracked: list[Path]) -> None:
    product = {str(path) for path in tracked if path.parts[0] in {"kiosk", "drivers", "sync"}}
    assert product - set(wheel) == set()


def test_the_wheel_holds_nothing_of_the_simulator(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel if ".dist-info" not in name.split("/")[0]}
    assert tops == {"kiosk", "drivers", "sync"}

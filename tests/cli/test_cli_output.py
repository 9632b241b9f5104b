"""Standard output that is full, closed or left alone; and names that no locale can spell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_site import Site

FOLDER = Path(sys.executable).parent


def sh(line: str, site: Site, **env: str) -> subprocess.CompletedProcess[str]:
    """One line of a shell, in the station's folder."""
    said = subprocess.run(
        ["/bin/bash", "-c", line],
        cwd=site.folder,
        capture_output=True,
        encoding="utf-8",
        env={"LC_ALL": "C", "PATH": f"{FOLDER}:/usr/bin:/bin", **env},
        timeout=60,
    )
    assert "Traceback" not in said.stderr and "Exception" not in said.stderr, said.stderr
    return said


@pytest.mark.parametrize("call", ["kiosk config show", "kiosk --help", "kiosk-receiver --help"])
def test_a_full_disk_is_told_and_no_success(site: Site, call: str) -> None:
    said = sh(f"{call} > /dev/full", site)
    assert said.returncode == 1
    assert "No space left" in said.stderr or "空き容量" in said.stderr


def test_a_closed_output_is_told_and_no_success(site: Site) -> None:
    said = sh("kiosk config show --lang en >&-", site)
    assert said.returncode == 1 and "Bad file descriptor" in said.stderr
    assert sh("kiosk config check --json >&- 2>&-", site).returncode == 1
    assert sh("kiosk frob 2> /dev/full", site).returncode == 2


def test_who_reads_no_more_ends_it_quietly(site: Site) -> None:
    said = sh("kiosk config show | true; echo ${PIPESTATUS[0]}", site)
    assert (said.stdout, said.stderr) == ("141\n", "")


@pytest.mark.parametrize("call", ["kiosk caretaker pin", "kiosk"])
def test_bytes_that_are_no_text_answer_nothing(site: Site, call: str) -> None:
    said = sh(f"printf '\\xff\\n0\\n' | {call}", site, PYTHONIOENCODING="utf-8:strict")
    assert said.returncode == (2 if "pin" in call else 0)


@pytest.mark.parametrize("name", ["資源 ステーション".encode(), b"bad\xff"])
def test_a_folder_of_any_name_in_any_locale(site: Site, name: bytes) -> None:
    folder = site.folder / os.fsdecode(name)
    folder.mkdir()
    for one in ("station.toml", "catalogue.toml", "keys", "run"):
        (site.folder / one).rename(folder / one)
    calls = "config check", "config show", "status", "doctor"
    line = "; ".join(f'kiosk {call} --json --config "$F/station.toml"' for call in calls)
    for env in ({"PYTHONUTF8": "0"}, {"LC_ALL": "C.UTF-8"}):
        said = sh(line, site, F=os.fsdecode(os.fsencode(folder)), **env)
        values = [json.loads(one) for one in said.stdout.splitlines()]
        assert [sorted(value)[0] for value in values] == ["advice", "bin", "busy", "findings"]
        assert values[0]["file"] == f"{folder}/station.toml"

"""``systemd/install.sh``: says what it does, does it once, and keeps its hands off settings."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest


def install(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", root / "systemd/install.sh", *arguments], capture_output=True, text=True
    )


def files(folder: Path) -> dict[str, bytes]:
    """Every file's bytes; of a link where it leads."""
    return {
        str(path.relative_to(folder)): os.fsencode(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("role", ["station", "receiver"])
def test_a_dry_run_changes_nothing_and_says_so(root: Path, role: str, tmp_path: Path) -> None:
    done = install(root, role, "--dry-run", "--root", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("nothing was changed")
    assert files(tmp_path) == {}


@pytest.mark.parametrize("role", ["station", "receiver"])
def test_the_second_run_finds_nothing_to_do(root: Path, role: str, tmp_path: Path) -> None:
    first = install(root, role, "--root", tmp_path)
    assert first.returncode == 0, first.stderr
    laid = files(tmp_path)

    second = install(root, role, "--root", tmp_path)

    assert second.returncode == 0, second.stderr
    assert [line for line in second.stdout.splitlines() if line.startswith("+")] == []
    assert files(tmp_path) == laid


def test_settings_that_are_there_stay(root: Path, tmp_path: Path) -> None:
    settings = tmp_path / "etc/kiosk/station.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("# mended by hand\n", encoding="utf-8")

    install(root, "--root", tmp_path)

    assert settings.read_text(encoding="utf-8") == "# mended by hand\n"


def test_every_file_that_a_unit_names_is_laid(root: Path, tmp_path: Path) -> None:
    install(root, "station", "--root", tmp_path)
    install(root, "receiver", "--root", tmp_path)
    laid = files(tmp_path)
    for service in ("station", "uplink", "screen", "receiver", "sink-fiware"):
        assert f"etc/systemd/system/kiosk-{service}.service" in laid
    assert "opt/kiosk/libexec/wait-for-page" in laid
    for unit in (path for path in laid if path.endswith(".service")):
        (pages,) = re.findall(rb"^Documentation=file:/(.+)$", laid[unit], re.MULTILINE)
        assert f"{pages.decode()}/screen.md" in laid, unit
    for name in ("receiver.env", "fiware.env", "fiware.toml"):
        assert f"etc/kiosk-receiver/{name}" in laid
    assert json.loads(laid["etc/chromium/policies/managed/kiosk.json"])["URLBlocklist"] == ["*"]


@pytest.mark.parametrize(("role", "name"), [("station", "kiosk"), ("receiver", "kiosk-receiver")])
def test_the_command_can_be_typed_in_any_shell(
    root: Path, role: str, name: str, tmp_path: Path
) -> None:
    install(root, role, "--root", tmp_path)
    link = tmp_path / "usr/local/bin" / name
    assert str(link.readlink()) == f"/opt/kiosk/bin/{name}"
    assert list(link.parent.iterdir()) == [link]


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dead link"])
def test_another_programs_command_of_that_name_stays_and_is_told(
    root: Path, kind: str, tmp_path: Path
) -> None:
    there = tmp_path / "usr/local/bin/kiosk"
    there.parent.mkdir(parents=True)
    if kind == "file":
        there.write_text("#!/bin/sh\n", encoding="utf-8")
    elif kind == "folder":
        there.mkdir()
    else:
        there.symlink_to("/bin/sh" if kind == "link" else "/opt/gone/kiosk")
    before = files(tmp_path)

    done = install(root, "station", "--root", tmp_path)

    assert done.returncode == 0, "the station is installed all the same"
    assert before.items() <= files(tmp_path).items()
    assert there.is_symlink() or not any(there.parent.glob("kiosk/*"))
    assert f"{there} is somebody else's" in done.stderr
    assert "/opt/kiosk/bin/kiosk" in done.stderr
    assert "etc/systemd/system/kiosk-station.service" in files(tmp_path)


@pytest.mark.parametrize(("changed", "told"), [("no", "start"), ("yes", "restart")])
def test_services_run_after_a_run_whether_it_changed_something_or_the_one_before_did(
    root: Path, changed: str, told: str
) -> None:
    script = (root / "systemd/install.sh").read_text("utf-8")
    functions = script[: script.index('\n"$role"\n')]
    done = subprocess.run(
        ["bash", "-c", f"{functions}\nchanged={changed}\nservices a b", "install.sh", "--dry-run"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"+ systemctl {told} a b" in done.stdout.splitlines()


def test_readers_packages_and_rights_come_only_when_asked_for_and_then_stay(
    root: Path, tmp_path: Path
) -> None:
    drop_in = "etc/systemd/system/kiosk-station.service.d/readers.conf"
    plain = install(root, "station", "--root", tmp_path)
    assert drop_in not in files(tmp_path) and plain.returncode == 0
    asked = install(root, "station", "--readers", "--root", tmp_path)
    assert asked.returncode == 0, asked.stderr
    laid = files(tmp_path)
    assert b"char-usb_device" in laid[drop_in]
    assert "etc/modprobe.d/kiosk-readers.conf" in laid
    again = install(root, "station", "--root", tmp_path)
    assert [line for line in again.stdout.splitlines() if line.startswith("+")] == []
    assert files(tmp_path) == laid


def test_a_word_that_it_does_not_know_is_refused_in_one_line(root: Path) -> None:
    done = install(root, "stattion")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1

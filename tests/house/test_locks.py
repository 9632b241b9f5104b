"""The locks: versions and hashes for every machine we run on, and no address."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

LOCKS = ("build", "dev", "station", "pi", "readers")
OURS = {"station-kiosk", "kiosk-hw-sim"}
MACHINES = [
    (machine, python) for machine in ("x86_64", "aarch64") for python in ("3.11", "3.12", "3.13")
]


@dataclass(frozen=True)
class Pin:
    """One line of a lock."""

    name: NormalizedName
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]


def lock(root: Path, name: str) -> list[Pin]:
    text = (root / f"requirements/{name}.lock").read_text(encoding="utf-8")
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pinned, *hashes = line.split(" --hash=")
        requirement = Requirement(pinned.strip())
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", line
        pins.append(
            Pin(
                name=canonicalize_name(requirement.name),
                version=specifier.version,
                marker=requirement.marker,
                hashes=tuple(value.strip() for value in hashes),
            )
        )
    return pins


def environment(machine: str, python: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def installed(pins: list[Pin], machine: str, python: str) -> dict[str, str]:
    """What pip would install there, by name."""
    chosen: dict[str, str] = {}
    for pin in pins:
        if pin.marker is None or pin.marker.evaluate(environment(machine, python)):
            assert pin.name not in chosen, f"{pin.name} twice on {machine} {python}"
            chosen[pin.name] = pin.version
    return chosen


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_a_version_with_hashes(root: Path, name: str) -> None:
    pins = lock(root, name)
    assert pins
    for pin in pins:
        assert pin.hashes, pin.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in pin.hashes), pin.name


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_an_address_or_a_folder(root: Path, name: str) -> None:
    text = (root / f"requirements/{name}.lock").read_text(encoding="utf-8")
    assert re.findall(r"://|--index|--find-links|--extra|--trusted|@ |(?m:^-e )", text) == []


@pytest.mark.parametrize(("machine", "python"), MACHINES)
def test_what_pyproject_asks_for_is_locked_and_in_range(
    root: Path, machine: str, python: str
) -> None:
    station = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    bench = tomllib.loads((root / "hw-sim/pyproject.toml").read_text(encoding="utf-8"))
    extras = station["project"]["optional-dependencies"]
    runtime = station["project"]["dependencies"] + extras["receiver"]
    wanted = {
        "build": station["build-system"]["requires"] + bench["build-system"]["requires"],
        "station": runtime,
        "pi": station["project"]["dependencies"] + extras["pi"],
        "readers": station["project"]["dependencies"] + extras["rcs380"] + extras["pcsc"],
        "dev": runtime + extras["dev"] + extras["rcs380"] + bench["project"]["dependencies"],
    }
    for name, asked in wanted.items():
        have = installed(lock(root, name), machine, python)
        for requirement in map(Requirement, asked):
            marker = requirement.marker
            if requirement.name in OURS or (
                marker is not None and not marker.evaluate(environment(machine, python))
            ):
                continue
            version = have.get(canonicalize_name(requirement.name))
            assert version is not None, f"{name}.lock lacks {requirement}: make lock"
            assert requirement.specifier.contains(version), f"{name}.lock: {requirement}: make lock"


@pytest.mark.parametrize(("machine", "python"), MACHINES)
def test_a_station_gets_the_versions_that_were_tested(
    root: Path, machine: str, python: str
) -> None:
    tested = installed(lock(root, "dev"), machine, python)
    for name in ("build", "station"):
        assert installed(lock(root, name), machine, python).items() <= tested.items() | (
            installed(lock(root, "build"), machine, python).items()
        )


def test_only_a_pi_gets_a_package_that_owns_the_module_rpi(root: Path) -> None:
    owners = {"rpi-gpio", "rpi-lgpio", "rpi-gpio2", "fake-rpi"}
    for machine, python in MACHINES:
        for name in ("dev", "station"):
            assert not owners & installed(lock(root, name), machine, python).keys()
        on_pi = owners & installed(lock(root, "pi"), machine, python).keys()
        assert on_pi == ({"rpi-lgpio"} if machine == "aarch64" else set())

"""The services: well formed, never "failed for good", and with no more rights than they need.

``systemd-analyze`` reads the files as they are, but for the paths of programs that only an
installation has: those point at this environment's own, and at ``true`` where a station's Debian
package (cage) is not wanted on a developer's machine. The path itself is compared instead.
"""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

SERVICES = ("station", "uplink", "screen", "receiver", "sink-fiware")

MOST_EXPOSURE = {"station": 1.6, "uplink": 1.1, "receiver": 1.1, "sink-fiware": 1.1, "screen": 2.7}
"""What ``systemd-analyze security`` says (systemd 252 and 257 alike); only downwards from here.

Two tenths of the station's are the question whether the clock is synchronised (adjtimex), four the
devices that it exists for, eight the loopback page. The screen's are Chromium's own sandbox.
"""

PROGRAMS = {
    "/opt/kiosk/bin/kiosk": "kiosk",
    "/opt/kiosk/bin/kiosk-receiver": "kiosk-receiver",
    "/opt/kiosk/libexec/wait-for-page": None,
    "/usr/bin/cage": None,
}
"""Each program that a unit starts, and the console script that stands for it here."""

Unit = dict[str, dict[str, list[str]]]


def read(path: Path) -> Unit:
    """A unit file's settings; each may be given several times."""
    unit: Unit = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            unit[section][key].append(value)
    return unit


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def unit_file(root: Path, service: str) -> Path:
    return root / f"systemd/kiosk-{service}.service"


@pytest.fixture
def unit(unit_file: Path) -> Unit:
    return read(unit_file)


def test_a_unit_starts_only_programs_that_we_know(unit: Unit) -> None:
    for command in unit["Service"]["ExecStart"] + unit["Service"]["ExecStartPre"]:
        assert command.split()[0] in PROGRAMS


def test_the_screen_shows_already_what_a_station_says_that_is_still_starting(root: Path) -> None:
    unit = read(root / "systemd/kiosk-screen.service")["Unit"]
    assert not [one for one in unit["After"] + unit["Requires"] if "kiosk-station" in one]


def test_systemd_takes_the_unit_without_a_word(unit_file: Path, tmp_path: Path) -> None:
    text = unit_file.read_text(encoding="utf-8")
    for installed, script in PROGRAMS.items():
        here = Path(sys.executable).parent / script if script else shutil.which("true")
        text = text.replace(f"={installed} ", f"={here} ")
    copy = tmp_path / unit_file.name
    copy.write_text(text, encoding="utf-8")

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=one", copy],
        capture_output=True,
        text=True,
    )

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_exposure_stays_where_it_is(unit_file: Path, service: str) -> None:
    analysed = subprocess.run(
        [
            *("systemd-analyze", "security", "--no-pager", "--offline=true"),
            f"--threshold={round(MOST_EXPOSURE[service] * 10)}",
            unit_file,
        ],
        capture_output=True,
        text=True,
        env={"SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert analysed.returncode == 0, analysed.stdout


def test_a_service_is_never_given_up(unit: Unit) -> None:
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]
    assert unit["Service"]["Restart"] == ["always"]
    assert unit["Service"]["RestartSec"]


def test_no_core_is_left_that_could_hold_a_token(unit: Unit) -> None:
    assert unit["Service"]["LimitCORE"] == ["0"]


def test_memory_and_tasks_are_bounded(unit: Unit) -> None:
    assert unit["Service"]["MemoryMax"]
    assert unit["Service"]["TasksMax"]


@pytest.mark.parametrize("name", ["station", "uplink"])
def test_a_stuck_thread_is_noticed(root: Path, name: str) -> None:
    service = read(root / f"systemd/kiosk-{name}.service")["Service"]
    assert service["Type"] == ["notify"]
    assert service["WatchdogSec"]


def test_the_station_reaches_nothing_beyond_loopback(root: Path) -> None:
    service = read(root / "systemd/kiosk-station.service")["Service"]
    assert service["IPAddressDeny"] == ["any"]
    assert service["IPAddressAllow"] == ["localhost"]
    assert service["RestrictAddressFamilies"] == ["AF_UNIX AF_INET"]


def test_the_uplink_has_the_sockets_group_and_nothing_of_the_stations(root: Path) -> None:
    station = read(root / "systemd/kiosk-station.service")["Service"]
    uplink = read(root / "systemd/kiosk-uplink.service")["Service"]
    assert uplink["User"] != station["User"]
    assert uplink["Group"] == station["Group"] == ["kiosk"]
    assert uplink["PrivateDevices"] == ["yes"]
    assert station["StateDirectoryMode"] == ["0700"]
    assert station["RuntimeDirectoryMode"] == ["0750"]
    assert any("-/var/lib/kiosk" in value.split() for value in uplink["InaccessiblePaths"])


def test_every_user_and_group_of_a_unit_is_made_by_sysusers(root: Path, unit: Unit) -> None:
    made = {"root"}
    for conf in (root / "systemd").glob("*.sysusers.conf"):
        made |= {
            line.split()[1]
            for line in conf.read_text(encoding="utf-8").splitlines()
            if line[:1] in {"u", "g"}
        }
    asked = unit["Service"]["User"] + unit["Service"]["Group"]
    asked += [name for value in unit["Service"]["SupplementaryGroups"] for name in value.split()]
    assert set(asked) <= made


@pytest.mark.parametrize("name", ["kiosk-watchdog.conf", "kiosk-journald.conf"])
def test_drop_ins_are_well_formed(root: Path, name: str) -> None:
    parser = configparser.ConfigParser(strict=True)
    parser.read_string((root / "systemd" / name).read_text(encoding="utf-8"))
    assert parser.sections()


def test_sysusers_and_tmpfiles_are_taken(root: Path, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    for conf in sorted((root / "systemd").glob("*.sysusers.conf")):
        subprocess.run(["systemd-sysusers", f"--root={tmp_path}", conf], check=True)
    users = (etc / "passwd").read_text(encoding="utf-8")
    assert {"kiosk", "kiosk-uplink", "kiosk-screen", "kiosk-receiver"} <= {
        line.split(":")[0] for line in users.splitlines()
    }

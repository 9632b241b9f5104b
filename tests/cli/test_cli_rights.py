"""A user who may not look at the station's files is told so, and told no tale of a worn-out card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_site import Site
from test_cli_ledger import acked as acked
from test_cli_ledger import city as city

KIOSK = Path(sys.executable).with_name("kiosk")
PLAIN = [
    "setpriv",
    "--bounding-set",
    "-dac_override,-dac_read_search,-fowner",
    "--inh-caps",
    "-all",
]
"""Root without root's rights over files; anybody else has none anyway."""


def asked(site: Site, *args: str) -> subprocess.CompletedProcess[str]:
    said = subprocess.run(
        [*(PLAIN if os.geteuid() == 0 else []), KIOSK, *args, "--config", site.file],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert "Traceback" not in said.stderr
    return said


@pytest.mark.parametrize(
    ("closed", "calls"),
    [
        ("data", ["status", "sync status", "ledger verify", "ledger show", "ledger export"]),
        ("data/ledger.db", ["status", "ledger show"]),
        ("data/ack.json", ["sync status", "ledger verify"]),
    ],
)
def test_missing_rights_are_said_and_how_to_get_them(
    site: Site, acked: Path, closed: str, calls: list[str]
) -> None:
    data = site.folder / "data"
    data.mkdir()
    for name in ("ledger.db", "ledger.lock", "ack.json"):
        (site.folder / name).rename(data / name)
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text('[paths]\ndata = "data"\n' + text, encoding="utf-8")
    (site.folder / closed).chmod(0)
    try:
        for call in calls:
            said = asked(site, *call.split())
            assert (said.returncode, said.stdout) == (2, ""), call
            assert "権利がありません" in said.stderr and "sudo" in said.stderr
            assert "SD" not in said.stderr
        said = asked(site, "doctor", "ledger", "--json", "--lang", "en")
        (finding,) = json.loads(said.stdout)["findings"]
        # The folder is this very user's: as such the station could not start either.
        assert (finding["level"], finding["case"]) == ("ERR", "shut")
        assert "chown" in finding["todo"]
    finally:
        (site.folder / closed).chmod(0o700)


def test_a_closed_folder_above_the_data_is_no_traceback(site: Site, acked: Path) -> None:
    inner = site.folder / "above/data"
    inner.mkdir(parents=True)
    for name in ("ledger.db", "ledger.lock", "ack.json"):
        (site.folder / name).rename(inner / name)
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text('[paths]\ndata = "above/data"\n' + text, encoding="utf-8")
    inner.parent.chmod(0)
    try:
        for call in ("status", "ledger verify", "ledger show"):
            said = asked(site, *call.split(), "--json")
            assert said.returncode == 2, call
            assert json.loads(said.stdout)["error"]["code"] == "no_rights"
        (finding,) = json.loads(asked(site, "doctor", "ledger", "--json").stdout)["findings"]
        # Whose the ledger is cannot be seen from here.
        assert (finding["level"], finding["case"]) == ("WARN", "not_mine")
    finally:
        inner.parent.chmod(0o700)

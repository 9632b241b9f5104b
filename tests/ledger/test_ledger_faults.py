"""Disks that are full, dying or read-only, and processes that are killed."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ledger_site import Site, checkin, drop_many, weighing

from kiosk.core.errors import StorageError
from kiosk.ledger.verify import verify

WRITER = """
import sys
from pathlib import Path
from ledger_site import Site, weighing
site = Site(Path(sys.argv[1]))
ledger = site.open()
gross_g = ledger.memory().books[0].gross_g
while True:
    (seq,) = ledger.append([weighing(gross_g, gross_g + 10)])
    gross_g += 10
    print(seq, flush=True)
    if seq % 7 == 0:
        ledger.batch(max(0, seq - 20))
"""

LIMITED = """
import json, resource, signal, sys
from pathlib import Path
from ledger_site import Site, weighing
from kiosk.core.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
site = Site(Path(sys.argv[1]))
ledger = site.open()
before = ledger.head, ledger.batch(0)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
codes = []
gross_g = 0
for _ in range(2_000):
    try:
        ledger.append([weighing(gross_g, gross_g + 10)])
    except StorageError as error:
        codes.append(error.code)
        if len(codes) == 3:
            break
    else:
        gross_g += 10
told = ledger.head[0]
sent = ledger.batch(told - 1) is not None
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.append([weighing(gross_g, gross_g + 10)])
ledger.close()
print(json.dumps({"codes": codes, "told": told, "sent": sent}))
"""

FULL_TMPFS = """
mount -t tmpfs -o size=400k none "$1" && exec "$2" -c "$3" "$1"
"""

FULL = """
import json, sys
from pathlib import Path
from ledger_site import Site, weighing
from kiosk.core.errors import StorageError
folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(bytes(20_000))
site = Site(folder / "data")
ledger = site.open()
gross_g, codes = 0, []
while len(codes) < 3:
    try:
        ledger.append([weighing(gross_g, gross_g + 10)])
    except StorageError as error:
        codes.append(error.code)
    else:
        gross_g += 10
ballast.unlink()
seqs = ledger.append([weighing(gross_g, gross_g + 10)])
ledger.close()
again = site.open()
print(json.dumps({"codes": codes, "gross_g": again.memory().books[0].gross_g,
                  "expected_g": gross_g + 10, "next": seqs[0] == again.head[0],
                  "turned": again.turn_over is not None}))
"""

ANOTHERS = """
import os, sys
from pathlib import Path
from ledger_site import Site
from kiosk.core.errors import OperatorError
site = Site(Path(sys.argv[1]))
if os.getuid() == 0:
    os.setuid(65_534)
try:
    site.open()
except OperatorError as error:
    print(error.code)
"""


def child(program: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", program, *map(str, arguments)]


@pytest.fixture(autouse=True)
def helpers_on_the_childs_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def test_what_was_told_as_recorded_survives_every_kill(site: Site) -> None:
    """kill -9 in the middle of a hundred appends; whatever was said on standard output is there."""
    told = 0
    for round_ in range(5):
        with subprocess.Popen(child(WRITER, site.folder), stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(40 + 7 * round_):
                told = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split()
            told = int(rest[-1]) if rest else told
        with closing(sqlite3.connect(site.database)) as db:
            (last,) = db.execute("SELECT max(seq) FROM ledger").fetchone()
        assert told <= last <= told + 1
    assert not verify(site.folder, station_key=site.signer.public_key).findings

    ledger = site.open()
    assert ledger.turn_over is None
    assert ledger.memory().books[0].gross_g == (ledger.head[0] - 1) * 10
    ledger.close()


@pytest.mark.parametrize("limit", [70_000, 120_000, 300_000])
def test_a_disk_that_refuses_to_write(site: Site, limit: int) -> None:
    """Nothing of a refused entry is kept, sending goes on, and so does recording afterwards."""
    done = subprocess.run(
        child(LIMITED, site.folder, limit), capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert set(said["codes"]) <= {"io_error", "disk_full"}
    assert len(said["codes"]) == 3
    assert said["sent"]
    assert not verify(site.folder, station_key=site.signer.public_key).findings

    ledger = site.open()
    assert (ledger.turn_over, ledger.head[0]) == (None, said["told"] + 1)
    ledger.close()


def test_a_full_disk(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", FULL_TMPFS, "sh", tmp_path, sys.executable, FULL],
        capture_output=True,
        text=True,
    )
    if "unshare" in mounted.stderr or "mount:" in mounted.stderr:
        pytest.skip("no file system may be mounted here")
    said = json.loads(mounted.stdout)
    assert said["codes"] == ["disk_full"] * 3
    assert said["gross_g"] == said["expected_g"]
    assert said["next"]
    assert not said["turned"]


def test_a_folder_that_is_anothers(site: Site) -> None:
    site.folder.mkdir(mode=0o755)
    site.folder.chmod(0o555)
    for above in site.folder.parents:
        if above.owner() == site.folder.owner() and "pytest" in str(above):
            above.chmod(0o755)
    done = subprocess.run(child(ANOTHERS, site.folder), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["no_rights"]
    assert list(site.folder.iterdir()) == []


def test_another_program_that_holds_the_database(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 3)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError) as refused:
            ledger.append([weighing(300, 400), checkin(b"A")])
        other.execute("ROLLBACK")
    assert refused.value.code == "locked"
    assert ledger.append([weighing(300, 400)]) == (5,)
    ledger.close()


def test_an_acknowledgement_that_cannot_be_kept_does_not_count(site: Site) -> None:
    ledger = site.open()
    drop_many(ledger, 3)
    payload = site.ack(ledger)
    in_the_way = site.folder / "ack.json"
    in_the_way.mkdir()
    with pytest.raises(StorageError):
        ledger.accept_ack(payload)
    assert ledger.watermark == 0
    in_the_way.rmdir()
    assert ledger.accept_ack(payload).watermark == 4
    ledger.close()


def test_a_folder_that_is_a_file(site: Site) -> None:
    site.folder.write_text("in the way")
    with pytest.raises(StorageError):
        site.open()

"""Every state of the disk that a power cut may leave of ``counters.db``, out of a recorded run.

``strace`` records what the unmodified process writes, syncs, cuts and removes. Replayed to each point,
what was written since a file's last sync may be there or not, a write by halves included; what was
synced is. (Removing and cutting are followed at once or not at all until the next sync.)
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR_BYTES = 512
CALL = re.compile(r"(?:\[pid\s+\d+\] )?(?:\d+\s+)?(\w+)\((.*)\)\s*=\s*(-?\d+)")
WRITER = """
import sys
from pathlib import Path
from kiosk.cards.counters import CounterFile
kept = CounterFile(Path(sys.argv[1]))
for turn in range(int(sys.argv[2])):
    name = bytes([turn % 5]) * 16
    assert kept.count(name, turn + 1) == "fresh"
    sys.stdout.write(f"said {turn}\\n")
    sys.stdout.flush()
"""


@dataclass
class File:
    """A file's content as synced, and what was done to it since: (offset, bytes) or a length."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes] | int] = field(default_factory=list)

    def left(self, dice: Random, *, all_of_it: bool) -> bytes:
        """One content that a power cut may leave."""
        content = bytearray(self.synced)
        for change in self.since:
            if not all_of_it and dice.random() < 0.5:
                continue
            if isinstance(change, int):
                _resize(content, change)
                continue
            at, data = change
            if not all_of_it and dice.random() < 0.3:
                data = data[: dice.randrange(0, len(data) + 1, SECTOR_BYTES)]
            _resize(content, max(len(content), at + len(data)))
            content[at : at + len(data)] = data
        return bytes(content)

    def sync(self) -> None:
        self.synced = bytearray(self.left(Random(0), all_of_it=True))
        self.since.clear()


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content += bytes(size - len(content))


def can_record() -> bool:
    """Whether this machine lets one process watch another."""
    strace = shutil.which("strace")
    return (
        strace is not None and subprocess.run([strace, "true"], capture_output=True).returncode == 0
    )


def record(folder: Path, turns: int) -> list[str]:
    """The calls of a process that counts ``turns`` cards."""
    log = folder / "calls"
    calls = "trace=openat,close,write,pwrite64,fsync,fdatasync,ftruncate,unlink"
    strace = ("strace", "-xx", "-s", "70000", "-e", calls, "-o", str(log))
    writer = (sys.executable, "-c", WRITER, str(folder / "counters.db"), str(turns))
    subprocess.run([*strace, *writer], check=True, capture_output=True)
    return log.read_text().splitlines()


def cuts(calls: list[str]) -> Iterator[tuple[int, dict[str, File]]]:
    """Before each call that matters: how many cards were acknowledged, and the files."""
    files: dict[str, File] = {}
    open_files: dict[int, str] = {}
    said = 0
    for line in calls:
        match = CALL.match(line)
        if match is None or int(match[3]) < 0:
            continue
        name, rest, result = match[1], match[2], int(match[3])
        if name == "openat":
            path = _text(rest).decode("utf-8", "replace")
            if "counters.db" in path:
                open_files[result] = Path(path).name
                files.setdefault(Path(path).name, File())
            continue
        if name == "unlink":
            yield said, files
            files.pop(Path(_text(rest).decode()).name, None)
            continue
        number = int(rest.partition(",")[0])
        file = files.get(open_files.get(number, ""))
        if name == "close":
            open_files.pop(number, None)
        elif name == "write" and number == 1:
            said += _text(rest).count(b"said")
        elif file is not None:
            yield said, files
            if name in ("fsync", "fdatasync"):
                file.sync()
            elif name == "ftruncate":
                file.since.append(int(rest.rpartition(",")[2]))
            else:
                file.since.append((int(rest.rpartition(",")[2]), _text(rest)))
    yield said, files


def _text(rest: str) -> bytes:
    begin = rest.index('"') + 1
    return bytes.fromhex(rest[begin : rest.index('"', begin)].replace("\\x", ""))

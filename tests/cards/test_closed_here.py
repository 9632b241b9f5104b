"""A card lost at this station is closed here at once, whoever writes, and through a power cut."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kiosk.cards.local import FILE, MAX_NAMES, ClosedHere
from kiosk.core.errors import OperatorError, StorageError

ANOTHER = """
import sys
from pathlib import Path
from kiosk.cards.local import ClosedHere
closed = ClosedHere(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 40):
    closed.add(number.to_bytes(16, "big"))
"""


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_a_lost_card_is_closed_until_it_is_found_and_through_a_restart(tmp_path: Path) -> None:
    closed = ClosedHere(tmp_path / "cards")
    assert name(1) not in closed
    assert closed.add(name(1))
    assert not closed.add(name(1)), "once is enough"
    again = ClosedHere(tmp_path / "cards")
    assert name(1) in again and name(2) not in again
    assert again.discard(name(1)) and not again.discard(name(1))
    assert name(1) not in closed and len(closed) == 0


def test_the_command_line_closes_a_card_beside_a_running_station(tmp_path: Path) -> None:
    station, command = ClosedHere(tmp_path), ClosedHere(tmp_path)
    assert name(7) not in station
    command.add(name(7))
    assert name(7) in station
    command.discard(name(7))
    assert name(7) not in station


def test_writers_at_once_lose_nobodys_card(tmp_path: Path) -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", ANOTHER, tmp_path, str(first)])
        for first in (1000, 2000)
    ]
    closed = ClosedHere(tmp_path)
    threads = [
        threading.Thread(
            target=lambda first=first: [closed.add(name(first + n)) for n in range(20)]
        )
        for first in (3000, 4000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    assert len(closed) == 2 * 40 + 2 * 20


def test_a_write_that_was_cut_short_leaves_the_old_set(tmp_path: Path) -> None:
    closed = ClosedHere(tmp_path)
    closed.add(name(1))
    whole = (tmp_path / FILE).read_bytes()
    for cut in range(len(whole)):
        (tmp_path / f"{FILE}.new").write_bytes(whole[:cut])
        assert ClosedHere(tmp_path).names() == {name(1)}
    closed.add(name(2))
    assert ClosedHere(tmp_path).names() == {name(1), name(2)}


@pytest.mark.parametrize("content", [b"\0" * 33, b"ab\n", b"\xff\xfe", b"00" * 16 + b" \n"])
def test_a_damaged_file_is_told_and_not_taken_for_an_empty_one(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StorageError) as caught:
        ClosedHere(tmp_path).names()
    assert caught.value.code == "closed_here_damaged"


def test_there_is_an_end_to_what_a_station_closes_by_itself(tmp_path: Path) -> None:
    text = "".join(f"{name(number).hex()}\n" for number in range(MAX_NAMES))
    (tmp_path / FILE).write_text(text)
    closed = ClosedHere(tmp_path)
    with pytest.raises(OperatorError) as caught:
        closed.add(name(MAX_NAMES))
    assert caught.value.code == "too_many_closed"
    assert closed.discard_all(map(name, range(MAX_NAMES))) == MAX_NAMES
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0, "pseudonyms are nobody else's to read"

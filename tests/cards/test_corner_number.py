"""The caretaker's number: kept as a hash, and not to be guessed, whatever is switched off meanwhile."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kiosk.cards import pin
from kiosk.cards.pin import FREE_TRIES, MAX_PAUSE_MS, PAUSE_MS, CornerNumber
from kiosk.core.errors import KioskError, OperatorError, StorageError

RIGHT, WRONG = "314159", "271828"


class Clock:
    """Boottime that the test moves."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same function at its smallest cost, which the file names: the bounds are tried here."""
    monkeypatch.setattr(pin, "N", 2)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def number(tmp_path: Path, clock: Clock) -> CornerNumber:
    made = CornerNumber(tmp_path, clock)
    made.set(RIGHT)
    return made


def refusal(number: CornerNumber, digits: str) -> str:
    try:
        number.check(digits)
    except KioskError as error:
        return error.code
    return "opened"


def test_the_right_number_opens_and_takes_the_count_back(number: CornerNumber) -> None:
    for _ in range(3):
        for _ in range(FREE_TRIES - 1):
            assert refusal(number, WRONG) == "number_wrong"
        assert refusal(number, RIGHT) == "opened"


def test_files_are_its_owners_alone_and_hold_no_number(
    number: CornerNumber, tmp_path: Path
) -> None:
    refusal(number, WRONG)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert RIGHT.encode() not in path.read_bytes()
    other = CornerNumber(tmp_path / "other", Clock())
    other.set(RIGHT)
    assert (tmp_path / "other" / pin.FILE).read_bytes() != (tmp_path / pin.FILE).read_bytes()


def test_after_five_wrong_ones_even_the_right_one_waits(number: CornerNumber, clock: Clock) -> None:
    codes = [refusal(number, WRONG) for _ in range(FREE_TRIES)]
    assert codes == ["number_wrong"] * (FREE_TRIES - 1) + ["number_paused"]
    assert refusal(number, RIGHT) == "number_paused"
    clock.ms += PAUSE_MS - 1
    assert refusal(number, RIGHT) == "number_paused"
    clock.ms += 1
    assert refusal(number, RIGHT) == "opened"
    assert number.wait_ms() == 0


def test_a_restart_gains_nothing(number: CornerNumber, clock: Clock, tmp_path: Path) -> None:
    for _ in range(FREE_TRIES):
        refusal(number, WRONG)
    clock.ms += PAUSE_MS - 1_000
    for _ in range(20):
        clock.ms += 10
        number = CornerNumber(tmp_path, clock)
        assert refusal(number, RIGHT) == "number_paused", "the pause begins anew"
    boot = Clock()
    boot.ms = 0
    number = CornerNumber(tmp_path, boot)
    assert refusal(number, RIGHT) == "number_paused"
    boot.ms = PAUSE_MS
    assert refusal(number, RIGHT) == "opened"


def test_a_guesser_has_a_few_dozen_tries_a_day(number: CornerNumber, clock: Clock) -> None:
    """Who tries whenever it is allowed, for a week."""
    tries, end_ms = 0, clock.ms + 7 * 86_400_000
    while clock.ms < end_ms:
        assert refusal(number, WRONG) in ("number_wrong", "number_paused")
        tries += 1
        clock.ms += max(1, number.wait_ms())
    assert tries <= 7 * 24 + 16
    assert number.wait_ms() <= MAX_PAUSE_MS


def test_a_power_cut_between_count_and_answer_is_a_wrong_try(
    number: CornerNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(Exception):
        pass

    def cut(*_: object) -> bytes:
        raise PowerCut

    monkeypatch.setattr(pin, "_hash", cut)
    for _ in range(FREE_TRIES):
        with pytest.raises(PowerCut):
            number.check(RIGHT)
    monkeypatch.undo()
    assert refusal(CornerNumber(tmp_path, Clock()), RIGHT) == "number_paused"


def test_a_try_that_cannot_be_counted_is_none(number: CornerNumber, tmp_path: Path) -> None:
    (tmp_path / pin.TRIES).unlink()
    (tmp_path / (pin.TRIES + ".new")).mkdir()
    (tmp_path / (pin.TRIES + ".new") / "full").touch()
    with pytest.raises(StorageError):
        number.check(RIGHT)


@pytest.mark.parametrize("count", [b"", b"x", b"-3", b"\xff"])
def test_a_damaged_count_is_no_free_try(number: CornerNumber, tmp_path: Path, count: bytes) -> None:
    (tmp_path / pin.TRIES).write_bytes(count)
    assert refusal(number, RIGHT) == "number_paused"


@pytest.mark.parametrize(
    "digits", ["", "12345", "1" * 6, "1234567890123", "12345a", "１２３４５６"]
)
def test_what_is_no_good_number_is_refused(tmp_path: Path, digits: str) -> None:
    number = CornerNumber(tmp_path, Clock())
    with pytest.raises(OperatorError, match="6 to 12 digits"):
        number.set(digits)
    assert not number.is_set and refusal(number, RIGHT) == "number_none"


def test_a_number_taken_away_opens_nothing(number: CornerNumber) -> None:
    number.remove()
    assert refusal(number, RIGHT) == "number_none"


@pytest.mark.parametrize(
    "data",
    [
        b'{"salt":"","hash":""}',
        b'{"salt":"zz","hash":"00","n":2,"r":8,"p":1}',
        b'{"salt":"00","hash":"0","n":2,"r":8,"p":1}',
        b'{"salt":"00","hash":"00","n":3,"r":8,"p":1}',
        b'{"salt":"00","hash":"00","n":1073741824,"r":8,"p":1}',
    ],
)
def test_a_damaged_file_opens_nothing(number: CornerNumber, tmp_path: Path, data: bytes) -> None:
    (tmp_path / pin.FILE).write_bytes(data)
    assert refusal(number, RIGHT) == "number_damaged"

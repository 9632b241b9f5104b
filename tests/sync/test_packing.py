"""How hard batches are pressed, by what the line shows."""

from __future__ import annotations

import random

import pytest
from sync_site import Book

from sync.messages import inflate
from sync.packing import HARD, HARDEST, LIGHT, Compress, Packing


def batch(count: int = 300) -> bytes:
    book = Book()
    book.weigh(count)
    return book.batch(0)


def run(packing: Packing, plain: bytes, bytes_per_s: float, count: int = 30) -> None:
    """One batch at a time over a line of that rate."""
    now_s = 0.0
    for _ in range(count):
        _, data = packing.pack(plain, now_s)
        now_s += len(data) / bytes_per_s
        packing.taken(now_s)


def test_a_line_is_slow_until_it_proves_fast_and_slow_again_when_it_is() -> None:
    plain, packing = batch(), Packing("auto")
    assert packing.level == HARD
    run(packing, plain, 20e6)
    assert packing.level == LIGHT
    run(packing, plain, 200e3)
    assert packing.level == HARD
    run(packing, plain, 20e6)
    packing.begin()
    assert packing.level == HARD


def test_a_live_entry_says_nothing_of_the_line() -> None:
    packing = Packing("auto")
    for n in range(30):
        packing.pack(batch(1), float(n))
        packing.taken(n + 1e-6)
    assert packing.level == HARD


@pytest.mark.parametrize(("compress", "level"), [("always", HARDEST), ("never", None)])
def test_what_the_settings_say_holds_on_every_line(compress: Compress, level: int | None) -> None:
    plain, packing = batch(), Packing(compress)
    for bytes_per_s in (1e3, 1e9):
        run(packing, plain, bytes_per_s)
        assert packing.level == level


@pytest.mark.parametrize("compress", ["auto", "always", "never"])
def test_what_is_packed_is_what_comes_out(compress: Compress) -> None:
    for count in (1, 2, 300):
        plain = batch(count)
        content_type, data = Packing(compress).pack(plain, 0.0)
        assert inflate(content_type, data) == plain
        if count > 1 and compress != "never":
            assert len(data) < len(plain) / 2


def test_pubacks_that_nobody_waits_for_are_nothing() -> None:
    packing = Packing("auto")
    for _ in range(3):
        packing.taken(random.random())
    assert packing.level == HARD

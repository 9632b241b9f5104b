"""Of acknowledgements that wait together, which the station has to judge."""

from __future__ import annotations

import random

from sync_site import CITY_KEY, Book

from sync.messages import Ack, AckError, encode_ack
from sync.newest import superseded

BOOK = Book()
BOOK.weigh(50)


def ack(seq: int, *, epoch: int = 1, error: str | None = None, ledger: str = BOOK.ledger) -> bytes:
    told = AckError(error, seq + 1) if error is not None else None
    return encode_ack(Ack(ledger, epoch, seq, BOOK.hashes[seq], told), CITY_KEY)


def test_of_a_drains_acknowledgements_the_highest_goes_on() -> None:
    payloads = [ack(10), ack(20), ack(30), ack(25), ack(30)]
    assert superseded(payloads) == {0, 1, 2, 3}


def test_an_error_a_new_epoch_another_ledger_and_noise_always_go_on() -> None:
    payloads = [
        ack(5, error="gap"),
        ack(10),
        ack(4, epoch=2),
        ack(1, ledger="f" * 32),
        b"{",
        ack(20),
    ]
    assert superseded(payloads) == {1}


def test_one_alone_goes_on_whatever_it_is() -> None:
    assert superseded([b"noise"]) == set() == superseded([])


def test_judging_what_goes_on_ends_where_judging_all_does() -> None:
    """In whatever order two receivers overtake each other."""
    for seed in range(50):
        lots = random.Random(seed)
        payloads = [
            ack(
                lots.randrange(40),
                epoch=lots.choice((1, 1, 2)),
                error=lots.choice((None, None, "gap")),
            )
            for _ in range(lots.randrange(1, 12))
        ]
        spared = superseded(payloads)
        ends = []
        for asked in (payloads, [p for n, p in enumerate(payloads) if n not in spared]):
            station = Book()
            station.weigh(50)
            for payload in asked:
                station.judge(payload)
            ends.append((station.epoch, station.watermark))
        assert ends[0] == ends[1]

"""Whose a card is, through power cuts, damaged files and new ledgers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from ledger_site import DAY_MS, Site

from kiosk.cards.holders import FILE, CardHolders
from kiosk.cards.local import ClosedHere
from kiosk.core.cards.facts import of_items
from kiosk.core.effects import Item
from kiosk.core.entries import CardAccount, CardBegun, CardClosed, CardJoined
from kiosk.ledger import Ledger

ANN, NEW, OLD, HOME = b"a" * 16, b"n" * 16, b"o" * 16, b"h" * 16
BEGUN = [Item(CardBegun(None), ANN)]
REPLACED = [
    Item(CardClosed(None, "replaced"), OLD),
    Item(CardAccount(None), HOME),
    Item(CardJoined(None, 0), NEW, back=1),
]


class Station:
    """A ledger, and what is known of cards beside it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.folder / "cards"
        self.ledger: Ledger
        self.holders: CardHolders
        self.start()

    def start(self) -> None:
        self.ledger = self.site.open()
        self.closed = ClosedHere(self.folder)
        self.holders = CardHolders(self.folder, self.closed)
        self.holders.open(self.site.folder, self.ledger.ledger_id, self.ledger.head[0])

    def stop(self) -> None:
        self.holders.close()
        self.ledger.close()

    def commit(self, items: Sequence[Item], *, cut: bool = False) -> None:
        """``cut``: the power goes between the ledger's commit and the other file's."""
        seqs = self.ledger.append(items)
        if cut:
            self.again()
        else:
            self.holders.committed(of_items(items), self.ledger.ledger_id, seqs[-1])

    def again(self) -> None:
        self.stop()
        self.start()

    def knows(self) -> tuple[object, ...]:
        holders = self.holders
        return (
            holders.holding(ANN),
            holders.account(ANN),
            holders.account(NEW),
            holders.holding(NEW),
            OLD in self.closed,
            holders.holding(b"x" * 16),
        )


ALL = ("held", None, HOME, "held", True, "spare")


@pytest.fixture
def station(site: Site) -> Iterator[Station]:
    made = Station(site)
    yield made
    made.stop()


def test_what_was_committed_is_known_at_once_and_after_a_start(station: Station) -> None:
    station.commit(BEGUN)
    station.commit(REPLACED)
    assert station.knows() == ALL
    station.again()
    assert station.knows() == ALL


@pytest.mark.parametrize("cut", [(True, True), (True, False), (False, True)])
def test_a_power_cut_between_the_ledger_and_its_neighbour_loses_nobodys_card(
    station: Station, cut: tuple[bool, bool]
) -> None:
    station.commit(BEGUN, cut=cut[0])
    station.commit(REPLACED, cut=cut[1])
    station.again()
    assert station.knows() == ALL


def test_a_file_that_is_lost_or_damaged_is_made_again_from_the_ledger(station: Station) -> None:
    station.commit(BEGUN)
    station.commit(REPLACED)
    for damage in (None, b"not a database" * 400):
        station.stop()
        for file in station.folder.glob(f"{FILE}*"):
            file.unlink()
        (station.folder / "closed-here").unlink()
        if damage is not None:
            (station.folder / FILE).write_bytes(damage)
        station.start()
        assert station.knows() == ALL


def test_cards_go_on_in_a_new_ledger_and_are_found_in_those_that_ended(station: Station) -> None:
    station.commit(BEGUN)
    station.commit(REPLACED)
    first = station.ledger.ledger_id
    beyond = station.site.ack(station.ledger, 1_000, head=b"x" * 32)
    assert station.ledger.accept_ack(beyond).restart
    station.again()
    assert station.ledger.ledger_id != first
    assert station.knows() == ALL
    station.stop()
    (station.folder / FILE).unlink()
    station.start()
    assert station.knows() == ALL


def test_a_full_disk_is_caught_up_with_at_the_next_start(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    """The file beside the ledger cannot be written; the card counts all the same."""
    station.holders.close()
    with closing(sqlite3.connect(station.folder / FILE, isolation_level=None)) as other:
        station.holders.open(station.site.folder, station.ledger.ledger_id, 1)
        other.execute("BEGIN EXCLUSIVE")
        station.commit(BEGUN)
        assert station.holders.holding(ANN) == "held"
        assert "could not be kept yet" in caplog.text
        other.execute("ROLLBACK")
    station.commit(REPLACED)
    station.again()
    assert station.knows() == ALL


def test_a_seal_of_a_card_does_not_age_with_the_days(station: Station) -> None:
    station.commit(BEGUN)
    station.commit(REPLACED)
    station.site.clock.utc_ms += 400 * DAY_MS
    assert station.ledger.forget_due(0) == 0
    station.stop()
    (station.folder / FILE).unlink()
    station.start()
    assert station.knows() == ALL


def test_the_entries_hold_no_pseudonym_and_name_the_accounts_place(station: Station) -> None:
    station.commit(REPLACED)
    with closing(sqlite3.connect(station.site.database)) as db:
        bodies = [b for (b,) in db.execute("SELECT body FROM ledger ORDER BY seq")][-3:]
    kinds = [(e["kind"], e["seq"], e.get("of")) for e in map(json.loads, bodies)]
    assert [kind for kind, _, _ in kinds] == ["card_closed", "card_account", "card_joined"]
    assert kinds[2][2] == kinds[1][1]
    for name in (NEW, OLD, HOME):
        assert name.hex() not in "".join(bodies)

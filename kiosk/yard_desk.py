"""The caretaker's desk at the stock yard: what may be written down, and who writes it.

While the station runs it writes, asked through the control socket; when it does not, whoever asks becomes
the station's user, takes the ledger's lock and writes. What is looked at is the ledger's own file.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from kiosk.core.days import date_of, day_number
from kiosk.core.errors import OperatorError
from kiosk.core.stock import ItemStock
from kiosk.core.yard import AnyStock, Pickup
from kiosk.ledger.stocked import Move
from kiosk.tomlfile.problem import short

if TYPE_CHECKING:
    from kiosk.settings import Settings

STOCKED = 6
"""The schema that has the yard's tables."""
ANSWER_S = 10.0
LOCK_S = 3.0


class Yard(msgspec.Struct, frozen=True):
    """Every item's books, and the last pickups and sales, oldest first."""

    items: dict[str, ItemStock]
    moves: tuple[Move, ...]

    def move(self, seq: int) -> Move | None:
        return next((one for one in self.moves if one.seq == seq), None)


def look(settings: Settings, last: int) -> Yard:
    """The yard now. Raises OperatorError (no ledger yet, one of an older program), StorageError."""
    from kiosk.ledger import stocked
    from kiosk.ledger.reading import reading
    from kiosk.offline import become_owner

    become_owner(settings.paths.data)
    with reading(settings.paths.data) as db:
        (schema,) = db.execute("PRAGMA user_version").fetchone()
        if schema < STOCKED:
            raise OperatorError(
                "stock_older_ledger",
                "The ledger was written by an older version, which kept no stock.",
                "Start the station once (sudo systemctl start kiosk-station).",
            )
        return Yard(stocked.read(db), tuple(stocked.moves(db, last)))


def check_item(settings: Settings, item: str, known: Collection[str]) -> None:
    """OperatorError where neither a bin of this station nor its books have the item."""
    names = list(dict.fromkeys([*(one.item for one in settings.bins), *known]))
    if item not in names:
        raise OperatorError(
            "no_such_item",
            f"This station has no item {short(item)}.",
            f"Its items are: {', '.join(names)}.",
            item=short(item),
            names=", ".join(names),
        )


def check_void(move: Move | None, seq: int) -> Move:
    """The pickup or sale that is to be taken back; OperatorError where there is none, or it was."""
    if move is None:
        raise OperatorError(
            "no_such_move",
            f"Entry {seq} is no pickup and no sale of the last ones.",
            "kiosk stock list shows their numbers.",
            seq=seq,
        )
    if move.voided is not None:
        raise OperatorError(
            "move_voided",
            f"Entry {seq} was taken back already (by entry {move.voided}).",
            "Nothing has to be done.",
            seq=seq,
            by=move.voided,
        )
    return move


def check_day(day: str | None, today: int | None) -> None:
    """OperatorError where a paper is of a day that has not come. ``today`` in days since 1970-01-01, None
    where the clock cannot be believed: then nobody knows."""
    if day is not None and today is not None and day_number(date.fromisoformat(day)) > today:
        raise OperatorError(
            "paper_of_tomorrow",
            f"{day} has not come yet (today is {date_of(today).isoformat()}).",
            "Give the day that stands on the paper; is its year right?",
            day=day,
            today=date_of(today).isoformat(),
        )


def bags_here(stock: ItemStock, bags: int | None) -> int:
    """How many bags a pickup is of: as said, else all that are stored. OperatorError where none is."""
    if bags is not None:
        return bags
    if stock.stored.bags == 0:
        raise OperatorError(
            "no_bags",
            "The books know no stored bag of this item, so how many went has to be said.",
            "Add --bags NUMBER.",
        )
    return stock.stored.bags


def write(settings: Settings, entry: AnyStock) -> int:
    """Writes it down; its seq. Raises OperatorError, StorageError."""
    from kiosk.control import ControlClient

    try:
        with ControlClient(settings.paths.socket, timeout_s=ANSWER_S) as client:
            answer = client.call("stock", entry=msgspec.to_builtins(entry))
            seq: int = answer["seq"]
            return seq
    except OperatorError as error:
        if error.code != "station_unreachable":
            raise
    return _at_rest(settings, entry)


def _at_rest(settings: Settings, entry: AnyStock) -> int:
    from kiosk import recording
    from kiosk.clock import StationClock
    from kiosk.core.effects import Item
    from kiosk.ledger import hold
    from kiosk.offline import become_owner

    become_owner(settings.paths.data)
    place = hold(settings.paths.data, LOCK_S)
    ledger = recording.open_ledger(settings, StationClock(settings.station.timezone), place)
    try:
        (seq,) = ledger.append([Item(entry)])
    finally:
        ledger.close()
    return seq


def beyond(entry: AnyStock, stock: ItemStock) -> int:
    """Bags of a pickup that the books do not know."""
    return max(0, entry.bags - stock.stored.bags) if isinstance(entry, Pickup) else 0

"""The stock yard as people read it, and as programs do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import msgspec

from kiosk.cli.call import Call
from kiosk.cli.sentences import UNKNOWN
from kiosk.cli.tables import item_names, table
from kiosk.cli.time_words import told_time
from kiosk.core.stock import Bags, ItemStock
from kiosk.core.yard import AnyStock, Pickup, Sale
from kiosk.ledger.stocked import Move

if TYPE_CHECKING:
    from kiosk.yard_desk import Yard

HEAD = ("item", "taken_in", "other", "bins", "stored", "picked", "sold")


def plain(found: Yard) -> dict[str, Any]:
    """For a program: whole grams, and nothing that is only for the screen."""
    hidden = ("ever", "month", "day")
    items = {
        code: {
            name: value for name, value in msgspec.to_builtins(one).items() if name not in hidden
        }
        for code, one in found.items.items()
    }
    fields = Move.__struct_fields__
    moves = [{name: getattr(one, name) for name in fields} for one in found.moves]
    return {"items": items, "moves": moves}


def yard(call: Call, found: Yard) -> None:
    """Two tables: the items' books, whose columns add up, and the last pickups and sales."""
    if not found.items:
        call.say("stock.nothing")
        return
    names = item_names(call)
    rows = [[call.words(f"stock.{name}") for name in HEAD]]
    rows += [_row(call, names.get(code, code), one) for code, one in found.items.items()]
    table(rows)
    call.say("stock.sum")
    if not found.moves:
        return
    click.echo()
    zone = ZoneInfo(call.settings.station.timezone)
    table([_move(call, one, names, zone) for one in found.moves])


def written(call: Call, seq: int, entry: AnyStock) -> None:
    """One line for what was written down, and how to take it back."""
    names = item_names(call)
    if isinstance(entry, Pickup):
        name = names.get(entry.item, entry.item)
        call.say("stock.picked_up", seq=seq, item=name, bags=entry.bags, weight=kg(entry.net_g))
    elif isinstance(entry, Sale):
        name = names.get(entry.item, entry.item)
        call.say("stock.sale", seq=seq, item=name, weight=kg(entry.net_g), yen=f"{entry.yen:,}")
    else:
        call.say("stock.undone", seq=seq, of=entry.of)
        return
    call.say("stock.undo_hint", seq=seq)


def kg(grams: int | None) -> str:
    return UNKNOWN if grams is None else f"{grams / 1000:,.3f} kg"


def _row(call: Call, name: str, one: ItemStock) -> list[str]:
    taken = kg(one.taken_in.g) if one.taken_in.weighings else UNKNOWN
    if one.taken_in.pieces:
        taken = f"{taken} {call.words('stock.pieces', count=one.taken_in.pieces)}"
    sold = (
        f"{kg(one.sold_g)} {call.words('stock.yen', yen=f'{one.yen:,}')}" if one.sales else UNKNOWN
    )
    return [
        name,
        taken,
        kg(one.other_g),
        kg(one.bins_g),
        _bags(call, one.stored),
        _bags(call, one.picked),
        sold,
    ]


def _bags(call: Call, bags: Bags) -> str:
    if bags.bags == 0:
        return UNKNOWN
    weight = kg(bags.g) if bags.bags > bags.unweighed else UNKNOWN
    said = call.words("stock.bags", bags=bags.bags, weight=weight)
    if bags.unweighed and bags.bags > bags.unweighed:
        said += call.words("stock.unweighed", bags=bags.unweighed)
    return said


def _move(call: Call, one: Move, names: dict[str, str], zone: ZoneInfo) -> list[str]:
    at = {"utc_ms": one.utc_ms, "clock": "synced" if one.known else "unsynced"}
    more = call.words("stock.yen", yen=f"{one.yen:,}") if one.yen is not None else ""
    if one.bags is not None:
        more = call.words("stock.count", bags=one.bags)
    return [
        f"{one.seq}",
        one.date or told_time(call.words, at, zone),
        call.words(f"entry.{one.kind}"),
        names.get(one.item, one.item),
        kg(one.net_g),
        more,
        one.who or "",
        "" if one.voided is None else call.words("stock.voided", seq=one.voided),
    ]

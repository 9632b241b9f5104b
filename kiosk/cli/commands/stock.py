"""``kiosk stock``: what lies in the stock yard, what was picked up, what was sold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from kiosk.cli.call import Call
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import SpokenGroup
from kiosk.cli.values import CalendarDay, Real, Whole
from kiosk.core.yard import MAX_BAGS, MAX_TEXT, AnyStock, Line, Pickup, Sale, StockVoid
from kiosk.tomlfile.problem import short

if TYPE_CHECKING:
    from kiosk.yard_desk import Yard

LAST = 20
MAX_MOVES = 1_000
MAX_KG = 1_000_000
MAX_YEN = 1_000_000_000


def add(app: click.Group) -> None:
    app.add_command(stock)


@click.group(cls=SpokenGroup)
def stock() -> None: ...


@stock.command("list")
@click.option("--count", type=Whole(1, MAX_MOVES), default=LAST, metavar="N")
@click.pass_obj
def stock_list(call: Call, count: int) -> None:
    from kiosk.cli import stock_page
    from kiosk.yard_desk import look

    yard = look(call.settings, count)
    if call.json:
        call.write(stock_page.plain(yard))
    else:
        stock_page.yard(call, yard)


@stock.command("pickup")
@click.argument("item", metavar="ITEM")
@click.option("--bags", type=Whole(1, MAX_BAGS), metavar="N")
@click.option("--kg", type=Real(0.001, MAX_KG), metavar="KG")
@click.option("--to", "to", metavar="NAME")
@click.pass_obj
def stock_pickup(call: Call, item: str, bags: int | None, kg: float | None, to: str | None) -> None:
    from kiosk import yard_desk
    from kiosk.core.stock import ItemStock

    yard = yard_of(call, item)
    now = yard.items.get(item, ItemStock())
    net_g = None if kg is None else grams(kg)
    entry = Pickup(item, yard_desk.bags_here(now, bags), net_g, line("--to", to))
    beyond = yard_desk.beyond(entry, now)
    written(call, entry, bags=entry.bags, beyond=beyond)
    if beyond:
        call.say("stock.beyond", beyond=beyond, known=now.stored.bags)


@stock.command("sale")
@click.argument("item", metavar="ITEM")
@click.option("--kg", type=Real(0.001, MAX_KG), required=True, metavar="KG")
@click.option("--yen", type=Whole(0, MAX_YEN), required=True, metavar="YEN")
@click.option("--buyer", metavar="NAME")
@click.option("--date", "day", type=CalendarDay(), metavar="DATE")
@click.pass_obj
def stock_sale(
    call: Call, item: str, kg: float, yen: int, buyer: str | None, day: str | None
) -> None:
    from kiosk.clock import StationClock
    from kiosk.yard_desk import check_day

    yard_of(call, item)
    check_day(day, StationClock(call.settings.station.timezone).today())
    written(call, Sale(item, grams(kg), yen, line("--buyer", buyer), day))


@stock.command("undo")
@click.argument("seq", type=Whole(2, 2**53), metavar="NUMBER")
@click.option("--reason", required=True)
@click.pass_obj
def stock_undo(call: Call, seq: int, reason: str) -> None:
    from kiosk.yard_desk import check_void, look

    said = line("--reason", reason)
    assert said is not None, "click has asked for it"
    of = check_void(look(call.settings, MAX_MOVES).move(seq), seq)
    written(call, StockVoid(seq, said), of=of.seq, item=of.item)


def yard_of(call: Call, item: str) -> Yard:
    """The yard, where this station knows the item."""
    from kiosk.yard_desk import check_item, look

    yard = look(call.settings, 1)
    check_item(call.settings, item, yard.items)
    return yard


def written(call: Call, entry: AnyStock, **values: object) -> None:
    """Writes it, and says under which number it stands."""
    from kiosk.cli import stock_page
    from kiosk.yard_desk import write

    seq = write(call.settings, entry)
    if call.json:
        call.write({"seq": seq, **msgspec.to_builtins(entry), **values})
    else:
        stock_page.written(call, seq, entry)


def grams(kg: float) -> int:
    return round(kg * 1000)


def line(option: str, text: str | None) -> str | None:
    """What goes into an entry as people wrote it; a wrong call where it is no plain line."""
    if text is None:
        return None
    try:
        said: str = msgspec.convert(text.strip(), Line)
        said.encode()
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise wrong_call(
            "line",
            f"{option} is one line of 1 to {MAX_TEXT} letters, not {short(text)}.",
            option=option,
            most=MAX_TEXT,
            value=short(text),
        ) from None
    return said

"""``kiosk close``, ``kiosk open`` and ``kiosk message``: the whole station, for people who come."""

from __future__ import annotations

import click

from kiosk.cli.call import Call
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import Spoken
from kiosk.core.orders import MAX_TEXT
from kiosk.tomlfile.problem import short

MAX_DAYS = 366
DAY_MS = 24 * 3600 * 1000


def add(app: click.Group) -> None:
    app.add_command(close)
    app.add_command(open_)
    app.add_command(message)


@click.command("close", cls=Spoken)
@click.option("--reason")
@click.pass_obj
def close(call: Call, reason: str | None) -> int:
    return ordered(call, "close", reason)


@click.command("open", cls=Spoken)
@click.option("--reason")
@click.pass_obj
def open_(call: Call, reason: str | None) -> int:
    return ordered(call, "open", reason)


@click.command("message", cls=Spoken)
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=7)
@click.option("--clear", is_flag=True)
@click.pass_obj
def message(call: Call, text: str | None, days: int, clear: bool) -> int:
    import time

    from kiosk.cli import asking

    if clear == (text is not None):
        raise wrong_call("text_or_clear", "Either a sentence is given, or --clear takes it away.")
    now_ms = int(time.time() * 1000)
    order = {
        "op": "message",
        "text": words(call, text, "TEXT"),
        "until_ms": now_ms if clear else now_ms + days * DAY_MS,
    }
    answer = asking.ask(call.settings, "order", order=order)
    if call.json:
        call.write({"op": "message", "code": answer["code"]})
    else:
        call.say("ordered.message_cleared" if clear else "ordered.message", days=days)
    return 0


def ordered(call: Call, op: str, reason: str | None) -> int:
    from kiosk.cli import asking

    answer = asking.ask(call.settings, "order", order={"op": op, "reason": words(call, reason)})
    if call.json:
        call.write({"op": op, "code": answer["code"]})
    else:
        call.say(f"ordered.{op}")
    return 0


def words(call: Call, reason: str | None, name: str = "--reason") -> dict[str, str] | None:
    """The sentence in the station's language; a wrong call where the screen cannot show it."""
    if reason is None:
        return None
    import msgspec

    from kiosk.core.orders import Close

    said: dict[str, str] = {call.settings.station.language: reason}
    try:
        msgspec.convert({"op": "close", "reason": said}, Close)
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise wrong_call(
            "sentence",
            f"{name} is one line of at most {MAX_TEXT} half-width letters, not {short(reason)}.",
            most=MAX_TEXT,
            value=short(reason),
            name=name,
        ) from None
    return said

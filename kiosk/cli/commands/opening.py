"""``kiosk close`` and ``kiosk open``: the whole station, for people who come."""

from __future__ import annotations

import click

from kiosk.cli.call import Call
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import Spoken
from kiosk.core.orders import MAX_TEXT
from kiosk.tomlfile.problem import short


def add(app: click.Group) -> None:
    app.add_command(close)
    app.add_command(open_)


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


def ordered(call: Call, op: str, reason: str | None) -> int:
    from kiosk.cli import asking

    answer = asking.ask(call.settings, "order", order={"op": op, "reason": words(call, reason)})
    if call.json:
        call.write({"op": op, "code": answer["code"]})
    else:
        call.say(f"ordered.{op}")
    return 0


def words(call: Call, reason: str | None) -> dict[str, str] | None:
    """The reason in the station's language; a wrong call where the screen cannot show it."""
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
            f"--reason is one line of at most {MAX_TEXT} half-width letters, not {short(reason)}.",
            most=MAX_TEXT,
            value=short(reason),
        ) from None
    return said

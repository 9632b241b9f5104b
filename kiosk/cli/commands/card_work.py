"""``kiosk card replace`` and ``revoke``: what a running station does with a card before its reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from kiosk.cli.call import Call
from kiosk.cli.refusals import wrong_call
from kiosk.cli.spoken import Spoken

WAIT_S = 45.0
"""The station waits for a card for 30 s."""


@click.command("replace", cls=Spoken)
@click.argument("code", metavar="[CODE]...", nargs=-1)
@click.pass_obj
def card_replace(call: Call, code: tuple[str, ...]) -> None:
    told(call, "card_replace", {"code": typed(code)}, "cards.replaced")


@click.command("revoke", cls=Spoken)
@click.argument("code", metavar="[CODE]...", nargs=-1)
@click.option("--show", is_flag=True)
@click.option("--reason", type=click.Choice(("lost", "revoked")), default="lost")
@click.pass_obj
def card_revoke(call: Call, code: tuple[str, ...], show: bool, reason: str) -> None:
    if show == bool(code):
        raise wrong_call(
            "code_or_show",
            "Either the code of the slip is given, or --show and then the card itself is shown.",
        )
    told(call, "card_close", {"code": typed(code), "cause": reason}, "cards.revoked")


def typed(words: tuple[str, ...]) -> str | None:
    """The code as it was typed, its groups apart or not; a slip of the finger is told at once."""
    if not words:
        return None
    from kiosk.core.cards import recovery
    from kiosk.nodump import no_core_dumps

    no_core_dumps()
    code = " ".join(words)
    recovery.typed_values(code)
    return code


def told(call: Call, op: str, args: dict[str, Any], done: str) -> None:
    for item in asked(call, op, args):
        if call.json:
            call.write_each([item])
        elif "show" in item:
            call.say(f"cards.show_{item['show']}", wait_s=item["wait_s"])
        else:
            call.say(done)


def asked(call: Call, op: str, args: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from kiosk.control.client import ControlClient

    with ControlClient(call.settings.paths.socket, timeout_s=WAIT_S) as client:
        yield from client.stream(op, **args)

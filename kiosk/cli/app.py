"""The program: its group of commands, and how every call ends.

Exit 0 done; 1 it found something wrong (a device, the disk, the city, a station that does not
run); 2 the call or the settings are wrong. A ``KioskError`` is two sentences, never a traceback;
anything else is our own bug and is not hidden.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from kiosk.cli.call import Call
from kiosk.cli.commands import (
    bag,
    card,
    caretaker,
    config,
    labels,
    ledger,
    lesson,
    opening,
    scale,
    service,
    state,
    stock,
)
from kiosk.cli.refusals import translated
from kiosk.cli.spoken import SpokenGroup, remember
from kiosk.core.errors import KioskError, OperatorError
from sync import output

DONE = 0
FOUND = 1
WRONG_CALL = 2

NOT_THE_CALLS_FAULT = frozenset(
    {
        "station_unreachable",
        "station_silent",
        "already_running",
        "busy",
        "station_busy",
        "port_busy",
    }
)
"""Errors that the operator mends and that are no mistake in the call or the settings."""


@click.group(cls=SpokenGroup, invoke_without_command=True)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    expose_value=False,
    callback=remember,
)
@click.pass_context
def app(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        from kiosk.cli.menu import menu

        menu(ctx)


for module in (
    state,
    service,
    scale,
    card,
    caretaker,
    bag,
    stock,
    opening,
    lesson,
    ledger,
    labels,
    config,
):
    module.add(app)


def main(args: Sequence[str] | None = None) -> int:
    """Runs one call and gives its exit code."""
    output.prepare()
    words = list(sys.argv[1:] if args is None else args)
    call = Call.of(words)
    return output.ended(lambda: answered(call, words), lambda why: call.tell(no_output(why)))


def answered(call: Call, words: list[str]) -> int:
    """The call's exit code; what went wrong is told."""
    try:
        code = app.main(args=words, prog_name="kiosk", obj=call, standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except click.ClickException as error:
        call.refuse(translated(error))
        return WRONG_CALL
    except KioskError as error:
        call.refuse(error)
        mistaken = isinstance(error, OperatorError) and error.code not in NOT_THE_CALLS_FAULT
        return WRONG_CALL if mistaken else FOUND
    except (click.Abort, KeyboardInterrupt):
        return DONE


def no_output(reason: str) -> OperatorError:
    return OperatorError(
        "output_failed",
        f"Standard output cannot be written ({reason}).",
        "Look at where it goes: a full disk, or a closed one.",
        reason=reason,
    )

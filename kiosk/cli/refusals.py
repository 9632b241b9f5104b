"""What is wrong with a call, in words that the catalogues have too.

click's own sentences are English and change from version to version; so each of its refusals becomes
one of ours, by what it is about and not by what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from kiosk.core.errors import OperatorError
from kiosk.tomlfile.problem import short

TODO = "See kiosk --help, or kiosk COMMAND --help."


def wrong_call(case: str, what: str, **values: object) -> OperatorError:
    """``case`` names the translation (``error.wrong_call_CASE``)."""
    return OperatorError("wrong_call", what, TODO, case=case, **values)


def no_such_command(path: str, known: Iterable[str]) -> OperatorError:
    """``path`` the words as they were typed."""
    names = ", ".join(known)
    return wrong_call(
        "command",
        f"There is no command {short(path)} (there are: {names}).",
        command=short(path),
        names=names,
    )


def translated(error: click.ClickException) -> OperatorError:
    """One of click's refusals as one of ours."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    parameter = name_of(getattr(error, "param", None), ctx)
    if isinstance(error, click.NoSuchOption):
        return wrong_call(
            "option",
            f"There is no option {short(error.option_name)}.",
            option=short(error.option_name),
        )
    if isinstance(error, click.BadOptionUsage):
        return wrong_call(
            "value",
            f"{short(error.option_name)} needs a value after it, or takes none.",
            option=short(error.option_name),
        )
    if isinstance(error, click.MissingParameter):
        return wrong_call("missing", f"{parameter} is missing.", parameter=parameter)
    if isinstance(error, click.BadParameter):
        if isinstance(getattr(error.param, "type", None), click.Choice):
            choices = ", ".join(error.param.type.choices)  # type: ignore[union-attr]
            return wrong_call(
                "choice",
                f"{parameter} is one of: {choices}.",
                parameter=parameter,
                choices=choices,
            )
    elif ctx is not None and isinstance(ctx.command, click.Group):
        path = ctx.command_path
        names = ", ".join(ctx.command.commands)
        return wrong_call(
            "incomplete",
            f"{path} needs a command after it ({names}).",
            path=path,
            names=names,
        )
    elif extra := re.search(r"\((.*)\)", error.format_message()):
        return wrong_call("extra", f"{short(extra[1])} is too much.", extra=short(extra[1]))
    what = error.format_message().rstrip(".") + "."
    return OperatorError("wrong_call", what, TODO)


def name_of(parameter: click.Parameter | None, ctx: click.Context | None) -> str:
    """``--max-g``, or an argument as the help page has it."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    if parameter is None or ctx is None:
        return "?"
    return parameter.make_metavar(ctx)

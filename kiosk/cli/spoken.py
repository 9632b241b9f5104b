"""click commands whose help stands in the text catalogues, and which all take the common options.

A command is named by its whole path (``ledger verify``); its help is the text ``help.ledger verify``
and an option's is ``option.NAME``, or ``option.ledger verify.NAME`` where it differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click

from kiosk.cli.call import Call
from kiosk.cli.refusals import no_such_command
from kiosk.cli.texts import Language

DAILY = (
    "status",
    "doctor",
    "watch",
    "scale list",
    "scale zeroed",
    "bag swap",
    "sync status",
    "ledger verify",
    "ledger show",
    "config check",
)
"""The ten that ``kiosk --help`` and the menu show."""


def remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keeps a common option, given at any position."""
    if value is not None and value is not False:
        setattr(ctx.ensure_object(Call), parameter.name or "", value)


def common_options() -> list[click.Parameter]:
    def option(*names: str, **more: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=remember, **more)

    return [
        option("--json", is_flag=True),
        option("--config", type=click.Path(path_type=Path), metavar="FILE"),
        option("--lang", type=click.Choice(get_args(Language))),
    ]


def path_of(ctx: click.Context) -> str:
    """The command's words without the program's: ``ledger verify``; empty for ``kiosk``."""
    return ctx.command_path.partition(" ")[2]


class Spoken(click.Command):
    """A command with the common options and its words in the catalogues."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.params += common_options()

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        words = ctx.ensure_object(Call).words
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write(words("helppage.usage", call=f"{ctx.command_path} {pieces}") + "\n")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        words = ctx.ensure_object(Call).words
        formatter.write(f"\n{words('help.' + (path_of(ctx) or 'kiosk'))}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        words = ctx.ensure_object(Call).words
        rows = []
        for parameter in self.get_params(ctx):
            if not isinstance(parameter, click.Option):
                continue
            name = max(parameter.opts, key=len)
            text = words.get(f"option.{path_of(ctx)}.{name}") or words(f"option.{name}")
            rows.append((shape(parameter, ctx), text))
        formatter.write("\n" + words("helppage.options") + "\n")
        write_rows(formatter, rows)


def write_rows(formatter: click.HelpFormatter, rows: list[tuple[str, str]]) -> None:
    """Each name and below it its words: Japanese has no spaces to wrap a narrow column at."""
    for left, right in rows:
        formatter.write(f"  {left}\n      {right}\n")


class SpokenGroup(Spoken, click.Group):
    """A group; its help lists what is below it, each with its words."""

    command_class = Spoken

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, no_args_is_help=False, **more)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise no_such_command(f"{path_of(ctx)} {name}".strip(), self.commands)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        call = ctx.ensure_object(Call)
        own = path_of(ctx)
        names = [name for name, _ in paths(self, own)]
        if not own and not call.everything:
            names = [name for name in DAILY if name in names]
        title = "helppage.commands" if own or call.everything else "helppage.daily"
        formatter.write("\n" + call.words(title) + "\n")
        write_rows(formatter, [(name, call.words(f"help.{name}")) for name in names])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        Spoken.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)


def shape(option: click.Option, ctx: click.Context) -> str:
    """``--ack FILE``; a choice shows its choices."""
    names = ", ".join(option.opts)
    return names if option.is_flag else f"{names} {option.make_metavar(ctx)}"


def paths(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below that does something, by its path."""
    for name, command in group.commands.items():
        path = f"{prefix} {name}".strip()
        if isinstance(command, click.Group):
            yield from paths(command, path)
        else:
            yield path, command

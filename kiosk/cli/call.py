"""One call of the command line: how it wants to be answered, and how it answers."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from kiosk.cli.texts import Language, Words
from kiosk.core.errors import KioskError, OperatorError
from sync.output import complain

if TYPE_CHECKING:
    from kiosk.settings import Settings

SEARCHED = (Path("station.toml"), Path("/etc/kiosk/station.toml"))
"""Where the settings are looked for when neither ``--config`` nor ``$KIOSK_CONFIG`` names them."""


ESCAPED = re.compile(r"[\udc80-\udcff]+")
"""What Python makes of bytes that are no text in its locale's encoding (PEP 383)."""
LONE = re.compile(r"[\ud800-\udfff]")


@dataclass
class Call:
    """The options that every command has, and what follows from them."""

    json: bool = False
    config: Path | None = None
    lang: Language | None = None
    everything: bool = field(default=False)
    """``--all``: help with every command."""

    @classmethod
    def of(cls, args: Sequence[str]) -> Call:
        """The common options wherever they stand, so that even a wrong call is answered as asked.

        click reads them again at their place and refuses what is wrong with them.
        """
        call = cls()
        words = list(args[: args.index("--")]) if "--" in args else list(args)
        call.json = "--json" in words
        call.everything = "--all" in words
        for name in ("--lang", "--config"):
            value = option(words, name)
            if name == "--lang" and value in get_args(Language):
                call.lang = value  # type: ignore[assignment]
            elif name == "--config" and value:
                call.config = Path(value)
        return call

    @property
    def file(self) -> Path:
        """The settings file; OperatorError where there is none."""
        if self.config is not None:
            return self.config
        if os.environ.get("KIOSK_CONFIG"):
            return Path(os.environ["KIOSK_CONFIG"])
        for path in SEARCHED:
            try:
                if path.is_file():
                    return path
            except PermissionError:
                return path  # there or not: that this user may not know is said on reading it
        raise OperatorError(
            "no_settings",
            "There is no settings file: no ./station.toml and no /etc/kiosk/station.toml.",
            "Name one with --config FILE.",
        )

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked; OperatorError naming what is wrong."""
        from kiosk import settings

        return settings.load(self.file)

    @cached_property
    def words(self) -> Words:
        """The texts in the language asked for, else the station's, else Japanese."""
        if self.lang is not None:
            return Words(self.lang)
        try:
            return Words(self.settings.station.language)
        except OperatorError:
            # Told by the command itself, if it needs the settings at all.
            return Words("ja")

    def say(self, key: str, **values: object) -> None:
        """A line for a person, from the catalogue; nothing with ``--json``."""
        if not self.json:
            click.echo(self.words(key, **values))

    def write(self, *values: object) -> None:
        """JSON lines for a program."""
        for value in values:
            click.echo(json_line(value))

    def write_each(self, values: Iterable[object]) -> None:
        """JSON lines as they come, each at once."""
        for value in values:
            self.write(value)
            sys.stdout.flush()

    def refuse(self, error: KioskError) -> None:
        """An error: two sentences on standard error; with ``--json`` a value on standard output."""
        if self.json:
            what, todo = self.words.error(error)
            self.write({"error": {"code": error.code, "what": what, "todo": todo}})
        else:
            self.tell(error)

    def tell(self, error: KioskError) -> None:
        """Two sentences on standard error, whoever may read them there."""
        what, todo = self.words.error(error)
        complain(self.words("line.error", what=what, todo=todo))


def option(words: Sequence[str], name: str) -> str | None:
    """The value of the last ``name VALUE`` or ``name=VALUE``."""
    found = None
    for index, word in enumerate(words):
        if word == name and index + 1 < len(words):
            found = words[index + 1]
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2]
    return found


def json_line(value: object) -> str:
    """One line of JSON, in UTF-8 whatever stands in it and in any locale: a byte of a file name that is
    none, say FF, is written as the escape ``\\udcff``."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = ESCAPED.sub(lambda found: _as_utf8(found[0]), text)
    return LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _as_utf8(escaped: str) -> str:
    return escaped.encode(errors="surrogateescape").decode(errors="surrogateescape")

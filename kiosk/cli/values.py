"""Values on the command line: bounded, and refused in the caller's language."""

from __future__ import annotations

import errno
import math
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kiosk.cli.refusals import name_of, wrong_call
from kiosk.tomlfile.problem import short

Parameter = click.Parameter | None
Context = click.Context | None
WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
REAL = re.compile(r"[+-]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?", re.ASCII)


class Whole(click.ParamType[int]):
    """A whole number from ``least`` to ``most``."""

    name = "whole"

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: Parameter, ctx: Context) -> int:
        text = str(value).strip()
        number = int(text) if WHOLE.fullmatch(text) else None
        if number is None or not self.least <= number <= self.most:
            option = name_of(param, ctx)
            raise wrong_call(
                "whole",
                f"{option} takes a whole number from {self.least} to {self.most}, "
                f"not {short(value)}.",
                option=option,
                least=self.least,
                most=self.most,
                value=short(value),
            )
        return number


class Real(click.ParamType[float]):
    """A number from ``least`` to ``most``; with ``either_sign`` these bound its size."""

    name = "real"

    def __init__(self, least: float, most: float, *, either_sign: bool = False) -> None:
        self.least = least
        self.most = most
        self.either_sign = either_sign

    def convert(self, value: Any, param: Parameter, ctx: Context) -> float:
        text = str(value).strip()
        number = float(text) if REAL.fullmatch(text) else math.nan
        size = abs(number) if self.either_sign else number
        if not self.least <= size <= self.most:  # a NaN is not, either
            option = name_of(param, ctx)
            least, most = plain(self.least), plain(self.most)
            sign = "±" if self.either_sign else ""
            raise wrong_call(
                "real",
                f"{option} takes a number from {sign}{least} to {sign}{most}, not {short(value)}.",
                option=option,
                least=sign + least,
                most=sign + most,
                value=short(value),
            )
        return number


def plain(number: float) -> str:
    """Without an exponent, and no more decimals than it has."""
    return f"{number:f}".rstrip("0").rstrip(".")


class Readable(click.ParamType[Path]):
    """A file that is there and no folder."""

    name = "file"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Path:  # noqa: ARG002
        path = Path(value)
        if reason := unreadable(path):
            raise wrong_call(
                "file",
                f"{short(value)} cannot be read ({reason}).",
                file=short(value),
                reason=reason,
            )
        return path


class Target(click.ParamType[Path]):
    """Where a file is to be written. An empty one (a variable that nobody set) would be the working
    folder."""

    name = "path"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Path:
        if not str(value).strip():
            option = name_of(param, ctx)
            raise wrong_call("value", f"{option} needs a value after it.", option=option)
        return Path(value)


def unreadable(path: Path) -> str | None:
    """Why not, as the system says it. Not opened: a pipe can be opened only once."""
    try:
        if path.is_dir():
            return os.strerror(errno.EISDIR)
        path.stat()
    except OSError as error:
        return error.strerror
    return None if os.access(path, os.R_OK) else os.strerror(errno.EACCES)


class CalendarDay(click.ParamType[str]):
    """A day as ``2026-11-20``."""

    name = "date"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        try:
            return datetime.strptime(str(value).strip(), "%Y-%m-%d").date().isoformat()
        except ValueError:
            option = name_of(param, ctx)
            raise wrong_call(
                "date",
                f"{option} takes a day as 2026-11-20, not {short(value)}.",
                option=option,
                value=short(value),
            ) from None

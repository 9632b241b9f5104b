"""``kiosk-receiver import``: exports that came on a stick, and the answer that goes back on it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync import stick
from sync.messages import Malformed
from sync.messages.carried import AnswerHead, answer_head
from sync.receiver import city_keys
from sync.receiver.answering import answer, file_name
from sync.receiver.database import opened, require_database, utc_ms
from sync.receiver.importing import Imported, import_file
from sync.receiver.options import (
    city_key,
    database_option,
    json_option,
    key_option,
    print_json,
)
from sync.signing import Signer

MAX_FILES = 1_000


class Target(click.Path):
    """Where something is to be written. An empty one (a variable that nobody set) would be the working
    folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():
            self.fail("It is empty.", param, ctx)
        return super().convert(value, param, ctx)


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=Path)
@click.option(
    "--answer",
    "target",
    type=Target(path_type=Path),
    metavar="PATH",
    help="Write the signed answer here: a file, or a folder for those of several stations.",
)
@database_option
@key_option
@json_option
def import_(
    files: tuple[Path, ...],
    target: Path | None,
    database: str,
    key_file: Path | None,
    as_json: bool,
) -> None:
    """Take in exports of ledgers that were carried by hand; 1 where not all of one is stored."""
    require_database(database)
    if len(files) > MAX_FILES or (target is not None and len(files) > 1 and not target.is_dir()):
        raise OperatorError(
            "several_answers",
            "Each station's answer is a file of its own.",
            f"Name a folder for --answer, and at most {MAX_FILES} files.",
        )
    signer = None if target is None else city_key(database, key_file)
    found: list[tuple[Imported, Path | None]] = []
    with opened(database) as engine:
        if signer is not None:
            city_keys.hold_in(engine, signer.public_key)
        for file in files:
            one = import_file(engine, file)
            answered = None
            if target is not None and signer is not None and one.error != "unknown_key":
                answered = _answer(engine, one, target, signer)
            found.append((one, answered))
    if as_json:
        print_json([asdict(one) | {"answer": path and str(path)} for one, path in found])
    else:
        for one, path in found:
            _say(one, path)
    sys.exit(1 if any(one.error for one, _ in found) else 0)


def _answer(engine: sa.Engine, one: Imported, target: Path, signer: Signer) -> Path:
    head, lines = answer(engine, one, signer, utc_ms())
    path = stick.place(target, file_name(head))
    stick.write(path, lines, ours=lambda line: _of_same(line, head))
    return path


def _of_same(line: bytes, head: AnswerHead) -> bool:
    """Whether a file's first line is that of an answer to the same station."""
    try:
        before = answer_head(line)
    except Malformed:
        return False
    return (before.city, before.station) == (head.city, head.station)


def _say(one: Imported, answered: Path | None) -> None:
    click.echo(
        f"{one.file}: {one.city}/{one.station}  {one.watermark - one.watermark_before} new entries,"
        f" stored up to {one.watermark}"
    )
    if one.filled:
        click.echo(f"    {one.filled} texts and seals of stored entries came after all")
    if one.error is not None:
        at = "" if one.error_seq is None else f" at {one.error_seq}"
        click.echo(f"    {one.error}{at}: {one.words}")
    if answered is not None:
        click.echo(f"    answer: {answered}")

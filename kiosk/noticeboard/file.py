"""``town.toml``, read and read again: the last good one counts, and what is wrong is said with its line.

A missing file is an empty one. One that is broken, or half-written by an editor just now, changes nothing
on the screen; ``kiosk doctor town_file`` and ``kiosk config check`` say what is wrong in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from kiosk.core.catalogue import Catalogue
from kiosk.noticeboard.lines import line_of
from kiosk.noticeboard.pictures import known_pictures
from kiosk.noticeboard.shape import TownFile, misfits
from kiosk.noticeboard.tongues import OWN, as_written, gathered
from kiosk.tomlfile import FileProblem, convert, read_text, tables_of
from kiosk.tomlfile import problems as shape_problems

MAX_BYTES = 65_536
"""Of the file: it is read beside a running scale."""
GONE_LOOKS = 2
"""So many looks in a row find no file before it counts as taken away: an editor may be renaming."""

Signature = tuple[int, int, int, int]


def load(file: Path, languages: Collection[str] = OWN) -> TownFile:
    """The file's content; FileProblem naming place and line of the first thing that is wrong."""
    town, found = _read(file, None, languages)
    for problem in found:
        raise problem
    assert town is not None, "nothing is wrong with it"
    return town


def problems(
    file: Path, catalogue: Catalogue | None = None, *, languages: Collection[str] = OWN
) -> list[FileProblem]:
    """Everything that is wrong in the file; nothing where there is none. ``languages``: the screen's."""
    if signature(file) is None:
        return []
    try:
        return _read(file, catalogue, languages)[1]
    except FileProblem as problem:
        return [problem]


def _read(
    file: Path, catalogue: Catalogue | None, languages: Collection[str]
) -> tuple[TownFile | None, list[FileProblem]]:
    """What stands there, and what is wrong in it; read once, for somebody may be writing it. FileProblem
    where it cannot be read at all."""
    text = read_text(file, most_bytes=MAX_BYTES)
    tables = gathered(tables_of(text, file), languages)
    town, found = None, shape_problems(tables, TownFile, file)
    if not found:
        town = convert(tables, TownFile, file)
        found = list(_misfits(town, file, catalogue, languages))
    return town, [_with_line(one, text, file) for one in found]


def signature(file: Path) -> Signature | None:
    """What changes with the file, who may read it included; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Watched:
    """The file as it is, or as it last was good. One thread looks."""

    def __init__(self, file: Path, languages: Collection[str] = OWN) -> None:
        self._file, self._languages = file, languages
        self._seen: Signature | None = None
        self._gone = 0
        self.town = TownFile()

    def look(self) -> bool:
        """Reads the file where it has changed; whether there is another ``town`` now."""
        found = signature(self._file)
        if found is None:
            self._gone += 1
            taken_away = self._gone == GONE_LOOKS and self.town != TownFile()
            if taken_away:
                self.town, self._seen = TownFile(), None
            return taken_away
        self._gone = 0
        if found == self._seen:
            return False
        self._seen = found
        try:
            town = load(self._file, self._languages)
        except FileProblem:  # said by the doctor, who reads it too
            return False
        changed = town != self.town
        self.town = town
        return changed


def _misfits(
    town: TownFile, file: Path, catalogue: Catalogue | None, languages: Collection[str]
) -> Iterator[FileProblem]:
    for one in misfits(town, known_pictures(), catalogue, languages):
        yield FileProblem(one.code, file, one.place, one.what, one.todo, **one.values)


def _with_line(problem: FileProblem, text: str, file: Path) -> FileProblem:
    """The same, its place with the line where it stands."""
    where = as_written(problem.place)
    line = line_of(text, where)
    if line is None:
        return problem
    what = problem.what.removeprefix(f"{file}: {problem.place}: ")
    values = {key: value for key, value in problem.values.items() if key not in ("file", "place")}
    place = f"{where} (line {line})"
    return FileProblem(problem.code, file, place, what, problem.todo, **values)

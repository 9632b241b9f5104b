"""On which line of a TOML file a place stands: whoever mends it looks for a line, not for a path."""

from __future__ import annotations

import re

TABLE = re.compile(r"\s*\[(?P<list>\[)?\s*(?P<name>[A-Za-z0-9_.\"-]+)\s*\]")
KEY = re.compile(r"\s*(?P<key>[A-Za-z0-9_\"-]+)\s*=")


def line_of(text: str, place: str) -> int | None:
    """The line (from 1) of ``event[2].date``, of its table where that key is not there, None where neither
    is found (a table written within a line, say).

    >>> line_of('# ours\\n[[event]]\\nja = "a"\\n[[event]]\\nja = "b"\\n', "event[1].ja")
    5
    """
    found: dict[str, int] = {}
    table, counts = "", dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        if head := TABLE.match(line):
            table = head["name"].replace('"', "")
            if head["list"]:
                counts[table] = counts.get(table, -1) + 1
                table = f"{table}[{counts[table]}]"
            found.setdefault(table, number)
        elif key := KEY.match(line):
            name = key["key"].strip('"')
            found.setdefault(f"{table}.{name}" if table else name, number)
    if f"{place}[0]" in found:
        return found[f"{place}[0]"]
    while place:
        if place in found:
            return found[place]
        shorter = re.sub(r"(\.[^.\[\]]+|\[[0-9]+\])\Z", "", place)
        place = "" if shorter == place else shorter
    return None

"""Tables to frozen structs, and msgspec's refusals to sentences that name the place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kiosk.tomlfile.problem import FileProblem, short

Shape = TypeVar("Shape", bound=msgspec.Struct)

FORMS = {
    r"\A[a-z0-9-]{1,32}\Z": ("identifier", "1 to 32 of the characters a-z, 0-9 and -"),
    r"\A[0-9a-f]{64}\Z": ("key", "64 of the characters 0-9 and a-f"),
    r"\A[\x01-\x7f]{1,32}\Z": ("ascii", "1 to 32 ASCII characters"),
}
"""What to write, by the pattern that refused: a name for translations, and the words."""

SENTENCES: tuple[tuple[str, str], ...] = (
    (r"Object contains unknown field `(?P<field>.*)`", "unknown"),
    (r"Object missing required field `(?P<field>.*)`", "missing"),
    (r"Expected `str` matching regex '(?P<pattern>.*)'", "form"),
    (r"Expected (?P<expected>.*), got (?P<got>.*)", "type"),
    (r"Expected (?P<expected>.*)", "range"),
    (r"Invalid (?:enum )?value (?P<value>.*)", "choice"),
)
"""msgspec's sentences (0.19 to 0.22) and the codes of ours; what fits none is code ``value``."""

AT = re.compile(r"(?P<reason>.*) - at (?P<key>`key` in )?`\$(?P<at>[^`]*)`", re.DOTALL)
"""Where msgspec says it is: ``$.bin[2].scale``, for a key of an open table ``key in $.item``."""


def convert(tables: Mapping[str, Any], shape: type[Shape], file: Path) -> Shape:
    """The tables as ``shape``; ``FileProblem`` with the place of the first thing wrong."""
    try:
        return msgspec.convert(tables, shape, dec_hook=to_path)
    except msgspec.ValidationError as error:
        raise refusal(str(error), tables, shape, file) from error


def to_path(kind: type, value: object) -> Path:
    """msgspec's hook for the one type that it does not know."""
    assert kind is Path
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
    if not value or "\0" in value:
        raise ValueError("Expected `str` of length >= 1")
    return Path(value)


def refusal(
    sentence: str, tables: Mapping[str, Any], shape: type[msgspec.Struct], file: Path
) -> FileProblem:
    """msgspec's refusal as ours."""
    found = AT.fullmatch(sentence)
    reason, at = (found["reason"], found["at"]) if found else (sentence, "")
    place = at.lstrip(".")
    if found and found["key"]:
        place += "[...]"
    if "[...]" in place:
        place = named_key(place, sentence, tables, shape)
    value = place.rpartition(".")[2] if found and found["key"] else value_at(place, tables)
    for pattern, code in SENTENCES:
        known = re.fullmatch(pattern, reason, re.DOTALL)
        if known:
            return worded(code, place, known.groupdict(), value, shape, file)
    return FileProblem(
        "setting_value",
        file,
        place,
        f"{reason}.",
        "Correct the value; docs/settings.md lists what may stand here.",
        reason=reason,
    )


def worded(
    code: str,
    place: str,
    found: Mapping[str, str],
    value: object,
    shape: type[msgspec.Struct],
    file: Path,
) -> FileProblem:
    """The sentences for one code."""
    shown = short(value)
    match code:
        case "unknown":
            near = difflib.get_close_matches(found["field"], sorted(set(field_names(shape))), n=1)
            hint = f"`{near[0]}`" if near else "another name"
            return FileProblem(
                "setting_unknown",
                file,
                joined(place, short(found["field"])),
                "there is no such setting.",
                f"Remove it; perhaps {hint} was meant.",
                hint=near[0] if near else "?",
            )
        case "missing":
            return FileProblem(
                "setting_missing",
                file,
                joined(place, found["field"]),
                "this setting is missing.",
                "Add it; docs/settings.md says what belongs there.",
            )
        case "form":
            form, hint = FORMS[found["pattern"].replace("\\\\", "\\")]
            return FileProblem(
                "setting_form",
                file,
                place,
                f"{shown} is not written as it must be.",
                f"Write {hint}.",
                value=shown,
                form=form,
            )
        case "type":
            return FileProblem(
                "setting_type",
                file,
                place,
                f"expected {plain(found['expected'])}, found {plain(found['got'])}.",
                "Write a value of the expected type; texts stand in quotes, numbers do not.",
                expected=found["expected"].replace("`", ""),
                got=found["got"].replace("`", ""),
            )
        case "range":
            return FileProblem(
                "setting_range",
                file,
                place,
                f"{shown} is out of bounds, expected {plain(found['expected'])}.",
                "Write a value within the bounds.",
                value=shown,
                expected=found["expected"].replace("`", ""),
            )
        case _:
            return FileProblem(
                "setting_choice",
                file,
                place,
                f"{short(found['value'])} is not one of the choices.",
                "Write one of the choices in docs/settings.md.",
                value=short(found["value"]),
            )


def named_key(
    place: str, sentence: str, tables: Mapping[str, Any], shape: type[msgspec.Struct]
) -> str:
    """msgspec writes ``[...]`` for a key of an open table: find the first key that it means.

    Each key alone is tried in the table's place; the one that is refused likewise is the one.
    """
    before, _, after = place.partition("[...]")
    table = value_at(before, tables)
    if not isinstance(table, Mapping):
        return place
    for key, value in table.items():
        try:
            msgspec.convert(replaced(tables, before, {key: value}), shape, dec_hook=to_path)
        except msgspec.ValidationError as error:
            if str(error) == sentence:
                return f"{before}.{short(key)}{after}"
    return place


def replaced(tables: Mapping[str, Any], place: str, value: object) -> dict[str, Any]:
    """The tables with another value at a place of plain names (``points.per_kg``)."""
    first, _, rest = place.partition(".")
    inner = replaced(tables[first], rest, value) if rest else value
    return {**tables, first: inner}


def value_at(place: str, tables: object) -> object:
    """The raw value at a place, None where there is none."""
    value = tables
    for step in re.findall(r"[^.\[\]]+", place):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def field_names(shape: Any) -> Iterator[str]:
    """Every name that may stand in a file of this shape, for suggestions."""
    seen: set[type] = set()
    waiting = [msgspec.inspect.type_info(shape)]
    while waiting:  # ends: each struct type is opened once
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls not in seen:
                seen.add(info.cls)
                yield from (field.encode_name for field in info.fields)
                waiting += [field.type for field in info.fields]
        elif isinstance(info, msgspec.inspect.UnionType):
            waiting += info.types
        elif isinstance(info, msgspec.inspect.VarTupleType):
            waiting.append(info.item_type)
        elif isinstance(info, msgspec.inspect.DictType):
            waiting.append(info.value_type)


def joined(place: str, field: str) -> str:
    return f"{place}.{field}" if place else field


def plain(words: str) -> str:
    """msgspec's types in a person's words."""
    return (
        words.replace("`", "")
        .replace("str", "text")
        .replace("int", "whole number")
        .replace("float", "number")
        .replace("object", "table")
        .replace("bool", "true or false")
        .replace("array", "list")
    )

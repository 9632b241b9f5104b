"""Tables to frozen structs, and msgspec's refusals to sentences that name the place."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from kiosk.shaped import shaped
from kiosk.tomlfile.problem import FileProblem, short

Shape = TypeVar("Shape", bound=msgspec.Struct)
MAX_PROBLEMS = 100
MAX_LIST = 1_000
"""Items of a list that are looked at each by itself."""

READABLE = r"\A(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\Z"
"""One line of something to read, and nothing that turns the letters around it."""
TAG = r"\A[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?\Z"
"""Language, script, region (RFC 5646, 2.1): what every browser takes. Of another it makes an error."""
FORMS = {
    r"\A[a-z0-9-]{1,32}\Z": ("identifier", "1 to 32 of the characters a-z, 0-9 and -"),
    r"\A[0-9a-f]{64}\Z": ("key", "64 of the characters 0-9 and a-f"),
    r"\A[^\x00-\x1f\x7f-\x9f]*\Z": ("plain", "it without control characters, on one line"),
    READABLE: ("plain", "it without control characters, on one line"),
    r"\A[\x01-\x7f]{1,32}\Z": ("ascii", "1 to 32 ASCII characters"),
    r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z": ("time", "a time of day, 00:00 to 23:59"),
    r"\A[a-z]{2,8}\Z": ("language", "2 to 8 of the letters a-z"),
    TAG: ("tag", "a language tag such as pt-BR"),
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


def problems(
    tables: Mapping[str, Any], shape: type[msgspec.Struct], file: Path
) -> list[FileProblem]:
    """What is wrong with the shape, each with its place, one for each value, and ``MAX_PROBLEMS``."""
    sentences = itertools.islice(_sentences(tables, shape, ""), MAX_PROBLEMS)
    return [refusal(one, tables, shape, file) for one in sentences]


def _sentences(value: object, kind: Any, place: str) -> Iterator[str]:
    """msgspec's refusals, table by table and value by value, as if of the whole file."""
    struct = _struct_of(kind, value)
    if struct is not None and isinstance(value, Mapping):
        fields = {one.encode_name: one for one in msgspec.structs.fields(struct)}
        tag = struct.__struct_config__.tag_field
        for name in value:
            if name not in fields and name != tag:
                yield _placed(f"Object contains unknown field `{name}`", place)
        for name, one in fields.items():
            if name in value:
                yield from _sentences(value[name], one.type, joined(place, name))
            elif one.required:
                yield _placed(f"Object missing required field `{name}`", place)
        return
    if get_origin(kind) is dict and get_args(kind)[0] is str and isinstance(value, Mapping):
        for name, one in value.items():
            yield from _sentences(one, get_args(kind)[1], joined(place, name))
        return
    item = _item_of(kind)
    if item is not None and isinstance(value, list) and len(value) <= MAX_LIST:
        for number, one in enumerate(value):
            yield from _sentences(one, item, f"{place}[{number}]")
    try:
        shaped(value, kind, to_path)
    except msgspec.ValidationError as error:
        at = AT.fullmatch(f"{error}")
        if at is None:
            yield _placed(f"{error}", place)
        elif item is None:  # a list's items were told already
            key = at["key"] or ""
            yield _placed(f"{at['reason']}", place + at["at"], key)


def _placed(reason: str, place: str, key: str = "") -> str:
    return f"{reason} - at {key}`$.{place}`" if place else reason


def _struct_of(kind: Any, value: object) -> type[msgspec.Struct] | None:
    """The table's type, in a choice of several the one that the table's tag names."""
    kinds = [one for one in (get_args(kind) or (kind,)) if isinstance(one, type)]
    structs = [one for one in kinds if issubclass(one, msgspec.Struct)]
    if len(structs) < 2 or not isinstance(value, Mapping):
        return structs[0] if len(structs) == 1 and len(kinds) <= 2 else None
    for one in structs:
        tag_field = one.__struct_config__.tag_field
        if tag_field and value.get(tag_field) == one.__struct_config__.tag:
            return one
    return None


def _item_of(kind: Any) -> Any:
    """The type of a list's items; None for what is no list."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,):
        return get_args(kind)[0]
    return None


def convert(tables: Mapping[str, Any], shape: type[Shape], file: Path) -> Shape:
    """The tables as ``shape``; ``FileProblem`` with the place of the first thing wrong."""
    try:
        return shaped(tables, shape, to_path)
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
            shaped(replaced(tables, before, {key: value}), shape, to_path)
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

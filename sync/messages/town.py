"""Catalogue and tariff from the city, the same for all its stations, retained.

::

    kiosk/v1/{city}/catalogue      CatalogueWire
    kiosk/v1/{city}/tariff         TariffWire

A message holds the word in force and those that wait for their moment, by rising version: a station that
was away, or has a new disk, gets all that it needs from the one retained message. Each word is signed
by itself, over its content's SHA-256; the content is canonical JSON, so it holds no number with a
fraction (a CO2 value is a decimal text) and no key that is not fixed (items and rates are lists).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from kiosk.core.canonical import MAX_INTEGER, NotCanonical, canonical, parse_canonical
from kiosk.core.catalogue import (
    MAX_ITEMS,
    Catalogue,
    Code,
    Described,
    Item,
    Misfit,
    Part,
    Points,
    Sourced,
    TariffTable,
    Version,
    misfits,
    tariff_misfits,
)
from kiosk.core.config import PointsMode
from kiosk.core.schedule import MAX_WAITING, Term
from sync.messages.content import MAX_PLAIN_BYTES
from sync.messages.problem import Malformed
from sync.messages.wire import Signature, signature_bytes, signature_text
from sync.signing import Signer, verify

Kind = Literal["catalogue", "tariff"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_WORDS = MAX_WAITING + 1

_Ms = Annotated[int, Meta(ge=0, le=MAX_INTEGER, description="milliseconds of UTC")]
_City = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", max_length=32)]
_Decimal = Annotated[str, Meta(pattern=r"\A(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?\Z", max_length=10)]


class FactorWire(Sourced, frozen=True, kw_only=True):
    """As in the catalogue's file; ``value`` a decimal text, null with grade D."""

    value: _Decimal | None = None


class ItemWire(Described, frozen=True, kw_only=True):
    """One item, as in the catalogue's file."""

    code: Code
    factor: FactorWire


class CatalogueContent(Part, frozen=True):
    """Every item, by rising code."""

    items: Annotated[tuple[ItemWire, ...], Meta(min_length=1, max_length=MAX_ITEMS)]


class Rate(Part, frozen=True):
    """Points for an item: a kilogram, or a visit that brought some of it."""

    item: Code
    points: Points


_Rates = Annotated[tuple[Rate, ...], Meta(max_length=MAX_ITEMS)]


class TariffContent(Part, frozen=True):
    """Points rules, as in the settings' ``[points]``; rates by rising item."""

    mode: PointsMode
    per_visit: Points
    per_kg: _Rates
    per_item: _Rates


class CatalogueWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One catalogue, effective from ``effective_ms`` on; ``sig`` is the city's over
    ``kiosk-catalogue-v1\\n{city}\\n{version}\\n{effective_ms}\\n{signed_ms}\\n{digest}``, the digest
    being the content's SHA-256 in hexadecimal."""

    version: Version
    effective_ms: _Ms
    signed_ms: _Ms
    content: CatalogueContent
    sig: Signature


class TariffWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tariff; signed like a catalogue, over ``kiosk-tariff-v1\\n…``."""

    version: Version
    effective_ms: _Ms
    signed_ms: _Ms
    content: TariffContent
    sig: Signature


class CatalogueWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The catalogue in force and those that wait, by rising version."""

    city: _City
    words: Annotated[list[CatalogueWord], Meta(min_length=1, max_length=MAX_WORDS)]


class TariffWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tariff in force and those that wait, by rising version."""

    city: _City
    words: Annotated[list[TariffWord], Meta(min_length=1, max_length=MAX_WORDS)]


class _RawWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Version
    effective_ms: _Ms
    signed_ms: _Ms
    content: msgspec.Raw
    sig: Signature


class _RawWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    city: _City
    words: Annotated[list[_RawWord], Meta(min_length=1, max_length=MAX_WORDS)]


_WIRE = msgspec.json.Decoder(_RawWire)


@dataclass(frozen=True, slots=True)
class TownWord:
    """One word: its place in the order, its content's canonical bytes, the city's signature."""

    term: Term
    content: bytes
    sig: bytes


# --- what the city makes ----------------------------------------------------------------------------


def content_of(table: Catalogue | TariffTable) -> bytes:
    """The canonical content; Malformed where a CO2 value has more digits than the wire takes."""
    if isinstance(table, Catalogue):
        items = []
        for code in sorted(table.items):
            item = msgspec.to_builtins(table.items[code])
            value = table.items[code].factor.value
            item["factor"]["value"] = None if value is None else f"{Decimal(repr(value)):f}"
            if item["factor"]["cite"] is None:  # a word of before there was one keeps its digest
                del item["factor"]["cite"]
            items.append({"code": code, **item})
        return _checked({"items": items}, CatalogueContent)
    rates = {name: _rates(getattr(table, name)) for name in ("per_kg", "per_item")}
    return _checked({"mode": table.mode, "per_visit": table.per_visit, **rates}, TariffContent)


def sign(
    kind: Kind, city: str, version: int, effective_ms: int, signed_ms: int, content: bytes, key: Signer
) -> TownWord:  # fmt: skip
    """The signed word."""
    term = Term(version, effective_ms, signed_ms, hashlib.sha256(content).hexdigest())
    return TownWord(term, content, key.sign(signed_text(kind, city, term)))


def signed_text(kind: Kind, city: str, term: Term) -> bytes:
    """What the city signs."""
    return (
        f"kiosk-{kind}-v1\n{city}\n{term.version}\n{term.effective_ms}\n{term.signed_ms}\n{term.digest}"
    ).encode()


def encode(city: str, words: Sequence[TownWord]) -> bytes:
    """The message; Malformed ``too_large`` where it is larger than 128 KiB."""
    wire = _RawWire(
        city,
        [
            _RawWord(
                one.term.version,
                one.term.effective_ms,
                one.term.signed_ms,
                msgspec.Raw(one.content),
                signature_text(one.sig),
            )
            for one in words
        ],
    )
    data = msgspec.json.encode(wire)
    if len(data) > MAX_PLAIN_BYTES:
        raise Malformed("too_large", "the message is larger than 128 KiB")
    return data


# --- what the station takes -------------------------------------------------------------------------


def read(kind: Kind, data: bytes, city: str, city_key: bytes) -> list[TownWord]:
    """The words that the city signed, all or none; Malformed otherwise, with the place in its text."""
    if len(data) > MAX_PLAIN_BYTES:
        raise Malformed("too_large", "the message is larger than 128 KiB")
    try:
        wire = _WIRE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("shape", f"no {kind}: {error}") from None
    if wire.city != city:
        raise Malformed("city", "it is another city's")
    words = [_word(kind, city, one, city_key) for one in wire.words]
    versions = [one.term.version for one in words]
    if versions != sorted(set(versions)):
        raise Malformed("shape", "the versions do not rise")
    return words


def table_of(kind: Kind, version: int, content: bytes) -> Catalogue | TariffTable:
    """The content's meaning; Malformed ``content``, with the place in its text, where it has none."""
    try:
        value = parse_canonical(content)
        if kind == "tariff":
            tariff = _tariff(version, msgspec.convert(value, TariffContent))
            _refuse(tariff_misfits(tariff, None))
            return tariff
        catalogue = _catalogue(version, msgspec.convert(value, CatalogueContent))
        _refuse(misfits(catalogue))
    except (NotCanonical, msgspec.ValidationError) as error:
        raise Malformed("content", f"the {kind}'s content: {error}") from None
    return catalogue


def _word(kind: Kind, city: str, wire: _RawWord, city_key: bytes) -> TownWord:
    content = bytes(wire.content)
    digest = hashlib.sha256(content).hexdigest()
    term = Term(wire.version, wire.effective_ms, wire.signed_ms, digest)
    sig = signature_bytes(wire.sig)
    if not verify(city_key, sig, signed_text(kind, city, term)):
        raise Malformed("bad_signature", f"the {kind} is not signed by the city")
    table_of(kind, wire.version, content)
    return TownWord(term, content, sig)


def _catalogue(version: int, content: CatalogueContent) -> Catalogue:
    codes = [one.code for one in content.items]
    if codes != sorted(set(codes)):
        raise Malformed("content", "the items are not in order, or one stands there twice")
    items = {}
    for one in content.items:
        plain = msgspec.to_builtins(one)
        del plain["code"]
        value = one.factor.value
        plain["factor"]["value"] = None if value is None else float(value)
        items[one.code] = msgspec.convert(plain, Item)
    return Catalogue(version=version, items=items)


def _tariff(version: int, content: TariffContent) -> TariffTable:
    for rates in (content.per_kg, content.per_item):
        names = [one.item for one in rates]
        if names != sorted(set(names)):
            raise Malformed("content", "the rates are not in order, or one stands there twice")
    return TariffTable(
        version=version,
        mode=content.mode,
        per_visit=content.per_visit,
        per_kg={one.item: one.points for one in content.per_kg},
        per_item={one.item: one.points for one in content.per_item},
    )


def _rates(rates: dict[str, int]) -> list[dict[str, Any]]:
    return [{"item": item, "points": rates[item]} for item in sorted(rates)]


def _checked(value: dict[str, Any], shape: type[msgspec.Struct]) -> bytes:
    try:
        content = canonical(value)
        msgspec.convert(parse_canonical(content), shape)
    except (NotCanonical, msgspec.ValidationError) as error:
        raise Malformed("content", f"the content: {error}") from None
    return content


def _refuse(found: Iterable[Misfit]) -> None:
    for one in found:
        raise Malformed("content", f"{one.place}: {one.what}")

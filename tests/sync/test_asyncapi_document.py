"""sync/asyncapi.yaml is an AsyncAPI 3 document, whole, and its examples are captures that fit."""

from __future__ import annotations

import gzip
import importlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.core.orders import BinId, Text
from kiosk.core.yard import ItemCode, Line
from sync.asyncapi import EXAMPLES, TARGET, document
from sync.messages import decode_batch
from sync.messages.wire import Code

jsonschema: Any = importlib.import_module("jsonschema")  # neither of them has types
yaml: Any = importlib.import_module("yaml")

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).with_name("schemas") / "asyncapi/3.0.0-without-id.json.gz"


def asyncapi() -> Any:
    return jsonschema.Draft7Validator(json.loads(gzip.decompress(SCHEMA.read_bytes())))


def contract() -> dict[str, tuple[int, bool]]:
    """The topics of contracts.md's table: QoS, retained."""
    page = (ROOT / "docs/contracts.md").read_text(encoding="utf-8")
    table = page.split("| topic | from → to |")[1].split("\n\n")[0]
    found = {}
    for topics, qos, retained in re.findall(r"^\| (`.*?) \|.*?\| ([01]), (yes|no) \|", table, re.M):
        for topic in re.findall(r"`(.*?)`", topics):
            name = topic.split("}/")[-1].removeprefix("…/")
            found[name] = (int(qos), retained == "yes")
    return found


def spoken() -> dict[str, tuple[int, bool]]:
    """The same of the document's operations, by the topic without its prefix."""
    whole = document()
    found = {}
    for operation in whole["operations"].values():
        channel = operation["channel"]["$ref"].rsplit("/", 1)[1]
        address = whole["channels"][channel]["address"]
        name = re.sub(r"^kiosk/v1/\{city\}/(\{station\}/)?", "", address)
        mqtt = operation["bindings"]["mqtt"]
        found[name] = (mqtt["qos"], mqtt["retain"])
    return found


def test_the_document_is_asyncapi_3() -> None:
    asyncapi().validate(yaml.safe_load(TARGET.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {"asyncapi": "2.6.0"},
        {"operations": {"x": {"action": "shout", "channel": {"$ref": "#/channels/ack"}}}},
        {"channels": {"x": {"address": 7}}},
        {"unheard": 1},
    ],
)
def test_the_schema_refuses_what_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        asyncapi().validate(document() | change)


def test_every_topic_of_the_contract_is_in_it_with_its_qos_and_retained() -> None:
    table, here = contract(), spoken()
    assert len(table) >= 11
    assert table.keys() <= here.keys()
    shared = table.keys() & here.keys()
    assert {name: table[name] for name in shared} == {name: here[name] for name in shared}


def test_every_reference_leads_somewhere() -> None:
    whole = document()

    def check(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                place: Any = whole
                for part in value["$ref"].removeprefix("#/").split("/"):
                    place = place[part]
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)

    check(whole)


def test_every_message_has_an_example_that_fits_and_no_example_is_of_no_message() -> None:
    whole = document()
    messages = whole["components"]["messages"]
    used = {
        ref["$ref"].rsplit("/", 1)[1]
        for channel in whole["channels"].values()
        for ref in channel["messages"].values()
    }
    assert used == messages.keys()
    captured = {path.stem for path in EXAMPLES.glob("*.json")}
    assert captured == messages.keys(), "every message has a capture"
    for name in captured:
        message = messages[name]
        (example,) = message["examples"]
        schema = message["payload"] | {"components": whole["components"]}
        jsonschema.Draft202012Validator(schema).validate(example["payload"])


def test_the_batch_that_is_shown_proves_itself_and_the_acknowledgement_is_of_it() -> None:
    shown = json.loads((EXAMPLES / "batch.json").read_text(encoding="utf-8"))
    batch = decode_batch(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())
    ack = json.loads((EXAMPLES / "ack.json").read_text(encoding="utf-8"))
    assert (ack["ledger"], ack["seq"], ack["head"]) == (batch.ledger, batch.last, batch.head.hex())


def test_its_patterns_are_ecmas_and_a_last_line_feed_fits_none_of_ours() -> None:
    for pattern in re.findall(r"pattern: (.*)", TARGET.read_text(encoding="utf-8")):
        assert "\\A" not in json.loads(pattern) and "\\Z" not in json.loads(pattern)
    for kind, text in ((ItemCode, "can"), (BinId, "b1"), (Text, "x"), (Line, "x"), (Code, "gap")):
        assert msgspec.convert(text, kind) == text
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text + "\n", kind)

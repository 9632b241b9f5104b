"""Writes ``sync/asyncapi.yaml``: the MQTT contract, with schemas made from the message types.

Run ``python -m sync.asyncapi`` after a change to ``sync.messages`` or ``kiosk.core.entries``; a test
fails until it was. The examples are captures of real runs, in ``sync/examples/``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec

from kiosk.core.entries import AnyDraft, At
from sync.messages import Command, Health, Offline, Online, Reply
from sync.messages.card_lists import DeltaWire, FullWire, PartWire
from sync.messages.content import CONTENT_JSON, CONTENT_ZLIB, MAX_PLAIN_BYTES
from sync.messages.points import Balance
from sync.messages.town import CatalogueWire, TariffWire
from sync.messages.wire import AckWire, BatchWire, Hash, Seq

TARGET = Path(__file__).with_name("asyncapi.yaml")
EXAMPLES = Path(__file__).with_name("examples")
_REF = "#/components/schemas/{name}"
_PREFIX = "kiosk/v1/{city}/{station}/"

Json = dict[str, Any]


class Thinned(msgspec.Struct, forbid_unknown_fields=True):
    """An entry whose body was thinned away; the chain runs over its digest."""

    digest: Hash


def document() -> Json:
    """The whole AsyncAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Recycling station kiosk",
            "version": "1",
            "description": (
                "What a station and its city say to each other over MQTT 5. A PUBACK is not"
                " storage: only the city's signed acknowledgement moves a station's watermark."
                " Operations are the station's: what it sends the city receives, and the other way"
                " round. Every example was captured from a run of real processes."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "servers": {
            "broker": {
                "host": "broker.example:8883",
                "protocol": "secure-mqtt",
                "protocolVersion": "5",
                "description": "The city's broker, of any make. It needs to keep nothing.",
            }
        },
        "defaultContentType": CONTENT_JSON,
        "channels": {one[0]: _channel(*one) for one in _CHANNELS},
        "operations": {one[0]: _operation(*one[1:]) for one in _OPERATIONS},
        "components": {"messages": _messages(), "schemas": schemas()},
    }


def schemas() -> Json:
    """JSON Schemas (2020-12) by name."""
    drafts = get_args(AnyDraft)
    lists = [FullWire, PartWire, DeltaWire]
    smaller = [Online, Offline, Health, Command, Reply, Balance]
    town = [CatalogueWire, TariffWire]
    types = [BatchWire, AckWire, *lists, *town, *smaller, At, Thinned, *drafts]
    _, given = msgspec.json.schema_components(
        types, ref_template=_REF, schema_hook=lambda _: {"description": "any JSON of the ledger"}
    )
    made: Json = json.loads(json.dumps(given))  # a default may be a tuple, which JSON does not know
    (seq,), _ = msgspec.json.schema_components([Seq], ref_template=_REF)
    for draft in drafts:
        schema = made[draft.__name__]
        schema["properties"] = {
            "seq": seq,
            "at": {"$ref": _REF.format(name="At")},
            **schema["properties"],
        }
        schema["required"] = ["seq", "at", *schema["required"]]
    made["OtherEntry"] = {
        "title": "OtherEntry",
        "description": "An entry of a kind that is newer than this document; it is stored.",
        "type": "object",
        "properties": {
            "seq": seq,
            "at": {"$ref": _REF.format(name="At")},
            "kind": {
                "type": "string",
                "not": {"enum": [draft.__struct_config__.tag for draft in drafts]},
            },
        },
        "required": ["seq", "at", "kind"],
    }
    for name in ("Online", "Offline"):
        # Whoever makes one need not say it; whoever reads one tells them apart by it.
        required = made[name].setdefault("required", [])
        made[name]["required"] = ["online", *required]
    entries = ["Thinned", *(draft.__name__ for draft in drafts), "OtherEntry"]
    made["BatchWire"]["properties"]["entries"]["items"] = {
        "oneOf": [{"$ref": _REF.format(name=name)} for name in entries]
    }
    return {name: _folded(made[name]) for name in sorted(made)}


_CHANNELS: list[tuple[str, str, list[str], str]] = [
    (
        "ledger",
        _PREFIX + "ledger",
        ["batch"],
        "Entries of the station's ledger, under a signature.",
    ),
    ("ack", _PREFIX + "ack", ["ack"], "How far the city has committed them."),
    ("state", _PREFIX + "state", ["online", "offline"], "Birth and will of the station's uplink."),
    ("health", _PREFIX + "health", ["health"], "How the station is, on change and hourly."),
    (
        "closedFull",
        _PREFIX + "closed/full",
        ["cardsFull"],
        "The whole list of closed cards: which parts it has, signed.",
    ),
    (
        "closedPart",
        _PREFIX + "closed/full/{part}",
        ["cardsPart"],
        "Its parts, proven by the word on closed/full; subscribed to when they are needed, and the"
        " whole list is in force when the last of them has come.",
    ),
    (
        "closedDelta",
        _PREFIX + "closed/delta",
        ["cardsDelta"],
        "What changed since, cumulative; signed anew each day also when nothing changed.",
    ),
    (
        "allowedFull",
        _PREFIX + "allowed/full",
        ["cardsFull"],
        "As closed/full, of the cards that alone are taken; heard where a station's settings say so.",
    ),
    ("allowedPart", _PREFIX + "allowed/full/{part}", ["cardsPart"], "As closed/full/{part}."),
    ("allowedDelta", _PREFIX + "allowed/delta", ["cardsDelta"], "As closed/delta."),
    (
        "catalogue",
        "kiosk/v1/{city}/catalogue",
        ["catalogue"],
        "The catalogue in force in the whole city, and those that wait for their moment.",
    ),
    (
        "tariff",
        "kiosk/v1/{city}/tariff",
        ["tariff"],
        "Points rules, as catalogue. A visit counts to its end by the tariff with which it began.",
    ),
    (
        "command",
        _PREFIX + "command",
        ["command"],
        "What the city asks of this one station, signed and with an end. It is sent again until it is"
        " answered, and again when the station comes online.",
    ),
    (
        "reply",
        _PREFIX + "reply",
        ["reply"],
        "What became of it, signed by the station. The same command again is not done again, and is"
        " answered alike.",
    ),
    (
        "points",
        _PREFIX + "points",
        ["balance"],
        "The city's answer to a balance_asked entry of this station's, while somebody waits for it. It"
        " names the ask and no pseudonym; the station shows it once and keeps it nowhere.",
    ),
]
_OPERATIONS: list[tuple[str, str, str, int, bool]] = [
    ("sendBatch", "send", "ledger", 1, False),
    ("receiveAck", "receive", "ack", 1, True),
    ("sendState", "send", "state", 1, True),
    ("sendHealth", "send", "health", 0, False),
    ("receiveClosedFull", "receive", "closedFull", 1, True),
    ("receiveClosedPart", "receive", "closedPart", 1, True),
    ("receiveClosedDelta", "receive", "closedDelta", 1, True),
    ("receiveAllowedFull", "receive", "allowedFull", 1, True),
    ("receiveAllowedPart", "receive", "allowedPart", 1, True),
    ("receiveAllowedDelta", "receive", "allowedDelta", 1, True),
    ("receiveCatalogue", "receive", "catalogue", 1, True),
    ("receiveTariff", "receive", "tariff", 1, True),
    ("receiveCommand", "receive", "command", 1, False),
    ("sendReply", "send", "reply", 1, False),
    ("receivePoints", "receive", "points", 1, False),
]
"""Name, what the *station* does, channel, QoS, retained."""
_PAYLOADS = {
    "batch": "BatchWire",
    "ack": "AckWire",
    "online": "Online",
    "offline": "Offline",
    "health": "Health",
    "cardsFull": "FullWire",
    "cardsPart": "PartWire",
    "cardsDelta": "DeltaWire",
    "catalogue": "CatalogueWire",
    "tariff": "TariffWire",
    "command": "Command",
    "reply": "Reply",
    "balance": "Balance",
}


def _channel(name: str, address: str, messages: list[str], description: str) -> Json:
    channel: Json = {
        "address": address,
        "description": description,
        "parameters": {
            one: {"description": "[a-z0-9-]{1,32}"}
            for one in ("city", "station")
            if f"{{{one}}}" in address
        },
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in messages},
    }
    if "{part}" in address:
        channel["parameters"]["part"] = {"description": "0 to 99"}
    if name == "ledger":
        channel["description"] += (
            " Receivers subscribe $share/receivers/kiosk/v1/+/+/ledger, any number of them."
        )
    return channel


def _operation(action: str, channel: str, qos: int, retain: bool) -> Json:
    operation: Json = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"mqtt": {"qos": qos, "retain": retain}},
    }
    if channel == "command":
        operation["reply"] = {
            "channel": {"$ref": "#/channels/reply"},
            "address": {
                "location": "$message.header#/responseTopic",
                "description": "MQTT 5's response topic; with the command's correlation data.",
            },
        }
    return operation


def _messages() -> Json:
    messages: Json = {}
    for name, payload in _PAYLOADS.items():
        message: Json = {
            "name": name,
            "contentType": CONTENT_JSON,
            "payload": {"$ref": _REF.format(name=payload)},
        }
        if name == "batch":
            message["description"] = (
                f"At most {MAX_PLAIN_BYTES} bytes of JSON, plain or, with the content type"
                f" {CONTENT_ZLIB}, under zlib. Entries are canonical JSON, byte for byte."
            )
        example = EXAMPLES / f"{name}.json"
        if example.exists():
            message["examples"] = [{"payload": json.loads(example.read_text(encoding="utf-8"))}]
        messages[name] = message
    return messages


def _folded(value: Any) -> Any:
    """Docstrings are wrapped for a terminal; here they are one line. OpenAPI's discriminator, an object,
    is none of AsyncAPI's: the tags in the alternatives say the same."""
    if isinstance(value, dict):
        mapped = isinstance(value.get("discriminator"), dict)
        return {
            key: _told(key, item)
            for key, item in value.items()
            if not (mapped and key == "discriminator")
        }
    if isinstance(value, list):
        return [_folded(item) for item in value]
    return " ".join(value.split()) if isinstance(value, str) else value


def _told(key: str, value: Any) -> Any:
    """A value under its key: JSON Schema's patterns are ECMA's, whose ends are those of the text itself and
    are written as ^ and $ (Python's $ lets a last line feed through)."""
    if key == "pattern" and isinstance(value, str):
        return value.replace("\\A", "^").replace("\\Z", "$")
    return _folded(value)


def to_yaml(value: Any, indent: int = 0) -> str:
    """YAML of JSON values: block style outside, each scalar as JSON writes it."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        parts = []
        for key, item in value.items():
            name = key if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key) else json.dumps(key)
            nested = isinstance(item, (dict, list)) and item
            parts.append(f"{pad}{name}:" + ("\n" if nested else " ") + to_yaml(item, indent + 1))
        return "".join(parts)
    if isinstance(value, list) and value:
        return "".join(
            f"{pad}- " + to_yaml(item, indent + 1).removeprefix("  " * (indent + 1))
            for item in value
        )
    return json.dumps(value, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    TARGET.write_text(to_yaml(document()), encoding="utf-8")


if __name__ == "__main__":
    main()

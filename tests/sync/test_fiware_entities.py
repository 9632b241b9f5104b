"""What goes to a context broker: NGSI-LD's shape, WasteContainer's schema, honest times, nobody in it."""

from __future__ import annotations

import importlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sync_site import CITY, STATION, UTC_MS

from kiosk.core.errors import OperatorError
from sync.receiver.fiware.entities import entities
from sync.receiver.fiware.settings import Settings, load
from sync.receiver.sinks import Batch, BinNow, Change, DayTotal, StationNow, When

jsonschema: Any = importlib.import_module("jsonschema")  # neither of them has types
referencing: Any = importlib.import_module("referencing")

SCHEMAS = Path(__file__).with_name("schemas") / "smart-data-models"
CONTEXT = Path(importlib.import_module("sync.receiver.fiware").__path__[0]) / "context.jsonld"
EXACT = When("exact", UTC_MS - 50, UTC_MS + 50)
BOUNDED = When("bounded", UTC_MS - 7_200_000, UTC_MS)
UNKNOWN = When("bounded", None, None)
LEDGER = "a1" * 16
TOML = """
data_provider = "Minato"
entities = ["WasteContainer", "RecyclingStation", "RecyclingDayTotal", "RecyclingDeposit"]

[items.pet-bottle]
name = "ペットボトル"
waste_kind = "plastic"

[stations.hall-1]
name = "第一会館"
location = [139.75, 35.66]
address = { streetAddress = "1-1", addressLocality = "Minato", addressCountry = "JP" }

[stations.hall-1.bins.b1]
full_g = 12000
model = "urn:ngsi-ld:WasteContainerModel:bag-90l"
"""


@pytest.fixture
def town(tmp_path: Path) -> Settings:
    file = tmp_path / "fiware.toml"
    file.write_text(TOML, encoding="utf-8")
    return load(file)


def a_bin(**other: Any) -> BinNow:
    fields: dict[str, Any] = {
        "city": CITY, "station": STATION, "ledger": LEDGER, "bin": "b1", "item": "pet-bottle",
        "held_g": 1640, "uncertainty_g": 20, "changed": EXACT, "emptied": EXACT,
    }  # fmt: skip
    return BinNow(**fields | other)


def a_change(**other: Any) -> Change:
    fields: dict[str, Any] = {
        "id": f"{LEDGER}-7-0011223344556677", "city": CITY, "station": STATION, "ledger": LEDGER,
        "seq": 7, "kind": "weighing", "bin": "b1", "item": "pet-bottle", "cause": None,
        "mode": "estimate", "net_g": -40, "gross_after_g": 1640, "uncertainty_g": 20, "count": None,
        "ml": None, "when": EXACT, "held_g": 1640, "again": False,
    }  # fmt: skip
    return Change(**fields | other)


def batch(*things: BinNow | Change | DayTotal | StationNow) -> Batch:
    def of(kind: type) -> tuple[Any, ...]:
        return tuple(one for one in things if isinstance(one, kind))

    return Batch(of(Change), of(BinNow), of(DayTotal), of(StationNow))


def only(settings: Settings, thing: BinNow | Change | DayTotal | StationNow) -> dict[str, Any]:
    ((_, entity),) = entities(batch(thing), settings).values()
    return entity


def simplified(entity: dict[str, Any]) -> dict[str, Any]:
    """NGSI-LD's simplified representation, and typed values as their text."""

    def value(attribute: Any) -> Any:
        if not isinstance(attribute, dict):
            return attribute
        inner = attribute.get("object", attribute.get("value"))
        return inner["@value"] if isinstance(inner, dict) and "@value" in inner else inner

    return {name: value(attribute) for name, attribute in entity.items()}


def validate(entity: dict[str, Any]) -> None:
    """Against the Smart Data Model, references found in the copies beside it, formats checked."""
    schema, common = (
        json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        for name in ("WasteContainer.schema.json", "common-schema.json")
    )
    draft = referencing.jsonschema.DRAFT202012
    registry = referencing.Registry().with_resources(
        [(one["$id"], draft.create_resource(one)) for one in (schema, common)]
    )
    validator = jsonschema.Draft202012Validator(
        schema, registry=registry, format_checker=jsonschema.FormatChecker()
    )
    validator.validate(simplified(entity))


def check_shape(entity: dict[str, Any]) -> None:
    """ETSI GS CIM 009, 4.5: every attribute is one of three, with what belongs to it; times are UTC."""
    assert entity["id"].startswith("urn:ngsi-ld:") and " " not in entity["id"]
    for name, attribute in entity.items():
        if name in ("id", "type", "@context"):
            continue
        match attribute["type"]:
            case "Property":
                assert attribute["value"] is not None
                number = isinstance(attribute["value"], (int, float))
                assert ("unitCode" in attribute) == number, f"{name}: a number has its unit"
                assert attribute.get("unitCode", "KGM") in ("KGM", "MLT", "C62")
            case "Relationship":
                assert attribute["object"].startswith("urn:")
            case "GeoProperty":
                assert attribute["value"]["type"] == "Point"
            case other:
                raise AssertionError(f"{name}: {other}")
        if "observedAt" in attribute:
            assert attribute["observedAt"].endswith("Z")
            assert datetime.fromisoformat(attribute["observedAt"])


def test_a_bin_is_a_waste_container_of_the_smart_data_model(town: Settings) -> None:
    entity = only(town, a_bin())
    assert entity == {
        "id": "urn:ngsi-ld:WasteContainer:demo:hall-1:b1",
        "type": "WasteContainer",
        "location": {
            "type": "GeoProperty", "value": {"type": "Point", "coordinates": [139.75, 35.66]},
        },
        "address": {
            "type": "Property",
            "value": {
                "streetAddress": "1-1", "addressLocality": "Minato", "addressCountry": "JP",
            },
        },
        "binId": {"type": "Property", "value": "b1"},
        "isleId": {"type": "Property", "value": "hall-1"},
        "item": {"type": "Property", "value": "pet-bottle"},
        "timeQuality": {"type": "Property", "value": "exact"},
        "refRecyclingStation": {
            "type": "Relationship", "object": "urn:ngsi-ld:RecyclingStation:demo:hall-1",
        },
        "dataProvider": {"type": "Property", "value": "Minato"},
        "name": {"type": "Property", "value": "ペットボトル"},
        "storedWasteKind": {"type": "Property", "value": "plastic"},
        "cargoWeight": {
            "type": "Property", "value": 1.64, "unitCode": "KGM",
            "observedAt": "2026-09-21T14:13:20.000Z",
        },
        "fillingLevel": {
            "type": "Property", "value": 0.14, "unitCode": "C62",
            "observedAt": "2026-09-21T14:13:20.000Z",
        },
        "dateModified": {
            "type": "Property",
            "value": {"@type": "DateTime", "@value": "2026-09-21T14:13:20.000Z"},
        },
        "dateLastEmptying": {
            "type": "Property",
            "value": {"@type": "DateTime", "@value": "2026-09-21T14:13:20.000Z"},
        },
        "refWasteContainerModel": {
            "type": "Relationship", "object": "urn:ngsi-ld:WasteContainerModel:bag-90l",
        },
    }  # fmt: skip
    validate(entity)


def test_the_schemas_copy_refuses_what_the_model_refuses(town: Settings) -> None:
    entity = only(town, a_bin())
    changes: list[dict[str, Any]] = [
        {"cargoWeight": {"type": "Property", "value": -1}},
        {"fillingLevel": {"type": "Property", "value": 1.2}},
        {"storedWasteKind": {"type": "Property", "value": "ペットボトル"}},
        {"type": "Bin"},
        {"dateModified": {"type": "Property", "value": 7}},
        {"location": {"type": "GeoProperty", "value": {"type": "Point"}}},
        {"address": {"type": "Property", "value": {"streetAddress": 1}}},
    ]
    for change in changes:
        with pytest.raises(jsonschema.ValidationError):
            validate(entity | change)


@pytest.mark.parametrize(
    "thing",
    [
        a_bin(), a_bin(changed=BOUNDED, emptied=None), a_bin(changed=UNKNOWN, held_g=None),
        a_bin(item="あき かん:1", bin="b2"), a_bin(station="hall-2"), a_change(), a_change(when=UNKNOWN),
        a_change(kind="item_count", net_g=None, uncertainty_g=None, count=3, mode=None, bin=None),
        a_change(kind="item_count", net_g=None, uncertainty_g=None, ml=1500, mode=None),
        DayTotal(CITY, STATION, LEDGER, 20717, "pet-bottle", 400, 4, None, None),
        DayTotal(CITY, STATION, LEDGER, 20717, "あき かん:1", None, 0, 3, 1500),
        StationNow(CITY, STATION, LEDGER, 12, UTC_MS, 0),
    ],
)  # fmt: skip
def test_every_entity_has_ngsi_lds_shape_and_the_context_defines_each_of_its_words(
    town: Settings, thing: Any
) -> None:
    known = json.loads(CONTEXT.read_text(encoding="utf-8"))["@context"].keys()
    core = {"id", "type", "location", "value", "object", "unitCode", "observedAt"}
    for _, entity in entities(batch(thing), town).values():
        check_shape(entity)
        if entity["type"] == "WasteContainer":
            validate(entity)
        words = {entity["type"], *entity} | {
            key for value in entity.values() if isinstance(value, dict) for key in value
        }
        words |= set(entity.get("address", {}).get("value", {}))
        assert words - core - known == set()


def test_no_word_of_the_context_is_there_for_nothing(town: Settings) -> None:
    things = (
        a_bin(), a_change(), a_change(id="x", kind="item_count", count=1, ml=2),
        DayTotal(CITY, STATION, LEDGER, 1, "pet-bottle", 4, 1, 1, 1),
        StationNow(CITY, STATION, LEDGER, 12, UTC_MS, 0),
    )  # fmt: skip
    said = json.dumps([entity for _, entity in entities(batch(*things), town).values()])
    known = json.loads(CONTEXT.read_text(encoding="utf-8"))["@context"]
    unused = {word for word in known if f'"{word}"' not in said}
    assert unused == {"addressRegion", "postalCode", "district"}, "what only some settings say"


def test_a_bounded_time_is_an_interval_and_never_an_instant(town: Settings) -> None:
    deposit = only(town, a_change(when=BOUNDED))
    assert "observedAt" not in json.dumps(deposit)
    assert deposit["timeQuality"]["value"] == "bounded"
    assert deposit["notBefore"]["value"]["@value"] == "2026-09-21T12:13:20.000Z"
    assert deposit["notAfter"]["value"]["@value"] == "2026-09-21T14:13:20.000Z"
    nothing = only(town, a_change(when=UNKNOWN))
    assert {"notBefore", "notAfter"} & nothing.keys() == set()
    container = only(town, a_bin(changed=BOUNDED, emptied=BOUNDED))
    assert {"dateModified", "dateLastEmptying"} & container.keys() == set()
    assert container["cargoWeight"] == {"type": "Property", "value": 1.64, "unitCode": "KGM"}


def test_a_clock_that_lied_by_ten_thousand_years_makes_no_time(town: Settings) -> None:
    for far in (2**52, -(2**52)):
        deposit = only(town, a_change(when=When("exact", far, far)))
        assert "observedAt" not in json.dumps(deposit)
    for day in (-1, 2_932_896, 10**12):
        far_day = DayTotal(CITY, STATION, LEDGER, day, "can", 1, 1, None, None)
        assert entities(batch(far_day), town) == {}
    last = only(town, DayTotal(CITY, STATION, LEDGER, 2_932_895, "can", 1, 1, None, None))
    assert last["day"]["value"]["@value"] == "9999-12-30"


def test_what_is_not_known_is_not_there(town: Settings) -> None:
    assert {"cargoWeight", "fillingLevel"} & only(town, a_bin(held_g=None)).keys() == set()
    assert "cargoWeight" not in only(town, a_bin(held_g=-400))
    assert only(town, a_bin(held_g=-15))["cargoWeight"]["value"] == 0, "within its uncertainty"
    other = only(town, a_bin(bin="b2", item="can"))
    assert {
        "fillingLevel",
        "storedWasteKind",
        "name",
        "refWasteContainerModel",
    } & other.keys() == set()
    total = only(town, DayTotal(CITY, STATION, LEDGER, 1, "can", None, 0, 3, None))
    assert "netWeight" not in total


def test_a_bin_without_a_place_is_no_waste_container(town: Settings) -> None:
    """The data model requires a location; somewhere is none."""
    assert entities(batch(a_bin(station="hall-2")), town) == {}


def test_single_deposits_leave_only_where_the_town_says_so() -> None:
    assert entities(batch(a_change()), Settings()) == {}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("entities = ['Person']", "entities"),
        ("mode = 'append'", "mode"),
        ("[stations.hall-1]\nlocation = [35.66]", "location"),
        ("[stations.hall-1]\nlocation = [139.7, 95.0]", "location"),
        ("[stations.hall-1]\nlocations = 1", "stations"),
        ("[stations.hall-1.bins.b1]\nfull_g = 0", "full_g"),
        ("[items.can]\nwaste_kind = 'tin'", "waste_kind"),
        ('tenant = "a\\r\\nX-Evil: 1"', "tenant"),
        ("apikey = 'a/b'", "apikey"),
        ('tenant = "a\\n"', "tenant"),
        ("x = ", "end of document"),
        ("secret = 1", "secret"),
    ],
)
def test_wrong_settings_are_told_by_their_place(tmp_path: Path, line: str, named: str) -> None:
    file = tmp_path / "fiware.toml"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(OperatorError) as caught:
        load(file)
    assert named in caught.value.what


def test_the_example_settings_hold() -> None:
    town = load(Path(__file__).parents[2] / "config/fiware.toml")
    assert town.bin("hall-1", "b1").full_g == 12000
    assert "RecyclingDeposit" not in town.entities, "single deposits are asked for"

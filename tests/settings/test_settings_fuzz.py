"""Whatever is done to a settings or catalogue file, the answer is settings or two sentences."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from settings_site import USUAL

from kiosk import catalogue
from kiosk.core.errors import OperatorError
from kiosk.settings.checks import check
from kiosk.settings.load import without_none
from kiosk.settings.shape import Settings
from kiosk.tomlfile import convert, read_toml

FILE = Path("station.toml")
CATALOGUE = catalogue.load(Path(__file__).parents[2] / "config/catalogue.toml")

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.sampled_from(["none", "hx711", "kg", "b1", "pet-bottle", "`$.x`", " - at `$.bin`"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(tables: Any) -> list[tuple[Any, Any]]:
    """Every container with a key or index into it."""
    pairs = tables.items() if isinstance(tables, dict) else enumerate(tables)
    found = []
    for key, value in pairs:
        found.append((tables, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


@given(st.data())
@run(max_examples=400, deadline=None)
def test_a_mutated_table_is_settings_or_an_operators_error(data: st.DataObject) -> None:
    tables = tomllib.loads(USUAL)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(tables)))
        match data.draw(st.sampled_from(["replace", "delete", "add"])):
            case "delete":
                if key in container if isinstance(container, dict) else key < len(container):
                    del container[key]
            case "replace" if isinstance(container, dict):
                container[key] = data.draw(VALUES)
            case "add" if isinstance(container, dict):
                container[data.draw(st.text(max_size=8))] = data.draw(VALUES)
    if not tables:
        return
    try:
        check(convert(without_none(tables), Settings, FILE), CATALOGUE, FILE)
    except OperatorError as error:
        assert error.what.startswith("station.toml") and error.todo


@given(st.integers(0, len(USUAL.encode())), st.integers(0, 40), st.binary(max_size=8))
@run(max_examples=200, deadline=None)
def test_a_file_with_bytes_lost_or_put_in_is_settings_or_an_operators_error(
    at: int, lost: int, put_in: bytes
) -> None:
    whole = USUAL.encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "station.toml"
        file.write_bytes(whole[:at] + put_in + whole[at + lost :])
        try:
            check(convert(without_none(read_toml(file)), Settings, file), CATALOGUE, file)
        except OperatorError as error:
            assert error.what.startswith(str(file))

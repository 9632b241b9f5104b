"""A setting that docs/settings.md does not explain, with its default, does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from kiosk.settings import hall, parts, readers, scales, shape

PAGE = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "[station]": shape.Station,
    "[station.contact]": shape.Contact,
    "[paths]": shape.Paths,
    "[screen]": hall.Screen,
    "[sound]": hall.Sound,
    "[heat]": hall.Heat,
    "[[bin]]": shape.Bin,
    '[bin.scale]` with `kind = "hx711"': scales.Hx711Scale,
    '[bin.scale]` with `kind = "hx711-spi"': scales.Hx711SpiScale,
    '[bin.scale]` with `kind = "hx711-iio"': scales.Hx711IioScale,
    '[bin.scale]` with `kind = "indicator"': scales.IndicatorScale,
    "[bin.scale.modbus]": scales.Modbus,
    'kind = "camera"': readers.CameraReader,
    'kind = "pn532"': readers.Pn532Reader,
    'kind = "scanner"': readers.ScannerReader,
    'kind = "keyboard"': readers.KeyboardReader,
    'kind = "rcs380"': readers.Rcs380Reader,
    'kind = "pcsc"': readers.PcscReader,
    "[cards]": shape.Cards,
    "[[cards.foreign]]": shape.Foreign,
    "[buzzer]": hall.Buzzer,
    "[reader_lamp]": hall.ReaderLamp,
    "[thermometer]": hall.Thermometer,
    "[points]": shape.Points,
    "[city]": shape.City,
    "[mqtt]": shape.Mqtt,
}


def rows(section: str) -> dict[str, str]:
    """Setting to default, of one section of the page."""
    (found,) = re.findall(
        rf"^#+ `{re.escape(section)}`.*?$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
    table = re.findall(r"^\| `(\w+)` \| .+? \| (.+?) \|", found, re.MULTILINE)
    return {name: default.strip("`") for name, default in table}


def default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if isinstance(field.default_factory, type):
        return "empty"
    if field.default is None:
        return "—"
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_explained_with_its_default(section: str) -> None:
    fields = msgspec.structs.fields(SECTIONS[section])
    assert rows(section) == {field.encode_name: default(field) for field in fields}


def test_no_table_of_the_settings_is_missing_from_the_page() -> None:
    known = set(SECTIONS.values())
    known |= {shape.Settings, parts.Part, scales.Scale, scales.CountsScale, readers.Reader}
    tables = {
        value
        for module in (shape, scales, hall, readers)
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        and value is not msgspec.Struct
    }
    assert tables <= known

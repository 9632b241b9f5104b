"""A wrong settings file is refused with the place, and with something to do."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from settings_site import USUAL, Write

from drivers import indicator_modbus
from drivers.protocols import PROTOCOLS
from kiosk import catalogue, settings
from kiosk.cli.texts import Words
from kiosk.settings import IndicatorScale, scales
from kiosk.tomlfile import MAX_FILE_BYTES, FileProblem
from sync.signing import Signer

NFC = 'kind = "pn532"\nport = "/dev/ttyS0"'
INDICATOR = 'kind = "indicator"\nport = "/dev/ttyUSB0"\nmax_g = 60000\ndivision_g = 20\n'
SEALED = INDICATOR + 'seal_number = "A-1"\nvalid_until = 2027-03-31\nmin_g = 400\n'
GENERIC = f'{INDICATOR}protocol = "generic"\n'
HX = "zero_counts = 84000\nmax_g = 60000\ndivision_g = 20\n"
ALU = 'item = "can-alu"'
QUOTED = '"20"'
CROWD = 'crowd = "one_by_one"'


def hx(division_g: str, more: str = "") -> str:
    """The HX711 bin with another division, and perhaps a line more."""
    return f"zero_counts = 84000\nmax_g = 60000\ndivision_g = {division_g}\n{more}\n"


def modbus(table: str) -> str:
    """The indicator's bin with a load-cell transmitter instead."""
    return f'{INDICATOR}protocol = "modbus"\nmodbus = {{ {table} }}\n'


SPOILT = [
    # (what stands there, what shall stand there, the place named, the code)
    ('id = "demo-1"', 'id = "Demo 1"', "station.id", "setting_form"),
    ('id = "demo-1"', 'id = "demo-1\\n"', "station.id", "setting_form"),
    ('id = "demo-1"', "id = 1", "station.id", "setting_type"),
    ('city = "demo"\n', "", "station.city", "setting_missing"),
    (CROWD, 'crowd = "anyhow"', "station.crowd", "setting_choice"),
    (CROWD, f'{CROWD}\nvisit_idle = 3', "station.visit_idle", "setting_unknown"),
    (CROWD, f"{CROWD}\nvisit_idle_s = 0", "station.visit_idle_s", "setting_range"),
    (CROWD, f'{CROWD}\ntimezone = "Asia/Tokio"', "station.timezone", "timezone_unknown"),
    (CROWD, f'{CROWD}\ntimezone = "../etc"', "station.timezone", "timezone_unknown"),
    (CROWD, f'{CROWD}\nlanguage = "fr"', "station.language", "setting_choice"),
    (', phone = "000-000-0000"', "", "station.contact.phone", "setting_missing"),
    ('name = "公民館"', 'name = "a\\u0000b"', "station.name", "setting_form"),
    ('name = "事務室"', 'name = "a\\u001b[2J"', "station.contact.name", "setting_form"),
    ("[mqtt]", f'[city]\npublic_key = "{"0" * 64}"\n[mqtt]', "city.public_key", "weak_key"),
    ("[mqtt]", f'[city]\npublic_key = "01{"0" * 62}"\n[mqtt]', "city.public_key", "weak_key"),
    (CROWD, 'crowd = "together"', "points.mode", "points_need_turns"),
    ('id = "b1"', 'id = "b-1"', "bin[0].id", "bin_hyphen"),
    ('port = "/dev/ttyS0"', 'port = "/dev/ttyS0"\nreset_pin = 5', "reader[1].reset_pin", "pin_twice"),
    ("[mqtt]", '[cards]\nsun_url = "?c={mac}"\n[mqtt]', "cards.sun_url", "sun_url"),
    ("[mqtt]", '[cards]\nsun_url = "?p={picc}&c={cmac}"\n[mqtt]', "cards.sun_url", "sun_url"),
    (HX, hx(QUOTED), "bin[0].scale.division_g", "setting_type"),
    (HX, hx("30"), "bin[0].scale.division_g", "division_form"),
    (HX, hx("0"), "bin[0].scale.division_g", "setting_range"),
    (HX, hx("5"), "bin[0].scale.division_g", "division_count"),
    (HX, hx("20", "min_increment_g = 10"), "bin[0].scale.min_increment_g", "increment_too_small"),
    (HX, hx("20", "min_increment_g = 70000"), "bin[0].scale.min_increment_g", "beyond_max"),
    ("counts_per_gram = 43.0", "counts_per_gram = nan", "bin[0].scale.counts_per_gram", "slope_impossible"),
    ("counts_per_gram = 43.0", "counts_per_gram = 0", "bin[0].scale.counts_per_gram", "slope_impossible"),
    ("counts_per_gram = 43.0", "counts_per_gram = 430.0", "bin[0].scale.max_g", "adc_saturates"),
    ("dout_pin = 5", "dout_pin = 28", "bin[0].scale.dout_pin", "setting_range"),
    ("dout_pin = 5", "dout_pin = 17", "bin[0].lid_pin", "pin_twice"),
    ('kind = "hx711"', 'kind = "hx712"', "bin[0].scale.kind", "setting_choice"),
    ('kind = "hx711"\n', "", "bin[0].scale.kind", "setting_missing"),
    ("zero_counts = 84000", "zero_counts = 9000000", "bin[0].scale.zero_counts", "setting_range"),
    ('id = "b2"', 'id = "b1"', "bin[1].id", "setting_twice"),
    ('item = "carton"', 'item = "cartoon"', "bin[2].item", "item_unknown"),
    ('item = "carton"', 'item = "carton"\nscale = "nothing"', "bin[2].scale", "setting_type"),
    ('item = "carton"', 'item = "carton"\nbag_min_g = 50', "bin[2].near_empty_g", "near_empty_too_big"),
    (ALU, f"{ALU}\nnear_empty_g = 9", "bin[1].near_empty_g", "near_empty_too_small"),
    (ALU, f"{ALU}\nbag_limit_g = 70000", "bin[1].bag_limit_g", "beyond_max"),
    (INDICATOR, f"{INDICATOR}baud = 2401\n", "bin[1].scale.baud", "setting_choice"),
    (INDICATOR, f'{INDICATOR}seal_number = "A-1"\n', "bin[1].scale.valid_until", "seal_incomplete"),
    (INDICATOR, SEALED.replace("400", "200"), "bin[1].scale.min_g", "min_too_small"),
    (INDICATOR, SEALED.replace("2027-03-31", '"soon"'), "bin[1].scale.valid_until", "setting_value"),
    (INDICATOR, f'{INDICATOR}protocol = "toledo"\n', "bin[1].scale.protocol", "setting_choice"),
    (INDICATOR, f'{INDICATOR}protocol = "modbus"\n', "bin[1].scale.modbus", "modbus_map"),
    (INDICATOR, f"{INDICATOR}modbus = {{ decimals = 2 }}\n", "bin[1].scale.modbus", "modbus_map"),
    (INDICATOR, modbus("decimals = 2, status = 90"), "bin[1].scale.modbus.status", "modbus_spread"),
    (INDICATOR, modbus("unit_id = 1"), "bin[1].scale.modbus.decimals", "setting_missing"),
    (INDICATOR, modbus("decimals = 2, stable_bit = 16"), "bin[1].scale.modbus.stable_bit", "setting_range"),
    (INDICATOR, f'{INDICATOR}unit = "kg"\n', "bin[1].scale.unit", "generic_only"),
    (INDICATOR, f'{INDICATOR}stable = "unless_moving"\n', "bin[1].scale.stable", "generic_only"),
    (INDICATOR, f"{GENERIC}stream = false\n", "bin[1].scale.request", "request_missing"),
    (INDICATOR, f'{INDICATOR}request = "\\u3042"\n', "bin[1].scale.request", "setting_form"),
    ('port = "/dev/ttyS0"', 'port = "/dev/ttyUSB0"', "reader[1].port", "port_twice"),
    (NFC, 'kind = "keyboard"\ndevice = "/dev/ttyUSB0"', "reader[1].device", "port_twice"),
    (NFC, 'kind = "scanner"\nport = "/dev/ttyUSB0"', "reader[1].port", "port_twice"),
    (NFC, 'kind = "keyboard"\ndevice = "k"\nlayout = "de"', "reader[1].layout", "setting_choice"),
    (NFC, 'kind = "scanner"\nport = "p"\nsuffix = "\\r"', "reader[1].suffix", "setting_choice"),
    (NFC, 'kind = "scanner"\nport = "p"\nrepeat_s = 0', "reader[1].repeat_s", "setting_range"),
    (NFC, 'kind = "scanner"\nport = "p"\nbaud = 9601', "reader[1].baud", "setting_choice"),
    (NFC, 'kind = "rcs380"\nport = "usb"', "reader[1].port", "setting_unknown"),
    ('id = "nfc"', 'id = "qr"', "reader[1].id", "setting_twice"),
    ("pet-bottle = 10", "pet-bottles = 10", "points.per_kg.pet-bottles", "item_unknown"),
    ("pet-bottle = 10", "carton = 1\npet-bottle = 1.5", "points.per_kg.pet-bottle", "setting_type"),
    ("pet-bottle = 10", "carton = 1\npet-bottle = -1", "points.per_kg.pet-bottle", "setting_range"),
    ("pet-bottle = 10", "battery-li = 10", "points.per_kg.battery-li", "points_forbidden"),
    ("pet-bottle = 10", "", "points.per_kg", "points_table_missing"),
    ("[mqtt]", "[cards]\nlist_good_days = 91\n[mqtt]", "cards.list_end_days", "list_days"),
    ("[mqtt]", "[cards]\nlist_end_days = 0\n[mqtt]", "cards.list_end_days", "setting_range"),
    ("[mqtt]", '[cards]\nlists = "closed"\n[mqtt]', "cards.lists", "lists_need_city"),
    ("[mqtt]", '[cards]\nlists = "open"\n[mqtt]', "cards.lists", "setting_choice"),
    ('mode = "kg"', 'mode = "kg"\nbalance = true', "points.balance", "balance_needs_city"),
    ('mode = "kg"', 'mode = "kg"\nlink_days = 0', "points.link_days", "link_days"),
    ('mode = "kg"', 'mode = "visit"\nlink_days = 9', "points.link_days", "link_days"),
    ('host = "127.0.0.1"', 'host = "h"\nport = 65536', "mqtt.port", "setting_range"),
    ('host = "127.0.0.1"', 'host = "h"\ncert_file = "c"', "mqtt.key_file", "mqtt_pair"),
    ('host = "127.0.0.1"', 'host = "h"\nkey_file = "k"', "mqtt.cert_file", "mqtt_pair"),
    ('host = "127.0.0.1"', 'host = "h"\npassword_file = "p"', "mqtt.username", "mqtt_pair"),
    ('host = "127.0.0.1"', 'host = "h"\nca_file = 3', "mqtt.ca_file", "setting_type"),
    ('host = "127.0.0.1"', 'host = "h"\nca_file = ""', "mqtt.ca_file", "setting_range"),
    ("[mqtt]", '[screen]\nhost = "0.0.0.0"\n[mqtt]', "screen.host", "setting_choice"),
    ("[mqtt]", "[screeen]\n[mqtt]", "screeen", "setting_unknown"),
    ("[mqtt]", f'[paths]\nrun = "{"r" * 120}"\n[mqtt]', "paths.run", "path_too_long"),
    ("[mqtt]", '[city]\npublic_key = "D75A"\n[mqtt]', "city.public_key", "setting_form"),
    ("[mqtt]", "[buzzer]\npin = 5\n[mqtt]", "buzzer.pin", "pin_twice"),
    ("[mqtt]", "[[mqtt]]", "mqtt", "setting_type"),
]  # fmt: skip


def test_usual_settings_are_good(write: Write) -> None:
    found = settings.load(write(USUAL))
    assert [one.id for one in found.bins] == ["b1", "b2", "b3"]


@pytest.mark.parametrize(("there", "instead", "place", "code"), SPOILT)
def test_one_wrong_thing_is_named_with_its_place(
    write: Write, there: str, instead: str, place: str, code: str
) -> None:
    assert USUAL.count(there) == 1
    file = write(USUAL.replace(there, instead))
    with pytest.raises(FileProblem) as caught:
        settings.load(file)
    problem = caught.value
    assert (problem.place, problem.code) == (place, code)
    assert problem.what.startswith(f"{file}: {place}: ")
    assert problem.what.endswith((".", '"')) and problem.todo


@pytest.mark.parametrize(("there", "instead", "place", "code"), SPOILT)
@pytest.mark.parametrize("language", ["ja", "easy"])
def test_every_refusal_has_its_words_in_japanese(
    write: Write, there: str, instead: str, place: str, code: str, language: str
) -> None:
    with pytest.raises(FileProblem) as caught:
        settings.load(write(USUAL.replace(there, instead)))
    what, todo = Words(language).error(caught.value)  # type: ignore[arg-type]
    assert place in what and what != caught.value.what
    assert any("ぁ" <= one <= "ん" for one in todo)


def test_a_balance_needs_a_line_on_which_the_question_does_not_wait(write: Write) -> None:
    key = f'[city]\npublic_key = "{Signer(b"c" * 32).public_key.hex()}"\n[mqtt]\ngather_s = 10'
    asking = USUAL.replace('mode = "kg"', 'mode = "kg"\nbalance = true').replace("[mqtt]", key)
    found = settings.load(write(asking))
    assert found.rules(catalogue.load(found.paths.catalogue)).balance
    with pytest.raises(FileProblem) as caught:
        settings.load(write(asking.replace("gather_s = 10", "gather_s = 11")))
    assert (caught.value.place, caught.value.code) == ("points.balance", "balance_late")
    for language in ("ja", "easy"):
        what, todo = Words(language).error(caught.value)
        assert "11" in what and "10" in todo


def test_a_misspelt_name_is_guessed_at(write: Write) -> None:
    with pytest.raises(FileProblem, match=r"perhaps `division_g` was meant"):
        settings.load(write(USUAL.replace(HX, HX.replace("division_g", "divison_g"))))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe", "file_not_toml"),
        (b"[station", "file_not_toml"),
        (b"a = " + b"[" * 5000, "file_not_toml"),
        (b"a = " + b"9" * 5000, "file_not_toml"),
        (b"a = " + b"[" * 40 + b"]" * 40, "file_too_deep"),
        (b"#" * (MAX_FILE_BYTES + 1), "file_too_big"),
        (b"", "setting_missing"),
    ],
    ids=["no utf-8", "half a line", "endless list", "huge number", "deep", "long", "empty"],
)
def test_what_is_no_settings_file_at_all_is_refused(
    tmp_path: Path, content: bytes, code: str
) -> None:
    file = tmp_path / "station.toml"
    file.write_bytes(content)
    with pytest.raises(FileProblem) as caught:
        settings.load(file)
    assert caught.value.code == code


def test_a_folder_or_nothing_in_the_files_place_is_refused(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(FileProblem, match="cannot be read"):
            settings.load(file)


def test_a_missing_catalogue_names_the_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text(USUAL, encoding="utf-8")
    with pytest.raises(FileProblem, match=r"catalogue\.toml"):
        settings.load(file)


def test_every_code_that_the_checks_can_raise_is_spoilt_above_or_at_the_catalogue() -> None:
    """So that no refusal is ever met without words for it."""
    root = Path(__file__).parents[2] / "kiosk"
    spoken = {key.split(".")[1] for key in Words("ja").all() if key.startswith("error.")}
    for module in (*root.glob("settings/*.py"), *root.glob("tomlfile/*.py"), root / "catalogue.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "FileProblem":
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    assert code.value in spoken, code.value


def test_a_bin_without_a_scale_may_say_so_in_words(write: Write) -> None:
    text = USUAL.replace('item = "carton"', 'item = "carton"\nscale = "none"')
    assert settings.load(write(text)).bins[2].scale is None


def test_rules_take_from_the_item_and_the_scale_what_the_bin_leaves_open(write: Write) -> None:
    found = settings.load(write(USUAL))
    usual = catalogue.load(found.paths.catalogue)
    pet, alu, carton = found.rules(usual).bins
    assert pet.scale is not None and pet.scale.min_increment_g == 20
    assert pet.bag_limit_g == usual.items["pet-bottle"].bag_limit_g
    assert alu.scale is not None and alu.scale.counts_per_gram is None
    assert alu.scale.certified_until_day is None
    assert carton.scale is None
    assert found.rules(usual).link_days == 90


def test_a_seal_certifies_nothing_where_gross_is_not_told_from_net(write: Write) -> None:
    found = settings.load(write(USUAL.replace(INDICATOR, f'{SEALED}protocol = "sics"\n')))
    rules = found.rules(catalogue.load(found.paths.catalogue)).bins[1].scale
    assert rules is not None and rules.certified_until_day is None


def test_every_protocol_of_the_settings_is_one_of_the_drivers() -> None:
    assert set(get_args(scales.Protocol)) == {*PROTOCOLS, indicator_modbus.PROTOCOL}
    says = {name for name, spec in PROTOCOLS.items() if spec.says_gross}
    assert says | {indicator_modbus.PROTOCOL} == scales.SAYS_GROSS


def test_a_transmitters_registers_are_those_of_the_file(write: Write) -> None:
    table = 'decimals = 2, status = "none", weight = 40, weight_type = "i32", negative_bit = "none"'
    found = settings.load(write(USUAL.replace(INDICATOR, modbus(table))))
    scale = found.bins[1].scale
    assert isinstance(scale, IndicatorScale) and scale.modbus is not None
    registers = scale.modbus.registers()
    assert (registers.start, registers.count, registers.negative_bit) == (40, 2, None)


def test_a_sealed_indicator_is_certified_until_its_day(write: Write) -> None:
    found = settings.load(write(USUAL.replace(INDICATOR, SEALED)))
    scale = found.bins[1].scale
    assert isinstance(scale, IndicatorScale) and scale.valid_until == date(2027, 3, 31)
    rules = found.rules(catalogue.load(found.paths.catalogue)).bins[1].scale
    assert rules is not None and rules.certified_min_g == 400
    assert rules.certified_until_day == (date(2027, 3, 31) - date(1970, 1, 1)).days


def test_paths_are_relative_to_the_settings_file(write: Write, tmp_path: Path) -> None:
    text = USUAL.replace("[mqtt]", '[paths]\ndata = "d"\nkeys = "/k"\n[mqtt]\nca_file = "ca.pem"')
    found = settings.load(write(text))
    assert found.paths.data == tmp_path / "d"
    assert found.paths.keys == Path("/k")
    assert found.paths.socket == tmp_path / "run/control.sock"
    assert found.mqtt is not None and found.mqtt.ca_file == tmp_path / "ca.pem"


def test_the_digest_is_of_the_meaning_not_of_the_text(write: Write) -> None:
    before = settings.load(write(USUAL)).digest()
    assert settings.load(write("# a comment\n" + USUAL)).digest() == before
    assert settings.load(write(USUAL.replace("= 43.0", "= 43.1"))).digest() != before
    assert len(bytes.fromhex(before)) == 32


def test_the_example_is_good_and_short() -> None:
    file = Path(__file__).parents[2] / "config/station.toml"
    assert settings.load(file).station.id == "demo-1"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert sum(not line.startswith("#") for line in lines) <= 40

"""The usual catalogue: complete, readable on a small sign, and honest about CO2."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk import catalogue
from kiosk.core.catalogue import halves as halves_of
from kiosk.tomlfile import FileProblem

FILE = Path(__file__).parents[2] / "config/catalogue.toml"


def test_thirty_items_each_in_three_languages() -> None:
    items = catalogue.load(FILE).items
    assert len(items) == 30
    for item in items.values():
        assert item.ja and item.easy and item.en
        assert len({item.ja for item in items.values()}) == 30


def test_short_names_fit_two_lines_of_seven_full_width_characters() -> None:
    for code, item in catalogue.load(FILE).items.items():
        for short in (item.short_ja, item.short_easy, item.short_en):
            assert len(short) == 2, code
            assert all(0 < halves_of(line) <= 14 for line in short), (code, short)


@pytest.mark.parametrize(
    ("line", "halves"), [("ペット", 6), ("PET bottle", 10), ("（びん）", 8), ("ﾍﾟｯﾄ", 4), ("", 0)]
)
def test_a_half_width_character_counts_half(line: str, halves: int) -> None:
    assert halves_of(line) == halves


def test_an_unknown_factor_has_no_value_and_is_never_zero() -> None:
    items = catalogue.load(FILE).items
    unknown = {code for code, item in items.items() if item.factor.grade == "D"}
    assert {"cardboard", "newspaper", "battery-li", "food-waste", "reuse"} <= unknown
    for code, item in items.items():
        assert (item.factor.value is None) == (code in unknown)
        assert item.factor.source
        assert (item.factor.cite is None) == (code in unknown), "what is shown can be read"


def test_metals_and_batteries_carry_a_note_of_the_law() -> None:
    items = catalogue.load(FILE).items
    notes = {code: item.legal.points for code, item in items.items() if item.legal}
    assert notes == {
        "can-alu": "ask",
        "can-steel": "ask",
        "small-appliance": "ask",
        "battery-li": "no",
        "fluorescent": "no",
    }


@pytest.mark.parametrize(
    ("there", "instead", "place", "code"),
    [
        ("version = 1", "version = 0", "version", "setting_range"),
        ("version = 1\n", "", "version", "setting_missing"),
        ("[item.pet-cap]", "[item.Pet-Cap]", "item.Pet-Cap", "setting_form"),
        ("[item.pet-cap]", "[item.pet-cap]\ncolour = 1", "item.pet-cap.colour", "setting_unknown"),
        ('"たまご", "パック"', '"たまご"', "item.egg-pack.short_ja", "setting_type"),
        ('"たまご", "パック"', '"たまごのパック！", "x"', "item.egg-pack.short_ja[0]", "short_name"),
        ('"たまご", "パック"', '"たまご", ""', "item.egg-pack.short_ja[1]", "short_name"),
        ('"たまご", "パック"', '"たまご", 3', "item.egg-pack.short_ja[1]", "setting_type"),
        ("value = 2.9\n", "", "item.pet-bottle.factor.grade", "factor_grade"),
        ("value = 2.9\n", "value = 0\n", "item.pet-bottle.factor.value", "setting_range"),
        ("year = 2019\nboundary", "year = 2019\n#", "item.pet-bottle.factor.boundary", "factor_boundary"),
    ],
)  # fmt: skip
def test_a_wrong_catalogue_is_named_with_its_place(
    tmp_path: Path, there: str, instead: str, place: str, code: str
) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert text.count(there) == 1
    file = tmp_path / "catalogue.toml"
    file.write_text(text.replace(there, instead), encoding="utf-8")
    with pytest.raises(FileProblem) as caught:
        catalogue.load(file)
    assert (caught.value.place, caught.value.code) == (place, code)

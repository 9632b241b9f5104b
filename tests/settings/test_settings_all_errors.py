"""Somebody writes a whole file at once and makes several mistakes: all are told, each at its place."""

from __future__ import annotations

from settings_site import USUAL, Write

from kiosk import settings


def places(write: Write, *spoilt: tuple[str, str]) -> list[str]:
    text = USUAL
    for there, instead in spoilt:
        assert there in text
        text = text.replace(there, instead, 1)
    return [problem.place for problem in settings.problems(write(text))]


def test_a_good_file_has_no_problems(write: Write) -> None:
    assert places(write) == []


def test_every_wrong_value_is_told_at_its_place(write: Write) -> None:
    found = places(
        write,
        ('city = "demo"', "city = 5\nfrob = 1"),
        ("lid_pin = 17", "lid_pin = 99"),
        ("counts_per_gram = 43.0\n", ""),
        ('kind = "pn532"', 'kind = "nfc"'),
        ("pet-bottle = 10", "pet-bottle = -1"),
        ('host = "127.0.0.1"', "port = 0"),
    )
    assert found == [
        "station.frob",
        "station.city",
        "bin[0].lid_pin",
        "bin[0].scale.counts_per_gram",
        "reader[1].kind",
        "points.per_kg.pet-bottle",
        "mqtt.host",
        "mqtt.port",
    ]


def test_what_does_not_fit_together_is_told_for_each_bin(write: Write) -> None:
    found = places(
        write,
        ('id = "b2"', 'id = "b1"'),
        ("division_g = 20", "division_g = 30"),
        ('item = "carton"', 'item = "cartoon"'),
    )
    assert found == ["bin[1].id", "bin[0].scale.division_g", "bin[2].item"]


def test_a_byte_order_mark_is_no_mistake(write: Write) -> None:
    file = write(USUAL)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert settings.problems(file) == []
    assert settings.load(file).station.id == "demo-1"


def test_a_towns_texts_are_looked_at_with_the_settings(write: Write) -> None:
    path = write(USUAL.replace("[mqtt]", '[paths]\ntexts = "texts"\n\n[mqtt]'))
    (path.parent / "texts").mkdir()
    (path.parent / "texts/ours.toml").write_text('code = "ja"\n[words]\nthanks = "どうも"\n')
    (problem,) = settings.problems(path)
    assert (problem.code, problem.file.name, problem.place) == (
        "text_placeholders",
        "ours.toml",
        "words.thanks",
    )
    assert settings.load(path).paths.texts == path.parent / "texts", "and keep nobody from starting"


def test_quiet_hours_and_heat_that_cannot_be_are_told(write: Write) -> None:
    found = places(
        write,
        ("[mqtt]", '[sound]\nquiet_from = "21:00"\n\n[heat]\nstill_c = 90\n\n[mqtt]'),
        ("lid_pin = 17", "full_pin = 5"),
    )
    assert found == ["bin[0].full_pin", "sound.quiet_to", "heat.dim_c"]
    assert places(write, ("[mqtt]", '[sound]\nquiet_to = "24:00"\n\n[mqtt]')) == ["sound.quiet_to"]

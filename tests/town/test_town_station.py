"""The city's catalogue and tariff at a station: what counts, from when, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from town_site import DAY_MS, HOUR_MS, KEY, NOON, OTHER, Hall, items, message, tariff, word

from kiosk.core.entries import Alarm, CatalogueBegun, TariffBegun


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


def test_the_stations_own_files_count_until_the_city_says_something(hall: Hall) -> None:
    assert (hall.counts_by("catalogue"), hall.counts_by("tariff")) == (("file", 1), ("file", 1))
    assert hall.tick() == (), "nothing is told about what was always so"
    assert hall.hear("tariff", message(word(tariff(3)))) is None
    (begun,) = hall.tick()
    assert isinstance(begun, TariffBegun)
    assert (begun.version, begun.source, begun.effective_ms) == (3, "city", NOON)
    rules = hall.town.rules()
    assert (rules.tariff.number, rules.tariff.per_visit, rules.catalogue) == (3, 3, 1)
    assert hall.tick() == (), "told once"
    hall.start()
    assert hall.counts_by("tariff") == ("city", 3) and hall.tick() == ()


def test_a_tariff_for_tomorrow_waits_through_restarts_and_counts_at_midnight(hall: Hall) -> None:
    midnight = NOON + 12 * HOUR_MS
    told = message(word(tariff(2)), word(tariff(3), midnight))
    assert hall.hear("tariff", told) is None
    hall.tick()
    waiting = hall.town.waiting("tariff")
    assert waiting is not None and (waiting.version, waiting.effective_ms) == (3, midnight)
    hall.start()
    hall.later(12 * HOUR_MS - 10_000)
    hall.tick()
    assert hall.counts_by("tariff") == ("city", 2)
    hall.later(10_000)
    (begun,) = hall.tick()
    assert isinstance(begun, TariffBegun) and begun.version == 3
    assert hall.town.rules().tariff.per_visit == 3


def test_a_clock_that_nobody_vouches_for_changes_nothing(hall: Hall) -> None:
    hall.hear("tariff", message(word(tariff(2)), word(tariff(3), NOON + HOUR_MS)))
    hall.tick()
    hall.later(100 * DAY_MS, "unsynced")
    assert hall.tick() == () and hall.counts_by("tariff") == ("city", 2)
    hall.later(-200 * DAY_MS, "unsynced")
    hall.start()
    assert hall.counts_by("tariff") == ("city", 2)
    signed = NOON + 2 * DAY_MS
    assert hall.hear("tariff", message(word(tariff(4), signed + DAY_MS, signed_ms=signed))) is None
    hall.tick()
    assert hall.counts_by("tariff") == ("city", 3), "the city's own word dates the one before"


def test_what_the_ledger_could_not_keep_is_told_at_the_next_start(hall: Hall) -> None:
    hall.hear("tariff", message(word(tariff(2))))
    assert len(hall.tick(keeps=False)) == 1
    hall.start()
    (begun,) = hall.tick()
    assert isinstance(begun, TariffBegun) and begun.version == 2


def test_unsigned_old_and_contradicting_words_are_refused_told_once_and_healed(hall: Hall) -> None:
    hall.hear("tariff", message(word(tariff(5))))
    hall.tick()
    for data, reason in (
        (message(word(tariff(6), key=OTHER)), "bad_signature"),
        (message(word(tariff(4))), "old"),
        (message(word(tariff(5, per_visit=9))), "conflict"),
        (message(word(tariff(5), NOON - 1)), "conflict"),
        (b'{"city":"demo"}', "shape"),
    ):
        assert hall.hear("tariff", data) == reason == hall.says("tariff")
        assert hall.counts_by("tariff") == ("city", 5)
    (alarm,) = hall.tick()
    assert isinstance(alarm, Alarm)
    assert (alarm.code, alarm.subject, alarm.state) == ("city_word", "tariff", "on")
    assert alarm.detail.startswith("shape: no tariff: "), "where in it"
    hall.hear("tariff", message(word(tariff(4))))
    assert hall.tick() == (), "whoever may write on the broker fills no ledger"
    hall.start()
    assert hall.says("tariff") == "shape"
    assert hall.hear("tariff", message(word(tariff(5)))) is None
    (alarm,) = hall.tick()
    assert isinstance(alarm, Alarm) and alarm.state == "off"
    assert hall.says("tariff") is None


def test_half_a_message_counts_for_nothing(hall: Hall) -> None:
    hall.hear("tariff", message(word(tariff(2))))
    hall.tick()
    forged = message(word(tariff(3)), word(tariff(4), NOON + 1, key=OTHER))
    assert hall.hear("tariff", forged) == "bad_signature"
    hall.tick()
    assert hall.counts_by("tariff") == ("city", 2) and hall.town.waiting("tariff") is None


def test_a_catalogue_without_a_bins_item_is_refused_whole_and_the_next_one_is_taken(
    hall: Hall,
) -> None:
    assert hall.hear("catalogue", message(word(items(2, without="carton")))) == "misfit"
    (alarm,) = hall.tick()
    assert isinstance(alarm, Alarm) and alarm.detail == "misfit: item_unknown bin[1].item"
    assert hall.counts_by("catalogue") == ("file", 1)
    hall.start()
    assert hall.says("catalogue") == "misfit"
    mended = message(word(items(2, without="carton")), word(items(3), NOON + 1))
    assert hall.hear("catalogue", mended) is None
    drafts = hall.tick()
    assert {type(draft) for draft in drafts} == {CatalogueBegun, Alarm}
    assert hall.counts_by("catalogue") == ("city", 3)
    assert hall.town.catalogue.items["pet-bottle"].ja == "ペットボトル3"
    (first, _) = hall.town.rules().bins
    assert first.bag_limit_g == 3000


def test_a_tariff_by_weight_is_refused_where_nobody_knows_whose_drop_it_was(
    tmp_path: Path,
) -> None:
    hall = Hall(tmp_path)
    by_weight = message(word(tariff(2, mode="kg", per_kg={"pet-bottle": 10, "no-such-item": 5})))
    assert hall.hear("tariff", by_weight) == "misfit"
    hall.tick()
    assert hall.counts_by("tariff") == ("file", 1)
    hall.write_settings(station='crowd = "one_by_one"')
    hall.start()
    rules = hall.town.rules()
    assert rules.tariff.per_kg == {"pet-bottle": 10}, "items that are not here are left out"
    assert rules.link_days == 90, "links are kept as the settings say for this mode"
    assert hall.says("tariff") is None


def test_a_town_that_keeps_its_own_hears_nothing(tmp_path: Path) -> None:
    hall = Hall(tmp_path, city='tariff = "file"')
    assert hall.town.topics == ("/catalogue",) and not hall.town.takes("/tariff")
    hall.write_settings()
    hall.start()
    hall.hear("tariff", message(word(tariff(2))))
    hall.tick()
    hall.write_settings(city='tariff = "file"')
    hall.start()
    (begun,) = hall.tick()
    assert isinstance(begun, TariffBegun) and (begun.source, begun.version) == ("file", 1)


def test_a_damaged_file_falls_back_to_the_stations_own_and_the_citys_word_mends_it(
    hall: Hall, tmp_path: Path
) -> None:
    told = message(word(tariff(7)))
    hall.hear("tariff", told)
    hall.tick()
    kept = tmp_path / "town/tariff.json"
    whole = kept.read_bytes()
    for damage in (b"", b"{}", whole[:-20], whole.replace(b"per_visit", b"per_vizit"), b"\xff\xfe"):
        kept.write_bytes(damage)
        hall.start()
        assert (hall.says("tariff"), hall.counts_by("tariff")) == ("damaged", ("file", 1))
    drafts = hall.tick()
    assert {type(draft) for draft in drafts} == {TariffBegun, Alarm}
    assert hall.hear("tariff", told) is None
    hall.tick()
    hall.start()
    assert hall.counts_by("tariff") == ("city", 7)


def test_a_file_that_somebody_else_wrote_proves_nothing(hall: Hall, tmp_path: Path) -> None:
    other = Hall.__new__(Hall)
    other.folder = tmp_path / "other"
    other.folder.mkdir()
    other.__init__(other.folder)  # type: ignore[misc]
    other.write_settings(key=OTHER)
    other.start()
    assert other.hear("tariff", message(word(tariff(9), key=OTHER))) is None
    (tmp_path / "town").mkdir()
    forged = (other.folder / "town/tariff.json").read_bytes()
    (tmp_path / "town/tariff.json").write_bytes(forged)
    hall.start()
    assert (hall.says("tariff"), hall.counts_by("tariff")) == ("damaged", ("file", 1))


def test_the_citys_new_key_says_its_words_again(hall: Hall) -> None:
    hall.hear("tariff", message(word(tariff(3))))
    hall.tick()
    again = message(word(tariff(3), key=OTHER, signed_ms=NOON))
    assert hall.hear("tariff", again) == "bad_signature", "before the settings know the key"
    hall.write_settings(key=OTHER)
    hall.start()
    assert hall.counts_by("tariff") == ("file", 1)
    assert hall.hear("tariff", again) is None
    hall.tick()
    assert hall.counts_by("tariff") == ("city", 3)
    assert KEY.public_key != OTHER.public_key


def test_a_full_disk_refuses_the_word_and_keeps_what_counts(
    hall: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.hear("tariff", message(word(tariff(2))))
    hall.tick()
    folder = tmp_path / "town"
    folder.rename(tmp_path / "gone")
    folder.write_bytes(b"")  # nothing can be made in what is no folder
    assert hall.hear("tariff", message(word(tariff(3)))) == "storage"
    assert hall.counts_by("tariff") == ("city", 2)

"""A real station, things that break around it, and what people are told: on the screen, by ``kiosk
status`` and ``kiosk doctor``, and once in the log. The rest of the station works on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from field_station import FieldStation
from hw_sim.pn532_peer import Tag
from hw_sim.scanner_peer import ScannerPeer

from kiosk.cli.texts import LANGUAGES, Words
from sync.signing import Signer

LEFT_FOR_THE_LOG_BYTES = 4_096
LONG = int(os.environ.get("KIOSK_SEARCH_SIZE", "1")) > 1
"""Then the half minute is waited for after which an uplink counts as gone."""


@pytest.fixture
def field() -> Iterator[FieldStation]:
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder, FieldStation(Path(folder)) as made:
        yield made


def told_in_every_language(field: FieldStation, check: str, *causes: str) -> None:
    """Both pages hold the causes' words, the doctor's also their next steps."""
    for language, cause in product(LANGUAGES, causes):
        words = Words(language)
        doctor = field.said("doctor", check, "--lang", language)
        assert words(f"cause.{cause}") in doctor
        assert (words.get(f"advice.{cause}") or words("doctor_page.todo", todo="")) in doctor
        if check != "card":
            assert words(f"cause.{cause}") in field.said("status", "--lang", language)


def test_what_is_missing_at_the_start_is_told_and_found_when_it_comes(
    field: FieldStation,
) -> None:
    field.start()
    field.until_wrong(
        "scale.b2.indicator_missing", "reader.qr.camera_missing", "reader.nfc.nfc_missing"
    )
    told_in_every_language(field, "scale", "indicator_missing")
    told_in_every_language(field, "reader", "camera_missing", "nfc_missing")
    field.until_trouble("b2")
    field.until_ready("b1")
    field.load(500)
    field.until_booked("b1", 500)
    field.plug_all()
    field.until_wrong()
    field.until_ready("b1", "b2")
    for device in ("scale:b2", "reader:qr", "reader:nfc"):
        field.until_told_once(device)


def test_without_the_keys_to_cards_only_the_readers_stand_still(field: FieldStation) -> None:
    field.plug_all()
    keys = field.folder / "keys" / "card.key"
    kept = keys.read_text()
    keys.unlink()
    field.start()
    field.until_wrong("reader.qr.card_keys", "reader.nfc.card_keys")
    told_in_every_language(field, "reader", "card_keys")
    field.until_shown("cards_readable", False)
    field.until_ready("b1", "b2")
    field.load(500)
    field.until_booked("b1", 500)
    keys.write_text("no key\n")
    field.until_wrong("reader.qr.card_keys", "reader.nfc.card_keys")
    keys.write_text(kept)
    field.until_wrong()
    field.until_shown("cards_readable")
    for device in ("reader:qr", "reader:nfc"):
        field.until_told_once(device)


def test_readers_of_every_kind_are_found_missing_and_found_when_they_come(
    field: FieldStation,
) -> None:
    field.plug_all()
    scanner, keys = field.folder / "scanner", field.folder / "keys"
    text = field.settings.read_text(encoding="utf-8")
    for kind, setting in (
        ("scanner", f'port = "{scanner}"\nspeaks = "gm65"'),
        ("keyboard", f'device = "{keys}"\nlayout = "jis"'),
        ("rcs380", 'device = "usb:054c:06c3"'),
    ):
        text += f'\n[[reader]]\nid = "{kind}"\nkind = "{kind}"\n{setting}\n'
    field.settings.write_text(text, encoding="utf-8")
    field.start()
    missing = {"reader.scanner.scanner_missing", "reader.keyboard.scanner_missing"}
    field.until_wrong(*missing, "reader.rcs380.nfc_missing")
    told_in_every_language(field, "reader", "scanner_missing")
    peer = ScannerPeer(scanner)
    field.until_wrong("reader.keyboard.scanner_missing", "reader.rcs380.nfc_missing")
    peer.show(b"SOMEBODYS-LIBRARY-CARD")
    field.until(lambda: field.view()["refusals"] == 1, "never refused")
    assert field.logged("SOMEBODYS") == 0
    peer.show()
    peer.hang()
    field.until(lambda: "reader.scanner.scanner_silent" in field.wrong(), "never silent")
    peer.stop()


def test_what_breaks_while_it_runs_is_told_once_and_comes_back(field: FieldStation) -> None:
    indicator, nfc, camera = field.plug_indicator(), field.plug_nfc(), field.plug_camera()
    field.start()
    field.until_ready("b1", "b2")
    field.until_wrong()
    indicator.babbles = True
    nfc.hang()
    camera.stall()
    field.until_wrong(
        "scale.b2.indicator_garbled", "reader.qr.camera_silent", "reader.nfc.nfc_silent"
    )
    told_in_every_language(field, "scale", "indicator_garbled")
    told_in_every_language(field, "reader", "camera_silent", "nfc_silent")
    field.load(500)  # the other bin works on
    field.until_booked("b1", 500)
    indicator.babbles = False
    nfc.heal()
    camera.stall(False)
    field.until_wrong()
    field.cable(on=False)
    field.until_wrong("scale.b1.scale_missing")
    field.until_trouble("b1")
    indicator.grams = 700
    field.until_booked("b2", 700)
    field.cable(on=True)
    field.until_wrong()
    field.unplug_indicator()
    field.until_wrong("scale.b2.indicator_missing")
    for device in ("scale:b1", "reader:qr", "reader:nfc"):
        field.until_told_once(device)
    assert (field.logged("scale:b2 is lost"), field.logged("scale:b2 is back")) == (2, 1)


def test_a_strange_card_is_refused_in_words_and_none_of_it_is_kept(field: FieldStation) -> None:
    field.plug_indicator()
    field.plug_nfc()
    camera = field.plug_camera()
    field.start()
    field.until_wrong()
    camera.show("SOMEBODYS-LIBRARY-CARD", 3.0)
    field.until(lambda: field.view()["refusals"] == 1, "never refused")
    assert field.view()["phase"] == "refused"
    field.until_wrong("card..unknown")
    told_in_every_language(field, "card", "unknown")
    assert field.logged("a card was refused at the qr reader: unknown") == 1
    assert field.logged("SOMEBODYS") == 0


def test_a_scale_of_fewer_values_than_promised_is_told(field: FieldStation) -> None:
    field.plug_all()
    field.change_settings('/indicator"\n', '/indicator"\nrate_sps = 30\n')
    field.start()
    field.until_wrong("scale.b2.slow")
    for language in LANGUAGES:
        said = field.said("doctor", "scale", "--lang", language)
        assert "rate_sps" in said and "30" in said
    field.until_ready("b1", "b2")


def test_a_disk_that_refuses_is_told_and_loses_nothing(field: FieldStation) -> None:
    indicator, nfc = field.plug_indicator(), field.plug_nfc()
    field.plug_camera()
    field.start()
    field.until_ready("b1", "b2")
    field.limit_files(field.log.stat().st_size + LEFT_FOR_THE_LOG_BYTES)
    indicator.grams = 900
    field.until_wrong("ledger..io_error")
    field.until_shown("storage_trouble")
    told_in_every_language(field, "ledger", "io_error")
    nfc.place(Tag(b"\x04\x01\x02\x03\x04\x05\x06"))  # not greeted, and nothing breaks
    field.load(500)
    field.limit_files(-1)
    field.until_wrong()
    field.until_booked("b1", 500)
    field.until_booked("b2", 900)
    field.until_shown("storage_trouble", False)
    assert (field.logged("nothing can be recorded"), field.logged("recording goes on")) == (1, 1)


def test_settings_changed_under_a_running_station_are_told(field: FieldStation) -> None:
    field.plug_all()
    field.start()
    field.change_settings('name = "中央公民館"', 'name = "東公民館"')
    for language in LANGUAGES:
        assert Words(language)("doctor.settings.changed.what") in field.said(
            "doctor", "settings", "--lang", language
        )
    field.change_settings('kind = "pn532"', 'kind = "pn533"')
    (finding,) = field.kiosk("doctor", "--json")["findings"]
    assert finding["level"] == "ERR" and "reader[1]" in finding["what"]
    assert field.bin("b1")["state"] in ("starting", "ready")  # it goes on with what it has


def test_the_way_to_the_city_is_told_from_its_first_step_on(field: FieldStation) -> None:
    field.plug_all()
    secret = field.folder / "password"
    field.add_broker(f'username = "field-1"\npassword_file = "{secret}"')
    field.start()
    field.until_wrong("link..no_uplink")
    told_in_every_language(field, "link", "no_uplink")
    own = Signer.load(field.folder / "keys/station.key").public_key.hex()
    assert field.kiosk("status", "--json")["public_key"] == own
    field.start_uplink()
    field.until_wrong("link..password_file_unreadable")
    told_in_every_language(field, "link", "password_file_unreadable")
    secret.write_text("secret", encoding="utf-8")
    field.until_wrong("link..broker_unreachable")
    told_in_every_language(field, "link", "broker_unreachable")
    if LONG:
        field.kill_uplink()
        field.until_wrong("link..no_uplink")
    field.until_shown("online", False)

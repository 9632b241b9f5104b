"""Cards made, printed and imported at the command line, without a station that runs."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from cli_site import Said, Site

from kiosk.core.cards import base45, recovery, token
from kiosk.core.cards.names import foreign_id, pseudonym
from kiosk.settings import load
from sync.signing import Signer

NUMBERS = ["1234567-C", "7654321-A"]


def keys(site: Site) -> tuple[bytes, bytes]:
    """The card key and the pseudonym key."""
    folder = site.folder / "keys"
    names = ("card.key", "pseudonym.key")
    card, name = (bytes.fromhex((folder / one).read_text().strip()) for one in names)
    return card, name


def made(site: Site, *options: str, name: str = "cards.json") -> list[dict[str, Any]]:
    said = site.kiosk("card", "issue", str(site.folder / name), *options)
    assert (said.code, said.err) == (0, "")
    cards: list[dict[str, Any]] = json.loads((site.folder / name).read_text())["cards"]
    return cards


def no_card_in(said: Said, cards: list[dict[str, Any]]) -> None:
    for card in cards:
        assert card["token"] not in said.out + said.err
        assert card["recovery"] not in said.out + said.err


def test_a_batch_is_its_owners_alone_and_no_card_is_on_the_terminal(site: Site) -> None:
    out = site.folder / "cards.json"
    said = site.kiosk("card", "issue", str(out), "--count", "3", "--until", "2031-03-31", "--json")
    expected = {"cards": 3, "accounts": 3, "spare": False, "last_day": "2031-03-31"}
    assert said.value == {**expected, "key_id": 1, "files": [str(out)]}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    cards = json.loads(out.read_text())["cards"]
    no_card_in(said, cards)
    card_key, _ = keys(site)
    ids = {token.check(card["token"].encode(), {1: card_key}).random_id for card in cards}
    assert len(ids) == 3
    assert {recovery.parse(card["recovery"], [card_key]).random_id for card in cards} == ids


def test_a_households_cards_share_an_account_and_are_numbered(site: Site) -> None:
    cards = made(site, "--count", "2", "--household", "3")
    card_key, _ = keys(site)
    bodies = [token.check(card["token"].encode(), {1: card_key}) for card in cards]
    assert [card["number"] for card in cards] == ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3"]
    assert len({body.random_id for body in bodies}) == 6
    assert len({body.account_id for body in bodies}) == 2
    assert all(body.household and not body.spare for body in bodies)


def test_spares_say_so_and_the_newest_key_is_taken(site: Site) -> None:
    file = site.folder / "keys/card.key"
    file.write_text(f"3 {'ab' * 32}\n7 {'cd' * 32}\n")
    card = made(site, "--spare")[0]
    body = token.check(card["token"].encode(), {7: bytes.fromhex("cd" * 32)})
    assert body.spare
    said = site.kiosk("card", "issue", str(site.folder / "x.json"), "--key-id", "5", "--lang", "en")
    assert said.code == 2
    assert said.err == "There is no card key 5. The key file has: 3, 7.\n"
    assert not (site.folder / "x.json").exists()


def test_signed_cards_need_the_towns_private_key_and_none_of_the_stations(site: Site) -> None:
    (site.folder / "keys/card.key").unlink()
    signing = Signer.generate(site.folder / "town.key")
    card = made(site, "--sign-key", str(site.folder / "town.key"))[0]
    raw = base45.decode(card["token"].encode())
    assert len(raw) == 78
    from kiosk.cards.ciphers import LibraryCiphers

    ciphers = LibraryCiphers()
    assert ciphers.ed25519_verify(signing.public_key, raw[14:], b"kiosk-card-v2" + raw[:14])
    _, name_key = keys_of_names(site)
    assert recovery.parse(card["recovery"], [name_key]).random_id == raw[4:14]


def keys_of_names(site: Site) -> tuple[None, bytes]:
    return None, bytes.fromhex((site.folder / "keys/pseudonym.key").read_text().strip())


def test_a_batch_becomes_sheets_and_pictures_and_nothing_is_overwritten(site: Site) -> None:
    cards = made(site, "--count", "6")
    batch = str(site.folder / "cards.json")
    sheet = site.folder / "cards.pdf"
    said = site.kiosk("card", "print", batch, str(sheet), "--json")
    assert said.value == {"cards": 6, "files": [str(sheet)]}
    assert len(pypdfium2.PdfDocument(sheet)) == 2
    pictures = site.kiosk("card", "print", batch, str(site.folder / "c.svg"), "--card-lang", "en")
    no_card_in(pictures, cards)
    names = sorted(file.name for file in site.folder.glob("c-*"))
    assert names[:2] == ["c-1-card.svg", "c-1-slip.svg"] and len(names) == 12
    for file in (sheet, site.folder / "c-1-card.svg"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = site.kiosk("card", "print", batch, str(sheet), "--lang", "en")
    assert again.code == 2 and "there already" in again.err


@pytest.mark.parametrize(
    "text", ["", "{}", '{"format":"kiosk-cards-v1","cards":[]}', '{"format":1}', "\x00" * 9]
)
def test_what_is_no_batch_is_refused_without_a_word_of_it(site: Site, text: str) -> None:
    file = site.folder / "other.json"
    file.write_text(text or "SECRET")
    said = site.kiosk("card", "print", str(file), str(site.folder / "x.pdf"), "--lang", "en")
    assert said.code == 2 and "is no batch of cards" in said.err
    assert "SECRET" not in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("issue", "cards.txt"), "OUT ends in one of: .json, .pdf, .svg, .png."),
        (("issue", "a.pdf", "--until", "2019-12-31"), "--until takes a day"),
        (("issue", "a.pdf", "--until", "soon"), "--until takes a day"),
        (("issue", "a.pdf", "--until", "2020-01-01"), "--until 2020-01-01 is over already."),
        (("issue", "a.pdf", "--until", "2099-01-01", "--years", "2"), "either --years or --until"),
        (("issue", "a.pdf", "--count", "2000", "--household", "2"), "4000 cards are more"),
        (("issue", "no/such/folder/a.json"), "cannot be written"),
        (("revoke",), "Either the code of the slip is given, or --show"),
        (("replace", "ABC"), "A recovery code has 25 characters, this one 3."),
        (("replace", "ABCDU" * 5), "Group 1 has a character in place 5"),
        (("import", "station.toml", "out", "--as", "bus"), "--as takes one of: card, uid;"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(
    site: Site, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(site.folder)
    said = site.kiosk("card", *words, "--lang", "en")
    assert said.code == (1 if "written" in told else 2)
    assert told in said.err


def imported(site: Site, text: str, *options: str) -> tuple[Said, Path]:
    file, out = site.folder / "town.csv", site.folder / "town.list"
    file.write_text(text, encoding="utf-8")
    return site.kiosk("card", "import", str(file), str(out), *options), out


def test_a_librarys_numbers_become_sorted_pseudonyms(site: Site) -> None:
    with site.file.open("a", encoding="utf-8") as file:
        file.write('\n[[cards.foreign]]\nname = "library"\npattern = "[0-9]{7}-?[A-D]"\n')
    text = "\ufeff氏名,番号\r\n" + "".join(f'"山田, 花",{number}\r\n' for number in NUMBERS * 2)
    said, out = imported(site, text, "--as", "library", "--column", "番号", "--json")
    assert said.value == {"rows": 4, "cards": 2, "repeated": 2, "file": str(out)}
    _, key = keys(site)
    names = {pseudonym(key, "foreign", foreign_id("library", n.encode())).hex() for n in NUMBERS}
    assert out.read_text().split() == sorted(names)
    assert load(site.file).cards.foreign[0].name == "library"


def test_chips_numbers_are_taken_with_and_without_colons(site: Site) -> None:
    said, out = imported(site, "04:A1:B2:C3:D4:E5:80\n04a1b2c3d4e580\n", "--as", "uid")
    assert said.code == 0
    _, key = keys(site)
    assert out.read_text() == pseudonym(key, "nfc", bytes.fromhex("04a1b2c3d4e580")).hex() + "\n"


def test_the_offices_own_cards_are_taken_and_forged_ones_told_by_their_lines(site: Site) -> None:
    cards = made(site, "--count", "2")
    good = [card["token"] for card in cards]
    forged = good[0][:-1] + ("0" if good[0][-1] != "0" else "1")
    lines = [f'"{text}"' for text in (*good, forged, "HELLO", "")]
    said, out = imported(site, "\n".join(lines) + "\n", "--json")
    assert said.code == 2 and not out.exists()
    assert [error["code"] for error in said.value["errors"]] == ["import_line"] * 3
    no_card_in(said, cards)
    assert forged not in said.out
    said, out = imported(site, "\n".join(lines[:2]) + "\n", "--json")
    assert said.value["cards"] == 2


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"a" * 5000, b'"open', b"a\0b\n"])
def test_what_is_no_csv_is_refused(site: Site, raw: bytes) -> None:
    file = site.folder / "town.csv"
    file.write_bytes(raw)
    said = site.kiosk("card", "import", str(file), str(site.folder / "o"), "--as", "uid")
    assert said.code == 2 and not (site.folder / "o").exists()


@pytest.mark.parametrize("text", ["", "\n\n", "番号\n"])
def test_a_file_without_a_card_is_no_list(site: Site, text: str) -> None:
    said, out = imported(site, text, "--as", "uid", "--column", "番号", "--json")
    assert said.code == 2 and not out.exists()


@pytest.mark.parametrize("lines", ["1 {key}\n1 {other}\n", "1 {key}\n300 {other}\n"])
def test_keys_that_the_station_cannot_tell_apart_are_told_by_the_doctor(
    site: Site, lines: str
) -> None:
    file = site.folder / "keys" / "card.key"
    file.write_text(lines.format(key="11" * 32, other="22" * 32))
    doctor = site.kiosk("doctor", "keys", "--lang", "en")
    assert "Two keys in the file have one id, or an id is too large" in doctor.out
    issue = site.kiosk("card", "issue", str(site.folder / "a.pdf"), "--lang", "en")
    assert issue.code == 1 and "a key id stands twice, or is above 255" in issue.err


def test_a_hundred_wrong_lines_are_told_as_ten(site: Site) -> None:
    said, _ = imported(site, "x\n" * 100, "--as", "uid", "--json")
    assert len(said.value["errors"]) == 10

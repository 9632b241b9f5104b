"""Chips that prove themselves: NXP's own examples, and whatever else a URL may hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hw_sim.ntag424 import Ntag424
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.cards import sun_keys
from kiosk.cards.ciphers import LibraryCiphers
from kiosk.cards.keys import desk
from kiosk.core import cards
from kiosk.core.cards import CardDesk, CardError, pseudonym
from kiosk.core.cards.knowledge import Count, Standing
from kiosk.core.cards.sun import MAX_URL_BYTES, Sun, SunKey, SunMessage, Template, diversified
from kiosk.core.errors import DeviceError
from kiosk.core.events import CardRefused, CardSeen
from kiosk.doctor.ground import SUN_KEY_TEXT, key
from kiosk.settings.shape import Cards, Paths

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
CIPHERS = LibraryCiphers()
ZERO = bytes(16)
PSEUDONYM_KEY = bytes(range(32, 64))
UID = bytes.fromhex("04de5f1eacc040")
RANDOM_UID = bytes.fromhex("08a1b2c3")
ADDRESS = "https://town.example/c?k=1&picc_data={picc}&cmac={mac}"
META, FILE = bytes(range(16)), bytes(range(16, 32))
TODAY = cards.day_of(2026, 11, 24)


class Memory:
    """Counters in memory."""

    def __init__(self) -> None:
        self.last: dict[bytes, int] = {}

    def count(self, name: bytes, counter: int, /) -> Count:
        last = self.last.get(name, -1)
        if counter > last:
            self.last[name] = counter
            return "fresh"
        return "replayed" if counter == last else "copied"


def sun(*keys: SunKey, template: str = "picc_data={picc}&cmac={mac}") -> Sun:
    return Sun(keys or (SunKey(FILE, META),), Template(template), CIPHERS, Memory())


def chip(uid: bytes = UID, counter: int = 0, address: str = ADDRESS) -> Ntag424:
    return Ntag424(uid, address, meta_key=META, file_key=FILE, counter=counter)


# -- NXP AN12196 ----------------------------------------------------------------------------------


def test_an12196_encrypted_picc_data_and_a_tag_over_nothing() -> None:
    """Rev. 1.9 3.4.2.1 table 2 and 3.4.4.2.1 table 4 (4.4.2.1 and 4.4.4.2.1 in rev. 1.5)."""
    own = sun(SunKey(ZERO, ZERO), template="https://ntag.nxp.com/424?e={picc}&c={mac}")
    url = b"https://ntag.nxp.com/424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086"
    assert own.open(url, UID) == SunMessage(UID, 0x3D, None)
    sealed = bytes.fromhex("ef963ff7828658a599f3041510671e88")
    plain = CIPHERS.aes_cbc_decrypt(ZERO, ZERO, sealed)
    assert plain.hex() == "c704de5f1eacc0403d0000da5cf60941"
    session = CIPHERS.aes_cmac(ZERO, bytes.fromhex("3cc300010080" + "04de5f1eacc040" + "3d0000"))
    assert session.hex() == "3fb5f6e3a807a03d5e3570ace393776f"


def test_an12196_a_tag_over_encrypted_file_data() -> None:
    """Rev. 1.9 3.4.4.2.2 table 5 (4.4.4.2.2 in rev. 1.5): the tagged text begins in the URL."""
    own = sun(SunKey(ZERO, ZERO), template="?picc_data={picc}&enc={from}{enc}&cmac={mac}")
    url = (
        b"https://my424dna.com/?picc_data=FD91EC264309878BE6345CBE53BADF40"
        b"&enc=CEE9A53E3E463EF1F459635736738962&cmac=ECC1E7F6C6C73BF6"
    )
    uid = bytes.fromhex("04958caa5c5e80")
    assert own.open(url, uid) == SunMessage(uid, 8, None)
    with pytest.raises(CardError):
        own.open(url.replace(b"CEE9", b"CEE8"), uid)


def test_a_uid_and_a_counter_in_plain() -> None:
    """The example that public verifiers of such chips are shown with (key 0)."""
    own = sun(SunKey(ZERO), template="?uid={uid}&ctr={ctr}&cmac={mac}")
    url = b"https://my424dna.com/?uid=041E3C8A2D6B80&ctr=000006&cmac=4B00064004B0B3D3"
    uid = bytes.fromhex("041e3c8a2d6b80")
    assert own.open(url, uid) == SunMessage(uid, 6, None)


def test_a_chips_own_key_is_that_of_an10922() -> None:
    """AN10922 2.2.1: AES-128, M = UID, application, system."""
    key = bytes.fromhex("00112233445566778899aabbccddeeff")
    message = bytes.fromhex("04782e21801d80" + "3042f5" + "4e585020416275")
    made = diversified(CIPHERS, key, message)
    assert made.hex() == "a8dd63a3b89d54b37ca802473fda9175"
    own = sun(SunKey(key, META, rest=message[7:]))
    uid = message[:7]
    peer = Ntag424(uid, ADDRESS, meta_key=META, file_key=made)
    assert own.open(peer.url(), uid) == SunMessage(uid, 1, None)


# -- what a chip says ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        "http://a/?u={uid}&n={ctr}&m={mac}",
        "https://a/?{from}picc_data={picc}&cmac={mac}",
        "https://a/{from}{uid}x{ctr}/{mac}/end",
    ],
)
def test_a_chip_of_each_form_is_understood_and_its_neighbour_is_not(address: str) -> None:
    own = sun(template=address)
    assert own.open(chip(address=address, counter=41).url(), UID) == SunMessage(UID, 42, None)
    other = Ntag424(UID, address, meta_key=bytes(16), file_key=bytes(16))
    with pytest.raises(CardError, match="none of the keys"):
        own.open(other.url(), UID)


def test_a_chip_with_a_random_number_is_known_by_its_message_alone() -> None:
    assert sun().open(chip().url(), RANDOM_UID) == SunMessage(UID, 1, None)


def test_a_message_from_another_chip_is_forged() -> None:
    with pytest.raises(CardError) as caught:
        sun().open(chip().url(), bytes.fromhex("04a1b2c3d4e580"))
    assert caught.value.reason == "forged"


def test_keys_are_changed_while_chips_of_both_are_about() -> None:
    own = sun(SunKey(bytes(16), bytes(16)), SunKey(FILE, META, last_day=TODAY))
    assert own.open(chip().url(), UID) == SunMessage(UID, 1, TODAY)


def test_an_address_of_another_form_is_no_message_of_the_towns() -> None:
    own = sun()
    url = chip().url()
    for other in (
        b"",
        b"https://town.example/",
        url + b"x",
        url.lower(),
        url[:-1],
        bytes(600) + url,
    ):
        assert own.open(other, UID) is None
    assert len(url) + 600 > MAX_URL_BYTES


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.integers(0, 200), st.sampled_from(b"0123456789ABCDEF"))
def test_no_changed_digit_of_a_message_holds(at: int, digit: int) -> None:
    url = bytearray(chip().url())
    begin = url.index(b"picc_data=")
    at = begin + at % (len(url) - begin)
    if url[at] == digit:
        return
    url[at] = digit
    try:
        assert sun().open(bytes(url), UID) is None
    except CardError as error:
        assert error.reason == "forged"


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.binary(max_size=700))
def test_any_bytes_are_judged(url: bytes) -> None:
    assert sun().open(url, UID) is None


@pytest.mark.parametrize(
    "text",
    [
        "?c={mac}",
        "?p={picc}",
        "?p={picc}&u={uid}&c={mac}",
        "?u={uid}&c={mac}",
        "?p={picc}&c={mac}&c={mac}",
        "?p={picc}&c={cmac}",
        "?p={picc&c={mac}",
        "?p={picc}&c={mac}{from}",
        "?p={picc}&c={mac}é",
        "?p={picc}&c={mac}\n",
        "?p={picc}&c={mac}" + "x" * 400,
        "",
    ],
)
def test_a_form_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Template(text)


def test_a_form_with_picc_data_needs_a_key_for_it() -> None:
    with pytest.raises(ValueError, match="PICCData"):
        sun(SunKey(FILE))


# -- at the desk --------------------------------------------------------------------------------------


class Closed(set[bytes]):
    def standing(self, name: bytes, /, *, proves: bool = True) -> Standing:
        return "closed" if name in self else "good"


def shown(desk: CardDesk, url: bytes, day: int | None = TODAY) -> CardSeen | CardRefused:
    proved = desk.open_sun(url, uid=UID)
    assert proved is not None
    return desk.identify_sun(proved, t_ms=3, day=day)


def reason(outcome: CardSeen | CardRefused) -> str:
    assert isinstance(outcome, CardRefused)
    return outcome.reason


def test_a_chip_that_proves_itself_has_a_name_of_its_own() -> None:
    desk = CardDesk({}, PSEUDONYM_KEY, sun=sun())
    name = pseudonym(PSEUDONYM_KEY, "sun", UID)
    assert shown(desk, chip().url()) == CardSeen(3, name, "nfc", proves=True)
    assert name != pseudonym(PSEUDONYM_KEY, "nfc", UID)


def test_a_message_shown_before_and_one_from_before_are_told_apart() -> None:
    desk, own = CardDesk({}, PSEUDONYM_KEY, sun=sun()), chip()
    old, new = own.url(), own.url()
    assert isinstance(shown(desk, new), CardSeen)
    assert reason(shown(desk, new)) == "replayed"
    assert reason(shown(desk, old)) == "copied"
    assert isinstance(shown(desk, own.url()), CardSeen)


def test_a_message_shown_before_the_pseudonyms_changed_is_a_replay_after() -> None:
    memory, own = Memory(), chip()
    keys = Sun((SunKey(FILE, META),), Template("picc_data={picc}&cmac={mac}"), CIPHERS, memory)
    url = own.url()
    new_key = bytes(range(64, 96))
    assert isinstance(shown(CardDesk({}, PSEUDONYM_KEY, sun=keys), url), CardSeen)
    both = CardDesk({}, new_key, former_key=PSEUDONYM_KEY, sun=keys)
    assert reason(shown(both, url)) == "replayed"
    seen = shown(both, own.url())
    assert isinstance(seen, CardSeen)
    assert seen.formerly == pseudonym(PSEUDONYM_KEY, "sun", UID)
    after = CardDesk({}, new_key, sun=keys)
    assert reason(shown(after, url)) == "copied"


def test_chips_expire_with_their_key_and_not_without_a_clock() -> None:
    desk = CardDesk({}, PSEUDONYM_KEY, sun=sun(SunKey(FILE, META, last_day=TODAY)))
    own = chip()
    assert isinstance(shown(desk, own.url(), TODAY), CardSeen)
    assert reason(shown(desk, own.url(), TODAY + 1)) == "expired"
    assert isinstance(shown(desk, own.url(), None), CardSeen)


def test_a_lost_chip_is_closed() -> None:
    closed = Closed({pseudonym(PSEUDONYM_KEY, "sun", UID)})
    desk = CardDesk({}, PSEUDONYM_KEY, sun=sun(), lists=closed)
    assert reason(shown(desk, chip().url())) == "closed"


def test_nothing_of_a_chip_shows_in_anything_printable() -> None:
    own = chip()
    url = own.url()
    desk = CardDesk({}, PSEUDONYM_KEY, sun=sun())
    with pytest.raises(CardError) as caught:
        desk.open_sun(url[:-1] + b"G", uid=UID) or desk.open_sun(url[:-16] + b"0" * 16, uid=UID)
    text = f"{desk.open_sun(url, uid=UID)!r} {SunKey(FILE, META)!r} {caught.value!r} {desk!r}"
    assert UID.hex() not in text.lower()
    assert FILE.hex() not in text and repr(FILE) not in text and repr(UID) not in text


# -- the key file -------------------------------------------------------------------------------------

LINE = f"{META.hex()} {FILE.hex()}"


def test_the_key_file_says_keys_days_and_what_makes_a_chips_own() -> None:
    text = f"# of 2026\n{LINE} 2031-03-31 # blue\n\n- {FILE.hex().upper()} - 3042f54e585020416275\n"
    assert sun_keys.parsed(text.encode()) == [
        SunKey(FILE, META, None, cards.day_of(2031, 3, 31)),
        SunKey(FILE, None, bytes.fromhex("3042f54e585020416275"), None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        LINE,
        f"{LINE} 2031-02-30",
        f"{LINE} - 3042f5",
        f"{LINE} - 3042f54e5850204162756",
        f"{META.hex()} - -",
        f"{META.hex()[1:]} {FILE.hex()} -",
        f"{LINE} - 3042f54e585020416275 more",
        f"{LINE} -\n" * 9,
        f"{LINE} \u2013",
    ],
)
def test_a_broken_key_file_stops_the_reader_and_says_nothing_of_its_content(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "sun.key"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeviceError) as caught:
        sun_keys.sun(path, "{picc}{mac}", Memory())
    assert caught.value.code == "card_keys"
    assert caught.value.__cause__ is None
    assert FILE.hex() not in str(caught.value)


def test_a_town_without_such_chips_has_no_file(tmp_path: Path) -> None:
    assert sun_keys.sun(tmp_path / "sun.key", "{picc}{mac}", Memory()) is None


def test_a_key_without_picc_data_does_not_fit_a_form_with_it(tmp_path: Path) -> None:
    path = tmp_path / "sun.key"
    path.write_text(f"- {FILE.hex()} -\n")
    with pytest.raises(DeviceError):
        sun_keys.sun(path, "{picc}{mac}", Memory())
    assert sun_keys.sun(path, "{uid}{ctr}{mac}", Memory()) is not None


def test_the_station_takes_chips_where_the_file_is_and_the_doctor_reads_it_alike(
    tmp_path: Path,
) -> None:
    paths = Paths(data=tmp_path, keys=tmp_path)
    paths.card_key.write_text(FILE.hex() * 2)
    paths.pseudonym_key.write_text(PSEUDONYM_KEY.hex())
    assert not desk(paths, Cards(), counters=Memory()).takes_sun
    for text in (
        f"{LINE} -",
        f"\r\n {LINE}\t-\r\n# x",
        f"# {LINE}\n\n{LINE}  2031-03-31 # x\n- {LINE}",
    ):
        paths.sun_key.write_text(text)
        paths.sun_key.chmod(0o600)
        found = [one.case for one in key(paths.sun_key, SUN_KEY_TEXT)]
        if text.startswith("#"):  # the last line has a word too many before its day
            assert found == ["malformed"]
            with pytest.raises(DeviceError):
                desk(paths, Cards(), counters=Memory())
        else:
            assert found == []
            assert desk(paths, Cards(), counters=Memory()).takes_sun


def test_the_doctor_is_not_held_up_by_a_file_full_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sun.key"
    path.write_text(" \t" * 30_000 + "x")
    assert [one.case for one in key(path, SUN_KEY_TEXT) if one.case != "open"] == ["malformed"]

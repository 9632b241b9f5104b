"""Key files: what is in them, what is wrong with them, and that nothing of them is ever said."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from kiosk.cards.keys import desk, numbered_keys, pseudonym_keys, public_keys
from kiosk.core import cards
from kiosk.core.cards import CardBody, signed
from kiosk.core.errors import DeviceError
from kiosk.core.events import CardRefused, CardSeen
from kiosk.doctor import ground
from kiosk.settings.shape import Cards, Foreign, Paths
from sync.signing import Signer

NEW, OLD, CARD = "aa" * 32, "bb" * 32, "cc" * 32
BODY = CardBody(3, cards.day_of(2030, 3, 31), bytes(range(10)))
SIGNER = Signer(b"the-town's-signing-key--32-bytes")
TODAY = cards.day_of(2026, 11, 24)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "pseudonym.key").write_text(f"{NEW}\n")
    return Paths(keys=tmp_path)


def test_one_bare_line_is_the_key_and_two_are_the_new_one_and_the_former(paths: Paths) -> None:
    assert pseudonym_keys(paths.pseudonym_key) == (bytes.fromhex(NEW), None)
    paths.pseudonym_key.write_text(f"{NEW}\n{OLD}\n\n")
    assert pseudonym_keys(paths.pseudonym_key) == (bytes.fromhex(NEW), bytes.fromhex(OLD))


@pytest.mark.parametrize(
    "text",
    ["", "\n", f"{NEW}\n{OLD}\n{CARD}", f"{NEW}\n{NEW}", NEW[:-2], f"1 {NEW}", f"{NEW}{OLD}"],
)
def test_anything_else_is_no_pseudonym_key_and_the_doctor_agrees(paths: Paths, text: str) -> None:
    paths.pseudonym_key.write_text(text)
    with pytest.raises(DeviceError) as caught:
        pseudonym_keys(paths.pseudonym_key)
    assert caught.value.code == "card_keys"
    paths.pseudonym_key.chmod(0o600)
    found = list(ground.key(paths.pseudonym_key, ground.PSEUDONYM_KEY_TEXT))
    assert [finding.case for finding in found] == ["malformed"] or text == f"{NEW}\n{NEW}"


@pytest.mark.parametrize("text", [f"1 {CARD}\n1 {OLD}", f"256 {CARD}", "", f"x {CARD}", CARD[:-1]])
def test_card_keys_have_an_id_each_and_each_id_once(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.key").write_text(text)
    with pytest.raises(DeviceError):
        numbered_keys(tmp_path / "card.key")


def test_a_town_without_a_secret_has_signed_cards_alone(paths: Paths) -> None:
    paths.card_pub.write_text(f"3 {SIGNER.public_key.hex()}\n")
    known = desk(paths, Cards())
    good = signed.issue(BODY, SIGNER.sign)
    assert isinstance(known.identify_qr(good, t_ms=0, day=TODAY), CardSeen)
    assert known.identify_qr(good, t_ms=0, day=BODY.last_day + 1) == CardRefused(0, "qr", "expired")
    forged = signed.issue(BODY, Signer(b"another-town's-key------32-bytes").sign)
    assert known.identify_qr(forged, t_ms=0, day=TODAY) == CardRefused(0, "qr", "forged")
    stranger = signed.issue(CardBody(4, BODY.last_day, BODY.random_id), SIGNER.sign)
    assert known.identify_qr(stranger, t_ms=0, day=TODAY) == CardRefused(0, "qr", "unknown")
    tagged = cards.issue(BODY, bytes.fromhex(CARD))
    assert known.identify_qr(tagged, t_ms=0, day=TODAY) == CardRefused(0, "qr", "unknown")


def test_a_card_renewed_as_a_signed_one_stays_the_same_person(paths: Paths) -> None:
    paths.card_pub.write_text(f"3 {SIGNER.public_key.hex()}\n")
    paths.card_key.write_text(f"3 {CARD}\n")
    known = desk(paths, Cards())
    tagged = known.identify_qr(cards.issue(BODY, bytes.fromhex(CARD)), t_ms=0, day=TODAY)
    assert known.identify_qr(signed.issue(BODY, SIGNER.sign), t_ms=0, day=TODAY) == tagged


@pytest.mark.parametrize("key", ["00" * 32, "01" + "00" * 31])
def test_a_public_key_under_which_anybody_could_sign_is_none(paths: Paths, key: str) -> None:
    paths.card_pub.write_text(f"1 {key}\n")
    with pytest.raises(DeviceError):
        public_keys(paths.card_pub)


def test_a_signed_card_with_any_byte_changed_is_never_admitted(paths: Paths) -> None:
    paths.card_pub.write_text(f"3 {SIGNER.public_key.hex()}\n")
    known = desk(paths, Cards())
    good = signed.issue(BODY, SIGNER.sign)
    for at in range(len(good)):
        broken = good[:at] + (b"A" if good[at : at + 1] != b"A" else b"B") + good[at + 1 :]
        assert isinstance(known.identify_qr(broken, t_ms=0, day=TODAY), CardRefused)


def test_the_settings_describe_a_librarys_codes(paths: Paths) -> None:
    paths.card_key.write_text(f"{CARD}\n")
    rules = Cards(foreign=(Foreign(name="library", pattern=r"\d{8}"),))
    seen = desk(paths, rules).identify_qr(b"12345678", t_ms=0, day=None)
    assert isinstance(seen, CardSeen) and seen.by == "foreign" and not seen.proves


@pytest.mark.parametrize("content", [f"{NEW}\nff{OLD[2:-1]}".encode(), NEW.encode() + b"\xff"])
def test_a_damaged_key_file_says_nothing_of_the_key(paths: Paths, content: bytes) -> None:
    paths.pseudonym_key.write_bytes(content)
    with pytest.raises(DeviceError) as caught:
        desk(paths, Cards())
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert NEW[:16] not in said and OLD[2:18] not in said
    assert (
        caught.value.__context__ is None or b"aaaa" not in repr(caught.value.__context__).encode()
    )

"""docs/cards.md says what the code does: vectors, words, patterns."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

import pytest

from kiosk.cards.ciphers import LibraryCiphers
from kiosk.core import cards
from kiosk.core.cards import CardBody, base45, signed, token
from kiosk.core.cards.foreign import Pattern
from kiosk.core.cards.names import foreign_id
from sync.signing import Signer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/cards.md").read_text(encoding="utf-8")
VECTORS = dict(re.findall(r"^\| `(\w+)`[^|]*\| `([^`]+)` \|$", PAGE, re.MULTILINE))
BODY = CardBody(1, cards.day_of(2030, 3, 31), bytes.fromhex(VECTORS["random_id"]))


def vector(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name])


def test_the_tagged_card_of_the_page_is_made_and_judged() -> None:
    text = VECTORS["tagged_text"].encode()
    assert token.issue(BODY, vector("card_key")) == text
    assert token.check(text, {1: vector("card_key")}) == BODY


def test_the_signed_card_of_the_page_is_made_and_judged() -> None:
    signer, text = Signer(vector("seed")), VECTORS["signed_text"].encode()
    assert signed.issue(BODY, signer.sign) == text
    assert signed.check(text, {1: signer.public_key}, LibraryCiphers()) == BODY


def test_both_cards_can_be_put_together_by_hand_from_the_tables() -> None:
    packed = bytes.fromhex("0101" + f"{BODY.last_day - cards.day_of(2020, 1, 1):04x}")
    packed += BODY.random_id
    tag = hmac.digest(vector("card_key"), b"kiosk-card-v1" + packed, hashlib.sha256)[:16]
    assert base45.encode(packed + tag).decode() == VECTORS["tagged_text"]
    packed = b"\x02" + packed[1:]
    signature = Signer(vector("seed")).sign(b"kiosk-card-v2" + packed)
    assert base45.encode(packed + signature).decode() == VECTORS["signed_text"]


@pytest.mark.parametrize(
    ("key", "scheme", "identifier", "name"),
    [
        ("pseudonym_key", "qr", vector("random_id"), "qr_name"),
        ("former_key", "qr", vector("random_id"), "qr_name_formerly"),
        ("pseudonym_key", "nfc", vector("uid"), "nfc_name"),
        (
            "pseudonym_key",
            "foreign",
            b"library\0" + VECTORS["foreign_code"].encode(),
            "foreign_name",
        ),
    ],
)
def test_the_pseudonyms_of_the_page_come_out(
    key: str, scheme: str, identifier: bytes, name: str
) -> None:
    message = b"kiosk-pseudonym-v1\0" + scheme.encode() + b"\0" + identifier
    assert hmac.digest(vector(key), message, hashlib.sha256)[:16].hex() == VECTORS[name]
    known = cards.pseudonym(vector(key), scheme, identifier)  # type: ignore[arg-type]
    assert known.hex() == VECTORS[name]


def test_a_foreign_code_brings_the_name_that_the_settings_give_it() -> None:
    code = VECTORS["foreign_code"].encode()
    assert foreign_id("library", code) == b"library\0" + code
    assert Pattern("[0-9]{7}-?[A-D]").matches(code)


def test_every_domain_separation_string_of_cards_is_on_the_page() -> None:
    sources = [*(ROOT / "kiosk/core/cards").glob("*.py"), *(ROOT / "kiosk/cards").glob("*.py")]
    words = {
        found
        for source in sources
        for found in re.findall(r'b"(kiosk-[a-z-]+-v\d+)', source.read_text(encoding="utf-8"))
    }
    assert len(words) >= 3
    assert [word for word in sorted(words) if f"| `{word}` |" not in PAGE] == []

"""The ciphers that cards need, against their standards' own vectors."""

from __future__ import annotations

import pytest

from kiosk.cards.ciphers import LibraryCiphers
from kiosk.core.cards.ciphers import Ciphers

CIPHERS: Ciphers = LibraryCiphers()
AES_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
ED_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
ED_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


@pytest.mark.parametrize(
    ("length", "mac"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_cmac_is_that_of_rfc_4493(length: int, mac: str) -> None:
    assert CIPHERS.aes_cmac(AES_KEY, PLAIN[:length]).hex() == mac


def test_cbc_is_that_of_sp_800_38a() -> None:
    """F.2.2, CBC-AES128.Decrypt."""
    coded = bytes.fromhex(
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
    )
    assert CIPHERS.aes_cbc_decrypt(AES_KEY, bytes(range(16)), coded) == PLAIN
    assert CIPHERS.aes_cbc_decrypt(AES_KEY, bytes(range(16)), b"") == b""


def test_ed25519_is_that_of_rfc_8032() -> None:
    assert CIPHERS.ed25519_verify(ED_KEY, ED_SIGNATURE, b"\x72")


def test_a_signature_under_other_words_or_another_key_verifies_nothing() -> None:
    assert not CIPHERS.ed25519_verify(ED_KEY, ED_SIGNATURE, b"\x73")
    assert not CIPHERS.ed25519_verify(ED_KEY, bytes(64), b"\x72")
    assert not CIPHERS.ed25519_verify(ED_KEY, ED_SIGNATURE[:63], b"\x72")
    assert not CIPHERS.ed25519_verify(bytes(31), ED_SIGNATURE, b"\x72")
    assert not CIPHERS.ed25519_verify(AES_KEY * 2, ED_SIGNATURE, b"\x72")


@pytest.mark.parametrize(
    ("key", "iv", "size"), [(15, 16, 16), (32, 16, 16), (16, 12, 16), (16, 16, 17)]
)
def test_a_wrong_length_is_refused_without_saying_what_was_there(
    key: int, iv: int, size: int
) -> None:
    with pytest.raises(ValueError) as caught:
        CIPHERS.aes_cbc_decrypt(b"\xc5" * key, b"\xc6" * iv, b"\xc7" * size)
    assert not any(secret in str(caught.value) for secret in ("c5", "c6", "c7"))

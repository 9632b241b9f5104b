"""The ciphers of cards, by the library ``cryptography``.

Imported only where a card needs one: its import costs a start some tens of milliseconds.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from sync.signing import verify

BLOCK_BYTES = 16
KEY_BYTES = 16


class LibraryCiphers:
    """``kiosk.core.cards.ciphers.Ciphers``. Keeps nothing, so threads may share one.

    ValueError for a key, an IV or data of the wrong length, without repeating them; a public key that is
    no point, or a signature of another length, verifies nothing.
    """

    def aes_cmac(self, key: bytes, message: bytes) -> bytes:
        cmac = CMAC(algorithms.AES(_sized(key, KEY_BYTES, "an AES-128 key")))
        cmac.update(message)
        return cmac.finalize()

    def aes_cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        if len(data) % BLOCK_BYTES:
            raise ValueError(f"AES-CBC data comes in blocks of {BLOCK_BYTES} bytes")
        cipher = Cipher(
            algorithms.AES(_sized(key, KEY_BYTES, "an AES-128 key")),
            modes.CBC(_sized(iv, BLOCK_BYTES, "an IV")),
        )
        decryptor = cipher.decryptor()
        return decryptor.update(data) + decryptor.finalize()

    def ed25519_verify(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        return verify(public_key, signature, message)


def _sized(value: bytes, size: int, what: str) -> bytes:
    if len(value) != size:
        raise ValueError(f"{what} has {size} bytes")
    return value

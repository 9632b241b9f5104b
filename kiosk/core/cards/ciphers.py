"""The ciphers that cards need and the standard library lacks, as a port."""

from __future__ import annotations

from typing import Protocol


class Ciphers(Protocol):
    """Implemented at the edge by a library. None of them raises for wrong data of the right length."""

    def aes_cmac(self, key: bytes, message: bytes) -> bytes:
        """NIST SP 800-38B with a key of 16 bytes; 16 bytes."""
        ...

    def aes_cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Key and ``iv`` of 16 bytes, ``data`` whole blocks of 16, no padding."""
        ...

    def ed25519_verify(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """RFC 8032; a key of 32 bytes, a signature of 64."""
        ...

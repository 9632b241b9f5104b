"""Ed25519 (RFC 8032): the station signs its batches, the city its acknowledgements.

A key file holds the 32-byte private seed as 64 hexadecimal digits and a line feed. It is written as
a temporary file, synced, renamed, and its folder synced, so that a power cut leaves no file or a
whole one; nobody but its owner may read it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.core.errors import OperatorError

KEY_BYTES = 32
SIGNATURE_BYTES = 64
_SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""The points whose order divides 8, in every encoding, without the sign bit."""
_SEED_TEXT = re.compile(rb"([0-9a-f]{64})\n?")


class Signer:
    """One private key. Its bytes never leave the object except into its own file."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key: bytes = self._key.public_key().public_bytes_raw()

    @classmethod
    def load(cls, path: Path) -> Signer:
        """The key in ``path``; OperatorError when it is missing, readable by all, or no key."""
        try:
            text = path.read_bytes()
            mode = path.stat().st_mode
        except OSError as error:
            raise OperatorError(
                "key_file_unreadable",
                f"The key file {path} cannot be read ({error.strerror}).",
                "Create the key, or correct the path in the settings.",
                file=path,
                reason=error.strerror,
            ) from error
        if mode & 0o007:
            raise OperatorError(
                "key_file_open",
                f"Everybody on this machine may read the key file {path}.",
                f"Run: chmod 600 {path}",
                file=path,
            )
        match = _SEED_TEXT.fullmatch(text)
        if match is None:
            raise OperatorError(
                "key_file_malformed",
                f"The key file {path} does not hold 64 hexadecimal digits.",
                "Put the right file there, or move it away and create a new key.",
                file=path,
            )
        return cls(bytes.fromhex(match[1].decode()))

    @classmethod
    def generate(cls, path: Path) -> Signer:
        """A new key, kept in ``path``; OperatorError when a file is there already."""
        if path.exists():
            raise OperatorError(
                "key_file_exists",
                f"There is a key file {path} already.",
                "Use it, or move it away first: what it signed cannot be signed again.",
            )
        key = Ed25519PrivateKey.generate()
        write_durably(path, key.private_bytes_raw().hex().encode() + b"\n", mode=0o600)
        return cls.load(path)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes; the same message gives the same one (RFC 8032, 5.1.6)."""
        return self._key.sign(message)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is the key's over ``message``; any lengths may come in."""
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_weak(public_key: bytes) -> bool:
    """Whether the key is a point of small order: signatures under it can be made without a secret."""
    return public_key[:-1] + bytes([public_key[-1] & 0x7F]) in _SMALL_ORDER


def write_durably(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` so that a power cut leaves the old file or the new one, whole."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

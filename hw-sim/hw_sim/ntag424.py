"""Chips that speak ISO/IEC 14443-4: a file that is read, and NTAG 424 DNA, which signs what it shows.

After NT4H2421Gx (8.2 the files, 9.3 secure dynamic messaging, 10 the commands) and NXP AN12196. It shares
no code with the station, so that a mistake made there is not made here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

FILE_BYTES = 256
HTTPS = b"https://"
APPLICATION = bytes.fromhex("d2760000850101")
GONE = b""
"""The card is out of reach: the reader's chip says so by its status."""


class FileChip:
    """A Type 4 tag with an NDEF file that holds ``url``. ``steps`` so many commands it answers before it
    is out of reach, None for all of them."""

    def __init__(self, url: bytes) -> None:
        self._url = url
        self._place = ""
        self._file = b""
        self.steps: int | None = None
        self.spoil: Callable[[bytes], bytes] | None = None
        """What the way from the card to us makes of its answers."""

    def power(self) -> None:
        """The field came on: nothing is selected."""
        self._place = ""

    def url(self) -> bytes:
        """What the file shows from now on until it is selected anew."""
        return self._url

    def exchange(self, apdu: bytes) -> bytes:
        """The answer with its status word, or ``GONE``."""
        if self.steps is not None:
            if self.steps == 0:
                return GONE
            self.steps -= 1
        answer = self._answer(apdu)
        return answer if self.spoil is None else self.spoil(answer)

    def _answer(self, apdu: bytes) -> bytes:
        head, rest = apdu[:4], apdu[4:]
        if head == bytes.fromhex("00a40400"):
            if rest[1 : 1 + rest[0]] != APPLICATION:
                return b"\x6a\x82"
            self._place = "application"
            return b"\x90\x00"
        if head == bytes.fromhex("00a4000c"):
            if self._place == "" or rest != bytes.fromhex("02e104"):
                return b"\x6a\x82"
            self._place, self._file = "file", b""
            return b"\x90\x00"
        if head[:2] == b"\x00\xb0" and self._place == "file":
            if not self._file:  # the first read since the selection: here the chip counts
                self._file = ndef_file(self.url())
            at = int.from_bytes(head[2:4], "big")
            return self._file[at : at + (rest[0] or 256)] + b"\x90\x00"
        return b"\x6d\x00"


class Ntag424(FileChip):
    """One chip with its keys; ``address`` with the places ``{picc}``, ``{uid}``, ``{ctr}``, ``{from}`` and
    ``{mac}`` where it writes, as ``kiosk.core.cards.sun`` documents them."""

    def __init__(
        self,
        uid: bytes,
        address: str,
        *,
        meta_key: bytes = bytes(16),
        file_key: bytes = bytes(16),
        counter: int = 0,
    ) -> None:
        super().__init__(b"")
        self.uid = uid
        self.counter = counter
        self._address = address
        self._meta_key = meta_key
        self._file_key = file_key

    def url(self) -> bytes:
        self.counter += 1
        low_first = self.counter.to_bytes(3, "little")
        plain = b"\xc7" + self.uid + low_first + bytes(5)
        encryptor = Cipher(algorithms.AES(self._meta_key), modes.CBC(bytes(16))).encryptor()
        text = self._address.format_map(
            {
                "picc": (encryptor.update(plain) + encryptor.finalize()).hex().upper(),
                "uid": self.uid.hex().upper(),
                "ctr": f"{self.counter:06X}",
                "from": "\x01",
                "mac": "\x02",
            }
        )
        tagged = re.search("\x01(.*)\x02", text)
        session = cmac(self._file_key, bytes.fromhex("3cc300010080") + self.uid + low_first)
        tag = cmac(session, tagged[1].encode() if tagged else b"")[1::2]
        return text.replace("\x01", "").replace("\x02", tag.hex().upper()).encode()


def ndef_file(url: bytes) -> bytes:
    """An NDEF file of one short URI record, filled up as a chip's is."""
    code, rest = (4, url.removeprefix(HTTPS)) if url.startswith(HTTPS) else (0, url)
    payload = bytes((code,)) + rest
    record = b"\xd1\x01" + bytes((len(payload),)) + b"U" + payload
    return (len(record).to_bytes(2, "big") + record).ljust(FILE_BYTES, b"\0")


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC."""
    made = CMAC(algorithms.AES(key))
    made.update(message)
    return made.finalize()

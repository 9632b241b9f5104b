"""NTAG 424 DNA: the message with which a chip proves itself, verified without a network.

Invariant: what comes out was said by a chip that holds one of the town's keys. Whether it was said only
now is the counter's matter (``knowledge.Counters``).

At every first read of its NDEF file the chip counts, and writes into the URL that it shows its UID and the
counter, encrypted or plain, and a tag over them ("SUN", secure unique NFC message). Source: NXP AN12196
(NTAG 424 DNA features and hints), section 3 of revision 1.9, 4.4 of the older ones; NT4H2421Gx 9.3.

::

    PICCData      AES-CBC, IV 0, key K_meta:  C7  UID(7)  counter(3, low byte first)  random(5)
    session key   CMAC(K_file, 3C C3 00 01 00 80 ‖ UID ‖ counter(3, low byte first))
    tag           bytes 1, 3, 5 … 15 of CMAC(session key, the URL's text from {from} up to {mac})

**Template.** What a chip's URL ends with, letter by letter, with the places where the chip writes:
``{picc}`` the encrypted PICCData, or ``{uid}`` and ``{ctr}`` in plain; ``{enc}`` encrypted file data
(skipped); ``{mac}`` the tag; ``{from}`` where the tagged text begins, nothing being tagged without it. All
are upper-case hexadecimal digits, as the chip writes them. A URL of another form is not the town's.

**Keys.** One K_file for all chips, or one of each chip's own, made from its UID as in NXP AN10922 (2.2):
``CMAC(K_file, 01 ‖ UID ‖ rest)``, ``rest`` at least 9 bytes. ``last_day`` the last on which the chips
of this key are good: a chip itself knows no date.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kiosk.core.cards.ciphers import Ciphers
from kiosk.core.cards.knowledge import Counters
from kiosk.core.cards.names import is_random_uid
from kiosk.core.cards.token import CardError

KEY_BYTES = 16
UID_BYTES = 7
COUNTER_BYTES = 3
MIN_REST_BYTES = 9
MAX_REST_BYTES = 24
"""AN10922 takes 31 bytes behind the 01; fewer than 16 it would pad in a way of its own."""
MAX_KEYS = 8
MAX_URL_BYTES = 512
MAX_TEMPLATE_CHARS = 300
PICC_TAG = 0xC7
"""UID and counter are in it, and the UID has 7 bytes."""

DEFAULT_TEMPLATE = "?picc_data={picc}&cmac={mac}"

_SV2 = bytes.fromhex("3cc300010080")
_PLACES = {
    "picc": b"(?P<picc>[0-9A-F]{32})",
    "uid": b"(?P<uid>[0-9A-F]{14})",
    "ctr": b"(?P<ctr>[0-9A-F]{6})",
    "enc": b"(?:[0-9A-F]{32}){1,8}",
    "from": b"(?P<from>)",
    "mac": b"(?P<mac>[0-9A-F]{16})",
}


@dataclass(frozen=True, slots=True)
class SunKey:
    """One line of the key file. ``meta`` None where UID and counter are plain; ``rest`` None where the
    chips share ``file``; ``last_day`` in days since 1970-01-01, None without end."""

    file: bytes = field(repr=False)
    meta: bytes | None = field(default=None, repr=False)
    rest: bytes | None = field(default=None, repr=False)
    last_day: int | None = None

    def __post_init__(self) -> None:
        if len(self.file) != KEY_BYTES or (self.meta is not None and len(self.meta) != KEY_BYTES):
            raise ValueError(f"a SUN key has {KEY_BYTES} bytes")
        if self.rest is not None and not MIN_REST_BYTES <= len(self.rest) <= MAX_REST_BYTES:
            raise ValueError(f"{MIN_REST_BYTES} to {MAX_REST_BYTES} bytes follow the UID")


@dataclass(frozen=True, slots=True)
class SunMessage:
    """What a chip has proved: its ``uid`` (7 bytes), its ``counter``, and its key's last day."""

    uid: bytes = field(repr=False)
    counter: int
    last_day: int | None


class Template:
    """The end of a chip's URL. Raises ValueError, saying what is wrong, for one that cannot be."""

    __slots__ = ("_pattern", "encrypted")

    def __init__(self, text: str) -> None:
        if not text.isascii() or not text.isprintable() or len(text) > MAX_TEMPLATE_CHARS:
            raise ValueError(f"has to be ASCII, of at most {MAX_TEMPLATE_CHARS} characters")
        parts = re.split(r"\{([^{}]*)\}", text)
        places = parts[1::2]
        unknown = sorted(set(places) - set(_PLACES))
        if unknown or any(char in part for part in parts[::2] for char in "{}"):
            known = ", ".join(f"{{{name}}}" for name in _PLACES)
            raise ValueError(f"knows {known} in braces, and nothing else")
        if len(set(places)) != len(places):
            raise ValueError("names a place twice")
        self.encrypted = "picc" in places
        given = {"picc", "uid", "ctr"} & set(places)
        if "mac" not in places or given not in ({"picc"}, {"uid", "ctr"}):
            raise ValueError("needs {mac}, and either {picc} or {uid} and {ctr}")
        if "from" in places and places.index("from") > places.index("mac"):
            raise ValueError("has {from} behind {mac}")
        pattern = b"".join(
            _PLACES[part] if at % 2 else re.escape(part.encode()) for at, part in enumerate(parts)
        )
        self._pattern = re.compile(pattern + rb"\Z")

    def find(self, url: bytes) -> re.Match[bytes] | None:
        """The places in ``url``; None for one of another form."""
        return self._pattern.search(url) if len(url) <= MAX_URL_BYTES else None


class Sun:
    """The town's keys and its template, and the memory of counters. Threads may share one."""

    __slots__ = ("_ciphers", "_keys", "_template", "counters")

    def __init__(
        self, keys: Sequence[SunKey], template: Template, ciphers: Ciphers, counters: Counters
    ) -> None:
        if not 1 <= len(keys) <= MAX_KEYS:
            raise ValueError(f"1 to {MAX_KEYS} SUN keys")
        if template.encrypted and any(key.meta is None for key in keys):
            raise ValueError("{picc} needs a key for PICCData")
        self._keys = tuple(keys)
        self._template = template
        self._ciphers = ciphers
        self.counters = counters

    def open(self, url: bytes, uid: bytes) -> SunMessage | None:
        """What ``url`` proves of the chip whose anticollision gave ``uid`` (which may be a random one).

        None for a URL that is not of the town's form. Raises CardError ``forged``.
        """
        found = self._template.find(url)
        if found is None:
            return None
        start = found.start("from") if "from" in found.re.groupindex else found.start("mac")
        tagged = url[start : found.start("mac")]
        tag = bytes.fromhex(found["mac"].decode())
        for key in self._keys:
            claim = self._claim(found, key)
            if claim is None:
                continue
            own, counter = claim
            if not hmac.compare_digest(self._tag(key, own, counter, tagged), tag):
                continue
            if own != uid and not is_random_uid(uid):
                raise CardError("forged", "another chip's message")
            return SunMessage(own, counter, key.last_day)
        raise CardError("forged", "the tag is none of the keys'")

    def _claim(self, found: re.Match[bytes], key: SunKey) -> tuple[bytes, int] | None:
        """UID and counter as the message says them; None where ``key`` does not open it."""
        if not self._template.encrypted:
            return bytes.fromhex(found["uid"].decode()), int(found["ctr"], 16)
        assert key.meta is not None
        sealed = bytes.fromhex(found["picc"].decode())
        plain = self._ciphers.aes_cbc_decrypt(key.meta, bytes(KEY_BYTES), sealed)
        if plain[0] != PICC_TAG:
            return None
        own, counter = plain[1 : 1 + UID_BYTES], plain[8 : 8 + COUNTER_BYTES]
        return own, int.from_bytes(counter, "little")

    def _tag(self, key: SunKey, uid: bytes, counter: int, tagged: bytes) -> bytes:
        file = (
            key.file if key.rest is None else diversified(self._ciphers, key.file, uid + key.rest)
        )
        vector = _SV2 + uid + counter.to_bytes(COUNTER_BYTES, "little")
        return self._ciphers.aes_cmac(self._ciphers.aes_cmac(file, vector), tagged)[1::2]


def diversified(ciphers: Ciphers, key: bytes, message: bytes) -> bytes:
    """One chip's key: AES-128 of NXP AN10922 2.2, for ``message`` of 16 to 31 bytes."""
    return ciphers.aes_cmac(key, b"\x01" + message)

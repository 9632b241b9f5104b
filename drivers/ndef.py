"""NDEF messages: the URI in one, and nothing else. Bytes in, bytes out.

Source: NFC Forum NDEF 1.0 (3.2 the record), RTD URI 1.0 (3.2.2 the abbreviations).

::

    record   flags  TYPE LENGTH  PAYLOAD LENGTH (1, or 4 without SR)  [ID LENGTH]  type  [id]  payload
    flags    MB 80  ME 40  CF 20  SR 10  IL 08  TNF 07
    URI      abbreviation (1), the rest in UTF-8
"""

from __future__ import annotations

MAX_MESSAGE_BYTES = 1024
MAX_RECORDS = 16
_MB, _ME, _CF, _SR, _IL = 0x80, 0x40, 0x20, 0x10, 0x08
_WELL_KNOWN = 0x01
_RESERVED_TNF = 0x07
_EMPTY, _UNKNOWN, _UNCHANGED = 0x00, 0x05, 0x06

ABBREVIATIONS = (
    *(b"", b"http://www.", b"https://www.", b"http://", b"https://", b"tel:", b"mailto:"),
    *(b"ftp://anonymous:anonymous@", b"ftp://ftp.", b"ftps://", b"sftp://", b"smb://", b"nfs://"),
    *(b"ftp://", b"dav://", b"news:", b"telnet://", b"imap:", b"rtsp://", b"urn:", b"pop:"),
    *(b"sip:", b"sips:", b"tftp:", b"btspp://", b"btl2cap://", b"btgoep://", b"tcpobex://"),
    *(b"irdaobex://", b"file://", b"urn:epc:id:", b"urn:epc:tag:", b"urn:epc:pat:"),
    *(b"urn:epc:raw:", b"urn:epc:", b"urn:nfc:"),
)


class NdefError(ValueError):
    """These bytes are no NDEF message. They are not repeated: they may hold a card's token."""


def uri(message: bytes) -> bytes | None:
    """The first URI record's address; None for a message without one. Raises NdefError."""
    if len(message) > MAX_MESSAGE_BYTES:
        raise NdefError("a message too long")
    found: bytes | None = None
    at = 0
    for number in range(MAX_RECORDS):
        flags, kind, payload, at = _record(message, at)
        if bool(flags & _MB) != (number == 0):
            raise NdefError("a message that begins elsewhere")
        if found is None and kind == (_WELL_KNOWN, b"U"):
            found = _address(payload)
        if flags & _ME:
            if at != len(message):
                raise NdefError("bytes behind the message")
            return found
    raise NdefError("too many records")


def _record(message: bytes, at: int) -> tuple[int, tuple[int, bytes], bytes, int]:
    """Flags, TNF with type, payload, and where the next record begins."""
    fixed = 2 if at >= len(message) else 2 + (1 if message[at] & _SR else 4)
    if len(message) < at + fixed:
        raise NdefError("a record cut short")
    flags, type_size = message[at], message[at + 1]
    payload_size = int.from_bytes(message[at + 2 : at + fixed], "big")
    at += fixed
    id_size = 0
    if flags & _IL:
        if len(message) <= at:
            raise NdefError("a record cut short")
        id_size, at = message[at], at + 1
    end = at + type_size + id_size + payload_size
    if len(message) < end:
        raise NdefError("a record cut short")
    tnf = flags & 0x07
    if flags & _CF or tnf in (_UNCHANGED, _RESERVED_TNF):
        raise NdefError("a record in chunks, or of no kind")
    if (tnf in (_EMPTY, _UNKNOWN) and type_size) or (tnf == _EMPTY and end != at):
        raise NdefError("a record that gainsays itself")
    payload = message[end - payload_size : end]
    return flags, (tnf, message[at : at + type_size]), payload, end


def _address(payload: bytes) -> bytes:
    if not payload or payload[0] >= len(ABBREVIATIONS):
        raise NdefError("a URI record of no known abbreviation")
    return ABBREVIATIONS[payload[0]] + payload[1:]

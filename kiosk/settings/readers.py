"""The shape of ``[[reader]]``: one type a kind of card reader."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from kiosk.settings.parts import Baud, Identifier, Part, Text

RepeatS = Annotated[int, Meta(ge=1, le=60)]
"""The same text again within so many seconds is one showing."""


class Reader(Part, frozen=True, kw_only=True, tag_field="kind"):
    """What every card reader has."""

    id: Identifier


class CameraReader(Reader, frozen=True, kw_only=True, tag="camera"):
    """QR cards before a camera: a device number, a device path or a stream's address."""

    source: Annotated[int, Meta(ge=0, le=63)] | Text = 0
    width: Annotated[int, Meta(ge=160, le=1920)] = 640
    height: Annotated[int, Meta(ge=120, le=1080)] = 480
    fps: Annotated[int, Meta(ge=1, le=60)] = 15


class Pn532Reader(Reader, frozen=True, kw_only=True, tag="pn532"):
    """NFC cards on a PN532 at a serial port."""

    port: Text
    baud: Baud = 115200


class ScannerReader(Reader, frozen=True, kw_only=True, tag="scanner"):
    """QR cards before a scanner module on a serial port; ``speaks``: what it says beside texts."""

    port: Text
    baud: Baud = 9600
    suffix: Literal["cr", "lf", "crlf", "tab"] = "cr"
    speaks: Literal["text", "gm65", "gm65-trigger"] = "text"
    repeat_s: RepeatS = 3


class KeyboardReader(Reader, frozen=True, kw_only=True, tag="keyboard"):
    """QR cards before a scanner that plays keyboard; ``layout``: the keyboard that it is set to."""

    device: Text
    layout: Literal["us", "jis"] = "us"
    repeat_s: RepeatS = 3


class Rcs380Reader(Reader, frozen=True, kw_only=True, tag="rcs380"):
    """NFC cards on Sony's RC-S380, or another reader that nfcpy drives (an extra)."""

    device: Text = "usb"


class PcscReader(Reader, frozen=True, kw_only=True, tag="pcsc"):
    """NFC cards on a reader behind PC/SC (an extra); ``name`` a part of its name, None for the first."""

    name: Text | None = None


AnyReader = CameraReader | Pn532Reader | ScannerReader | KeyboardReader | Rcs380Reader | PcscReader

"""Every card reader behind the same few handles, each on its own wire, for one contract."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hw_sim.keyboard_peer import KeyboardPeer
from hw_sim.mjpeg import CameraPeer
from hw_sim.pcsc_peer import PcscCard, PcscPeer
from hw_sim.pn532_peer import Pn532Peer, Tag
from hw_sim.scanner_peer import ScannerPeer

from drivers.camera import CameraReader
from drivers.pn532_pump import Pn532Reader
from drivers.reader_nfcpy import NfcpyReader
from drivers.reader_pcsc import PcscReader
from drivers.scanner_keyboard import KeyboardScanner
from drivers.scanner_serial import SerialScanner
from drivers.worker import Worker
from kiosk.core.cards import CardBody, CardDesk, day_of, issue, pseudonym

CARD_KEY, OTHER_KEY = bytes(range(32)), bytes(range(100, 132))
PSEUDONYM_KEY = bytes(range(32, 64))
DESK = CardDesk({1: CARD_KEY}, PSEUDONYM_KEY)
TODAY = day_of(2026, 11, 24)
REPEAT_MS = 1_600
"""The scanners' repeat time in these tests; the peers repeat a held code every ``SAME_CODE_S``."""
SAME_CODE_S = 0.3
AWAY_S = 2.3
"""A card away for so long has left, for every reader here."""
CARDS = 2


@dataclass(frozen=True, slots=True)
class Shown:
    """What is held to a reader: ``token`` its text or number."""

    token: bytes
    reason: str | None = None
    """Why the desk refuses it, None for a card that it takes."""
    by: str = "qr"
    kind: str = "a"

    @property
    def pseudonym(self) -> bytes:
        from kiosk.core.cards import check

        if self.by == "nfc":
            return pseudonym(PSEUDONYM_KEY, "nfc", self.token)
        return pseudonym(PSEUDONYM_KEY, "qr", check(self.token, {1: CARD_KEY}).random_id)


def qr(number: int, *, key: bytes = CARD_KEY, last_day: int = TODAY) -> bytes:
    body = CardBody(1, last_day, bytes(range(number * 10, number * 10 + 10)))
    return issue(body, key)


GOOD_QR = tuple(Shown(qr(number)) for number in range(CARDS))
BAD_QR = (
    Shown(qr(5, key=OTHER_KEY), "forged"),
    Shown(qr(6, last_day=TODAY - 1), "expired"),
    Shown(b"LIBRARY CARD 12345", "unknown"),
)
GOOD_NFC = (
    Shown(bytes.fromhex("04a1b2c3d4e580"), by="nfc"),
    Shown(bytes.fromhex("01120312b50ac826"), by="nfc", kind="felica"),
)
BAD_NFC = (
    Shown(b"\x08\x11\x22\x33", "random", "nfc"),
    Shown(b"\x91\x92\x93\x94", "unknown", "nfc", "b"),
)


class Rig:
    """A reader and its wire. Made unplugged; ``reader`` may be started at any time."""

    cards: ClassVar[tuple[Shown, ...]] = GOOD_QR
    bad: ClassVar[tuple[Shown, ...]] = BAD_QR
    many: ClassVar[bool] = True
    """Whether it can see two cards at once."""
    hangs: ClassVar[bool] = True
    """Whether it can tell a device that hangs from one before which nobody stands."""

    reader: Worker

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plug(self) -> None:
        raise NotImplementedError

    def unplug(self) -> None:
        raise NotImplementedError

    def show(self, *shown: Shown) -> None:
        """Hold these before it, in place of what was there; nothing: take all away."""
        raise NotImplementedError

    def hang(self, hanging: bool) -> None:
        raise NotImplementedError


def _today() -> int:
    return TODAY


class CameraRig(Rig):
    many = False  # the simulated hand holds one card; two in a picture: test_qr_pictures

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        camera = CameraPeer(0, seed=3)
        self._port = camera.port
        camera.stop()
        self._camera: CameraPeer | None = None
        self.reader = CameraReader("reader:r", camera.url, DESK, _today)

    def plug(self) -> None:
        self._camera = CameraPeer(self._port, seed=4)

    def unplug(self) -> None:
        if self._camera is not None:
            self._camera.stop()
            self._camera = None

    def show(self, *shown: Shown) -> None:
        assert self._camera is not None
        self._camera.hide()
        for one in shown:
            self._camera.show(one.token.decode(), 60)

    def hang(self, hanging: bool) -> None:
        assert self._camera is not None
        self._camera.stall(hanging)


class SerialScannerRig(Rig):
    """A module that only sends."""

    hangs = False
    continuous = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._peer: ScannerPeer | None = None
        self.reader = self.made(str(folder / "scanner"))

    def made(self, port: str) -> SerialScanner:
        return SerialScanner("reader:r", port, DESK, _today, repeat_ms=REPEAT_MS)

    def plug(self) -> None:
        self._peer = ScannerPeer(
            self.folder / "scanner", continuous=self.continuous, same_code_s=SAME_CODE_S
        )

    def unplug(self) -> None:
        if self._peer is not None:
            self._peer.stop()
            self._peer = None

    def show(self, *shown: Shown) -> None:
        assert self._peer is not None
        self._peer.show(*(one.token for one in shown))

    def hang(self, hanging: bool) -> None:
        assert self._peer is not None
        self._peer.hang(hanging)


class AskedScannerRig(SerialScannerRig):
    """A module of the GM65 kind that is asked whether it lives."""

    hangs = True

    def made(self, port: str) -> SerialScanner:
        return SerialScanner(
            "reader:r", port, DESK, _today, suffix="crlf", speaks="gm65", repeat_ms=REPEAT_MS
        )


class TriggeredScannerRig(SerialScannerRig):
    """One in command mode: it looks only when told to, and says one code then."""

    hangs = True
    continuous = False
    many = False

    def made(self, port: str) -> SerialScanner:
        return SerialScanner(
            "reader:r", port, DESK, _today, speaks="gm65-trigger", repeat_ms=REPEAT_MS
        )


class KeyboardRig(Rig):
    """A scanner that plays a US keyboard. The pipe knows no grab: the events come all the same."""

    hangs = False
    layout = "us"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._peer: KeyboardPeer | None = None
        self.reader = KeyboardScanner(
            "reader:r",
            str(folder / "keys"),
            DESK,
            _today,
            layout="jis" if self.layout == "jis" else "us",
            repeat_ms=REPEAT_MS,
            opened=lambda path: os.open(path, os.O_RDONLY | os.O_NONBLOCK),
        )

    def plug(self) -> None:
        self._peer = KeyboardPeer(self.folder / "keys", layout=self.layout, same_code_s=SAME_CODE_S)

    def unplug(self) -> None:
        if self._peer is not None:
            self._peer.stop()
            self._peer = None

    def show(self, *shown: Shown) -> None:
        assert self._peer is not None
        self._peer.show(*(one.token for one in shown))


class JisKeyboardRig(KeyboardRig):
    """One set to a Japanese keyboard."""

    layout = "jis"


class Pn532Rig(Rig):
    """Our own codec on a serial line."""

    cards = GOOD_NFC
    bad = BAD_NFC
    many = False  # it lists one target at a time

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._peer: Pn532Peer | None = None
        self.reader = self.made(str(folder / "nfc"))

    def made(self, port: str) -> Worker:
        return Pn532Reader("reader:r", port, DESK)

    def plug(self) -> None:
        self._peer = Pn532Peer(self.folder / "nfc")

    def unplug(self) -> None:
        if self._peer is not None:
            self._peer.stop()
            self._peer = None

    def show(self, *shown: Shown) -> None:
        assert self._peer is not None
        self._peer.remove()
        for one in shown:
            sak = 0x00 if len(one.token) == 7 else 0x08
            self._peer.place(Tag(one.token, one.kind, sak, random=one.reason == "random"))

    def hang(self, hanging: bool) -> None:
        assert self._peer is not None
        if hanging:
            self._peer.hang()
        else:
            self._peer.heal()


class NfcpyRig(Pn532Rig):
    """The same chip, driven by nfcpy."""

    def made(self, port: str) -> Worker:
        return NfcpyReader("reader:r", port, DESK)


class PcscRig(Rig):
    """The real daemon with a virtual reader; all of a test process' rigs share its socket's name,
    because the client library looks for it once."""

    cards = GOOD_NFC
    bad = BAD_NFC
    many = False  # one slot
    hangs = False  # the daemon's client has no time-out: the watchdog's case
    _home: ClassVar[Path | None] = None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if PcscRig._home is None:
            PcscRig._home = Path(tempfile.mkdtemp(prefix="pcsc"))
            atexit.register(shutil.rmtree, PcscRig._home)
        self._peer = PcscPeer(PcscRig._home)
        os.environ["PCSCLITE_CSOCK_NAME"] = self._peer.socket
        self.reader = PcscReader("reader:r", "Virtual PCD 00 00", DESK)

    def plug(self) -> None:
        self._peer.start()

    def unplug(self) -> None:
        self._peer.stop()

    def show(self, *shown: Shown) -> None:
        self._peer.remove()
        for one in shown:
            card: Callable[[bytes], PcscCard] = {
                "a": PcscCard.ntag,
                "felica": PcscCard.felica,
                "b": PcscCard.my_number,
            }[one.kind]
            self._peer.place(card(one.token))


RIGS: dict[str, type[Rig]] = {
    "camera": CameraRig,
    "scanner": SerialScannerRig,
    "scanner-gm65": AskedScannerRig,
    "scanner-trigger": TriggeredScannerRig,
    "keyboard-us": KeyboardRig,
    "keyboard-jis": JisKeyboardRig,
    "pn532": Pn532Rig,
    "nfcpy": NfcpyRig,
    "pcsc": PcscRig,
}

"""What goes wrong with scanner modules in the field, beyond what every reader shares."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from driver_site import Inbox
from hw_sim.keyboard_peer import KeyboardPeer, typed
from hw_sim.pn532_peer import Pn532Peer, Tag
from hw_sim.scanner_peer import ScannerPeer
from reader_site import DESK, GOOD_NFC, GOOD_QR, TODAY

from drivers.reader_nfcpy import NfcpyReader
from drivers.reader_pcsc import PcscReader
from drivers.scanner_keyboard import KeyboardScanner
from drivers.scanner_line import PATIENCE_MS
from drivers.scanner_serial import SerialScanner
from drivers.worker import Worker
from kiosk.core.events import CardRefused, CardSeen, DeviceBack, DeviceLost

PAUSE_S = PATIENCE_MS / 1000 + 0.3
CARD = GOOD_QR[0].token


def today() -> int:
    return TODAY


def halves(reader: Worker, say: object, inbox: Inbox) -> None:
    """Three texts without their end, and one with it."""
    assert callable(say)
    reader.start(inbox.post)
    for _ in range(3):
        reader.rest(PAUSE_S)
        say(CARD)
    lost = inbox.wait((DeviceLost, CardSeen, CardRefused))
    assert isinstance(lost, DeviceLost) and lost.code == "scanner_garbled"


def test_a_module_without_a_suffix_is_told_and_back_with_its_first_whole_text(
    tmp_path: Path, inbox: Inbox
) -> None:
    peer = ScannerPeer(tmp_path / "scanner")
    reader = SerialScanner("reader:r", peer.path, DESK, today)
    halves(reader, peer.say, inbox)
    reader.rest(1.0)
    assert inbox.queue.empty(), "that its port opens does not mean that it works"
    peer.say(CARD + b"\r")
    assert isinstance(inbox.queue.get(timeout=10), DeviceBack)
    assert isinstance(inbox.queue.get(timeout=10), CardSeen)
    reader.stop()
    peer.stop()


def test_a_keyboard_scanner_without_enter_is_told(tmp_path: Path, inbox: Inbox) -> None:
    peer = KeyboardPeer(tmp_path / "keys")
    reader = KeyboardScanner(
        "reader:r",
        peer.path,
        DESK,
        today,
        opened=lambda path: os.open(path, os.O_RDONLY | os.O_NONBLOCK),
    )
    halves(reader, lambda text: peer.say(typed(text.decode(), enter=False)), inbox)
    peer.show(GOOD_QR[0].token)
    assert isinstance(inbox.queue.get(timeout=10), DeviceBack)
    assert isinstance(inbox.queue.get(timeout=10), CardSeen)
    reader.stop()
    peer.stop()


def test_a_text_longer_than_any_qr_code_is_refused_and_told(tmp_path: Path, inbox: Inbox) -> None:
    peer = ScannerPeer(tmp_path / "scanner")
    reader = SerialScanner("reader:r", peer.path, DESK, today)
    reader.start(inbox.post)
    reader.rest(0.5)
    for _ in range(8):
        peer.say(b"1" * 1_000)
        reader.rest(0.05)
    peer.say(b"\r")
    refused = inbox.queue.get(timeout=10)
    assert isinstance(refused, CardRefused) and refused.reason == "unknown"
    reader.stop()
    peer.stop()


def test_a_file_that_is_no_input_device_is_a_missing_scanner(tmp_path: Path, inbox: Inbox) -> None:
    (tmp_path / "keys").write_bytes(typed("A"))
    reader = KeyboardScanner("reader:r", str(tmp_path / "keys"), DESK, today)
    reader.start(inbox.post)
    lost = inbox.wait(DeviceLost)
    reader.stop()
    assert lost.code == "scanner_missing"
    assert inbox.queue.empty()


@pytest.mark.parametrize("package", ["nfc", "smartcard"])
def test_a_reader_whose_software_is_not_installed_says_so_and_is_tried_again(
    package: str, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    reader: Worker = NfcpyReader("reader:r", "usb", DESK)
    if package == "smartcard":
        reader = PcscReader("reader:r", "", DESK)
    reader.start(inbox.post)
    lost = inbox.wait(DeviceLost)
    assert lost.code == "reader_library"
    reader.rest(0.5)
    reader.stop()
    assert inbox.queue.empty()


def test_no_damaged_answer_makes_nfcpy_see_another_card(tmp_path: Path, inbox: Inbox) -> None:
    peer = Pn532Peer(tmp_path / "nfc", seed=7)
    reader = NfcpyReader("reader:r", peer.path, DESK)
    reader.start(inbox.post)
    peer.place(Tag(GOOD_NFC[0].token, sak=0x00))
    assert inbox.wait(CardSeen).pseudonym == GOOD_NFC[0].pseudonym
    peer.garble(1_000_000)
    lost = inbox.wait((DeviceLost, CardSeen, CardRefused))
    assert isinstance(lost, DeviceLost) and lost.code in ("nfc_garbled", "nfc_silent")
    peer.garble(0)
    assert isinstance(inbox.wait((DeviceBack, CardSeen, CardRefused)), DeviceBack)
    reader.stop()
    peer.stop()

"""A card's token is told to nobody: not when a reader's thread dies of a bug, not in anything printable."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
from pathlib import Path

from hw_sim.mjpeg import CameraPeer
from hw_sim.pn532_peer import Pn532Peer, Tag
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import pn532
from drivers.presence import MAX_CARDS, Presence
from drivers.qr_code import Code
from kiosk.cards.ciphers import LibraryCiphers
from kiosk.core import cards
from kiosk.core.cards import CardBody, CardDesk, signed
from kiosk.core.cards.foreign import Pattern
from sync.signing import Signer

CARD_KEY, NAME_KEY, OLD_KEY = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
ID = bytes(range(201, 211))
BODY = CardBody(1, cards.day_of(2099, 3, 31), ID)
TEXT = cards.issue(BODY, CARD_KEY)
UID = bytes.fromhex("04a1b2c3d4e580")
CRASHED = 70

DYING = """
import sys, threading, time
from kiosk.core.cards import CardDesk
from kiosk.station import _crash

threading.excepthook = _crash
desk = CardDesk({1: bytes(range(32))}, bytes(range(32, 64)))

def bug(*_, **__):
    raise RuntimeError("our own bug, with the card in hand")

kind, place = sys.argv[1:]
if kind == "camera":
    from drivers.camera import CameraReader
    reader = CameraReader("reader:qr", place, desk, bug)  # asked for the day when a card is judged
else:
    from drivers.pn532_pump import Pn532Reader
    desk.__class__.identify_nfc = bug
    reader = Pn532Reader("reader:nfc", place, desk)
reader.start(print)
time.sleep(60)
"""


def forms(token: bytes) -> list[str]:
    """How a token might look where it should not stand."""
    return [token.decode("latin-1"), token.hex(), token.hex().upper(), repr(token)[2:-1]]


def last_words(kind: str, place: str) -> str:
    died = subprocess.run(
        [sys.executable, "-X", "dev", "-c", DYING, kind, place],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert died.returncode == CRASHED, died.stderr
    assert "our own bug" in died.stderr
    return died.stdout + died.stderr


def test_a_camera_reader_that_dies_of_a_bug_takes_the_card_with_it() -> None:
    camera = CameraPeer(0, seed=3)
    try:
        camera.show(TEXT.decode(), 60)
        said = last_words("camera", camera.url)
    finally:
        camera.stop()
    assert not [form for form in forms(TEXT) + forms(ID) if form in said]


def test_an_nfc_reader_that_dies_of_a_bug_takes_the_card_with_it(tmp_path: Path) -> None:
    peer = Pn532Peer(tmp_path / "nfc")
    try:
        peer.place(Tag(UID, sak=0x00))
        said = last_words("nfc", peer.path)
    finally:
        peer.stop()
    assert not [form for form in forms(UID) if form in said]


SIGNER = Signer(b"the-town's-signing-key--32-bytes")


DESK = CardDesk(
    {1: CARD_KEY},
    NAME_KEY,
    former_key=OLD_KEY,
    public_keys={1: SIGNER.public_key},
    ciphers=LibraryCiphers(),
    foreign={"library": Pattern("LIB-[0-9]{8}")},
)
IDS = st.binary(min_size=10, max_size=10).filter(lambda one: len(set(one)) > 4)
MESSED = st.sampled_from(["whole", "cut", "changed", "expired", "other key"])


def texts(random_id: bytes, how: str) -> list[bytes]:
    """One card's tagged and signed text, good or spoilt."""
    last_day = cards.day_of(2021, 1, 1) if how == "expired" else BODY.last_day
    body = CardBody(7 if how == "other key" else 1, last_day, random_id)
    made = [cards.issue(body, CARD_KEY), signed.issue(body, SIGNER.sign)]
    if how == "cut":
        return [text[:-1] for text in made]
    if how == "changed":
        return [text[:-1] + (b"0" if text[-1:] != b"0" else b"1") for text in made]
    return made


@settings(max_examples=60, deadline=None)
@given(IDS, MESSED, st.integers(0, 99_999_999))
def test_whatever_is_shown_nothing_of_it_can_be_printed(
    random_id: bytes, how: str, number: int
) -> None:
    logged: list[str] = []
    watch = logging.Handler()
    watch.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(watch)
    try:
        foreign = f"LIB-{number:08}".encode()
        for token in (*texts(random_id, how), foreign, random_id.hex().encode()):
            presence, code = Presence(), Code(token, 0, 0, 1, 1)
            presence.is_new(token, 5)
            outcome = DESK.identify_qr(token, t_ms=5, day=cards.day_of(2026, 11, 24))
            printable = " ".join(map(repr, (outcome, DESK, code, presence, *logged)))
            assert not [f for f in forms(token) + forms(random_id) if f in printable]
            assert not [f for f in (token[:12].decode("latin-1"), f"{number:08}") if f in printable]
        uid = random_id[:7]
        told = (DESK.identify_nfc(uid, t_ms=5), pn532.Answer(0x4B, uid))
        assert not [form for form in forms(uid) if form in repr(told)]
    finally:
        logging.getLogger().removeHandler(watch)


def test_what_was_in_sight_is_remembered_without_the_token() -> None:
    presence = Presence()
    for number in range(2 * MAX_CARDS):
        presence.is_new(TEXT + bytes([number]), number)
    kept = [one for one in gc.get_referents(presence) if isinstance(one, dict)]
    assert kept and all(len(one) <= MAX_CARDS for one in kept)
    assert not any(TEXT[:8] in key for one in kept for key in one)
    assert presence.is_new(b"x", 100) and not presence.is_new(b"x", 101)


def test_the_desk_never_raises_for_what_it_is_shown() -> None:
    for length in (*range(130), 4_000):
        DESK.identify_qr(b"\xff" * length, t_ms=0, day=0)
        DESK.identify_qr(b"A" * length, t_ms=0, day=0)
        DESK.identify_nfc(b"\x04" * length, t_ms=0)

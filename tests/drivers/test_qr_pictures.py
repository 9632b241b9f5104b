"""Pictures of cards as people take them, read by the station's own cascade."""

from __future__ import annotations

import json
import struct
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from hw_sim import cardprint
from hw_sim.cardprint import Gray, Pose
from pyzbar import pyzbar

from drivers import zbar
from drivers.pictures import (
    Opened,
    Picture,
    as_json,
    opened_picture,
    read_files,
    read_image,
)
from drivers.qr_code import Code
from drivers.qr_still import read_gray
from kiosk.core.cards import CardBody, issue
from kiosk.core.errors import OperatorError

PICTURES = 60
KINDS = ("unsharp", "tilted", "far", "scratched", "moved", "glare")


def code_picture(text: bytes | str, scale: int = 6, border: int = 30) -> Gray:
    """A code as a file from a printer's program."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCodeModel2)
    image = np.array(code.to_image(scale=scale), np.uint8)
    return np.pad(image, border, constant_values=255)


def codes_in(picture: Picture) -> list[Code]:
    return read_image(Opened(picture, lambda: picture))


def texts_in(source: Path | Picture) -> list[bytes]:
    """The bytes of every code."""
    if isinstance(source, Path):
        return [code.text for code in read_image(opened_picture(source))]
    return [code.text for code in codes_in(source)]


def card_text(dice: np.random.Generator) -> bytes:
    return issue(CardBody(1, 25_000, dice.bytes(10)), bytes(32))


def photograph(seed: int) -> tuple[bytes, str, Gray]:
    """A card's text, what is wrong with its photograph, and the photograph (640×480)."""
    dice = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    text = card_text(dice)
    card = cardprint.face(text.decode())
    coarse = dice.integers(40, 200, (12, 16)).astype(np.uint8)
    scene = np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    tilt = 40.0 if kind == "tilted" else 12.0
    width_px = dice.uniform(140, 180) if kind == "far" else dice.uniform(220, 360)
    smear = dice.uniform(2, 6) if kind == "moved" else 0.0
    if kind == "scratched":
        for _ in range(5):
            (x0, y0), (x1, y1) = dice.integers(0, (card.shape[1], card.shape[0]), (2, 2)).tolist()
            cv2.line(card, (x0, y0), (x1, y1), 230, 4)
    pose = Pose(
        dice.uniform(220, 420),
        dice.uniform(180, 300),
        width_px,
        roll=dice.uniform(-180, 180),
        pitch=dice.uniform(-tilt, tilt),
        yaw=dice.uniform(-tilt, tilt),
        smear_px=(smear, 0.3 * smear),
        defocus_px=dice.uniform(1.0, 2.2) if kind == "unsharp" else 0.5,
    )
    seen = cardprint.lay(scene, card, pose).astype(np.float32)
    if kind == "glare":
        y, x = np.mgrid[:480, :640]
        spot = ((x - pose.x_px + 30) ** 2 + (y - pose.y_px) ** 2) / (2 * 60**2)
        seen = 0.35 * seen + 190 * np.exp(-spot)
    noisy = seen + dice.normal(0, 5, seen.shape)
    return text, kind, np.clip(noisy, 0, 255).astype(np.uint8)


def test_the_cascade_reads_more_than_pyzbar_alone_and_no_wrong_text() -> None:
    ours: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for seed in range(PICTURES):
        text, kind, picture = photograph(seed)
        texts = [code.text for code in read_gray(picture)]
        assert set(texts) <= {text}, f"a wrong text in picture {seed}"
        ours[kind] += text in texts
        found = pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])
        alone[kind] += text in [symbol.data for symbol in found]
    assert all(ours[kind] >= alone[kind] for kind in KINDS)
    assert ours.total() > alone.total()
    assert ours.total() >= 0.85 * PICTURES


def test_a_picture_of_noise_holds_no_code() -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).integers(0, 256, (240, 320)).astype(np.uint8)
        assert read_gray(noise) == []


def test_several_codes_in_one_picture_are_all_read_once() -> None:
    texts = [b"FIRST", b"SECOND", b"THIRD", b"FIRST"]
    row = [code_picture(text) for text in texts]
    assert sorted(texts_in(np.hstack(row))) == sorted(texts)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("点茗資源漢字", {"ec_level": "L"}),
        ("紙" * 300, {"ec_level": "M"}),
        ("燃えるごみは月曜", {"ec_level": "H"}),
        ("Привет", {"eci": 7}),
        ("資源ステーション", {"eci": 20}),
        ("资源", {"eci": 29}),
        ("résumé \\ \\000026", {"eci": 3}),
        ("資源ü🗑", {"eci": 26}),
    ],
)
def test_a_text_is_read_as_its_code_declares_it(text: str, declared: dict[str, object]) -> None:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCodeModel2, **declared)
    picture = np.pad(np.array(code.to_image(scale=5), np.uint8), 30, constant_values=255)
    for seen in (picture, cv2.flip(picture, 1), cv2.rotate(picture, cv2.ROTATE_180), 255 - picture):
        assert [as_json(one) for one in codes_in(np.asarray(seen, np.uint8))] == [text]


def test_kanji_are_found_between_other_modes_and_under_smudges() -> None:
    """ABC in alphanumeric mode, then two kanji; a code that nobody here can make."""
    rows = np.frombuffer(
        bytes.fromhex(
            "1fd17f 105a41 175f5d 17555d 174f5d 105541 1fd57f 000000 19c12f 112dc5 01dd37 019328"
            "056ed0 001f25 1fc679 1054ea 1759d7 1745d3 174d88 105f05 1fd263"
        ),
        np.uint8,
    )
    modules = 255 * (1 - np.unpackbits(rows.reshape(21, 3), axis=1)[:, 3:])
    modules[13:17, 13:15] ^= 255
    picture = np.kron(modules.astype(np.uint8), np.ones((6, 6), np.uint8))
    (code,) = codes_in(np.pad(picture, 30, constant_values=255))
    assert (code.text, as_json(code)) == (b"ABC" + "漢字".encode("shift_jis"), "ABC漢字")


@pytest.mark.parametrize(
    "text",
    [
        "日本語リサイクル".encode(),
        "日本語リサイクル".encode("shift_jis"),
        "résumé".encode("latin-1"),
        bytes(range(256)),
        b"a\x00b",
    ],
)
def test_the_bytes_are_the_codes_own_and_no_guess(text: bytes) -> None:
    picture = code_picture(text)
    assert texts_in(picture) == [text]
    assert [code.text for code in zbar.scan(picture)] == [text]


def test_a_code_without_its_quiet_zone_is_read() -> None:
    code = zxingcpp.create_barcode("NO QUIET ZONE", zxingcpp.BarcodeFormat.QRCodeModel2)
    image = np.array(code.to_image(scale=6, add_quiet_zones=False), np.uint8)
    assert texts_in(image) == [b"NO QUIET ZONE"]


def test_other_symbols_are_not_read() -> None:
    for kind in (zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.MicroQRCode):
        code = zxingcpp.create_barcode("347647", kind)
        image = np.pad(np.array(code.to_image(scale=4), np.uint8), 40, constant_values=255)
        assert texts_in(image) == []


GRAY = code_picture(b"CARD")
DARK = GRAY < 128


def stored(folder: Path, name: str, picture: np.ndarray) -> Path:
    path = folder / name
    assert cv2.imwrite(str(path), picture)
    return path


def coloured(dark: tuple[int, ...], light: tuple[int, ...]) -> np.ndarray:
    return np.where(DARK[:, :, None], np.array(dark), np.array(light)).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("gray.png", GRAY),
        ("gray.jpg", GRAY),
        ("gray.bmp", GRAY),
        ("gray.webp", GRAY),
        ("colour.png", coloured((40, 0, 0), (255, 250, 255))),
        ("inverted.png", 255 - GRAY),
        ("red_on_green.png", coloured((0, 0, 200), (0, 102, 0))),
        ("black_on_nothing.png", coloured((0, 0, 0, 255), (0, 0, 0, 0))),
        ("white_on_nothing.png", coloured((255, 255, 255, 255), (255, 255, 255, 0))),
        ("sixteen_bits.png", GRAY.astype(np.uint16) * 257),
        ("twelve_of_sixteen_bits.png", GRAY.astype(np.uint16) * 16),
        ("sixteen_bits.tiff", GRAY.astype(np.uint16) * 257),
        ("float.tiff", GRAY.astype(np.float32) / 255),
        ("upside_down.png", GRAY[::-1, ::-1]),
        ("mirrored.png", GRAY[:, ::-1]),
        ("on_its_side.png", GRAY.T),
        ("small.png", np.asarray(cv2.resize(GRAY, None, fx=0.34, fy=0.34), np.uint8)),
    ],
)
def test_every_kind_of_picture_is_read(tmp_path: Path, name: str, picture: Gray) -> None:
    assert texts_in(stored(tmp_path, name, picture)) == [b"CARD"]


def test_a_huge_picture_is_read_smaller(tmp_path: Path) -> None:
    huge = np.asarray(cv2.resize(GRAY, (5_200, 5_200)), np.uint8)
    assert texts_in(stored(tmp_path, "huge.jpg", huge)) == [b"CARD"]


def test_card_read_gives_one_json_object_a_file(tmp_path: Path) -> None:
    plain = stored(tmp_path, "plain.png", GRAY)
    binary = stored(tmp_path, "binary.png", code_picture(b"\xff\xfe\x00"))
    blank = stored(tmp_path, "blank.png", np.full((80, 80), 255, np.uint8))
    lines = [json.loads(json.dumps(line)) for line in read_files(map(str, (plain, binary, blank)))]
    assert [line["file"] for line in lines] == [str(plain), str(binary), str(blank)]
    assert [line["texts"] for line in lines] == [["CARD"], [{"hex": "fffe00"}], []]
    assert all(set(line) == {"file", "texts", "ms"} for line in lines)


def test_what_is_no_picture_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    cut = stored(tmp_path, "cut.png", GRAY)
    cut.write_bytes(cut.read_bytes()[:40])
    # A PNG of 40 bytes that claims 60,000 x 60,000 pixels.
    bomb = cut.read_bytes()[:16] + (60_000).to_bytes(4, "big") * 2 + cut.read_bytes()[24:]
    (tmp_path / "bomb.png").write_bytes(bomb)
    names = ["empty.png", "text.png", "cut.png", "bomb.png", "missing.png", "."]
    for line in read_files(str(tmp_path / name) for name in names):
        assert line["texts"] == []
        assert str(line["error"]).endswith(".")
        assert "Traceback" not in str(line["error"])
    with pytest.raises(OperatorError) as caught:
        opened_picture(tmp_path / "text.png")
    assert caught.value.code == "no_picture"


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_photograph_is_read_however_the_phone_was_held(tmp_path: Path, turned: int) -> None:
    """EXIF says that the picture has to be turned; a code needs no turning."""
    jpeg = cv2.imencode(".jpg", GRAY)[1].tobytes()
    # TIFF header, one directory entry: tag 0x0112, a short.
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, turned, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    marked = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    path = tmp_path / "held.jpg"
    path.write_bytes(marked)
    assert texts_in(path) == [b"CARD"]


def test_no_broken_file_stops_the_reading_of_the_others(tmp_path: Path) -> None:
    """Files cut short, and files with a byte changed, of every kind: a text that is right, or none."""
    dice = np.random.default_rng(1)
    names = []
    for kind in ("png", "jpg", "bmp", "webp", "tiff", "pgm"):
        good = cv2.imencode(f".{kind}", GRAY)[1].tobytes()
        for number in range(12):
            bad = bytearray(good[: int(dice.integers(1, len(good)))] if number % 2 else good)
            bad[dice.integers(min(len(bad), 200))] ^= int(dice.integers(1, 256))
            path = tmp_path / f"{number}.{kind}"
            path.write_bytes(bad)
            names.append(str(path))
    good_path = stored(tmp_path, "good.png", GRAY)
    *lines, last = read_files([*names, str(good_path)])
    assert last["texts"] == ["CARD"]
    for line in lines:
        assert line["texts"] in (["CARD"], []), line["file"]
        assert "Traceback" not in str(line.get("error", ""))


def test_text_that_is_no_utf8_travels_as_hex() -> None:
    (code,) = codes_in(code_picture("紙".encode()))
    assert as_json(code) == "紙"
    (code,) = codes_in(code_picture("紙".encode("shift_jis")))
    assert as_json(code) == {"hex": "8e86"}


def test_a_code_hides_its_text() -> None:
    (code,) = read_gray(GRAY)
    assert "CARD" not in repr(code)

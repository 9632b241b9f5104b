"""Cards as they are printed: measured in millimetres, and read back by the station's own decoder."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
from hw_sim import cardprint, sensor
from hw_sim.cardprint import Gray
from hw_sim.conditions import CONDITIONS
from hw_sim.presentations import FPS, Presentation
from hw_sim.sensor import Exposure
from PIL import Image

from drivers.exposure import SHORT_MS
from drivers.frame import Frame
from drivers.frames import FrameReader
from drivers.qr_still import read_gray
from kiosk.cards import issuing, paper, texts
from kiosk.cards.issuing import Batch, Issuer
from kiosk.cards.printing import fonts, layout, pdf, png, sheet, svg
from kiosk.cards.printing.code import symbol
from kiosk.cards.printing.layout import Names, Print
from kiosk.core.cards import token

KEY = bytes(range(32))
LAST_DAY = date(2031, 11, 30)
NAMES = Names("見本町 資源カード", "中央公民館 資源ステーション", "公民館 事務室 000-000-0000")
LANGUAGES: tuple[texts.Language, ...] = ("ja", "easy", "en")
PX_PER_MM = 12
MM_PER_PT = 25.4 / 72
PRESENTATIONS, FRAMES = 3, 45
"""Of each condition."""


def batch(accounts: int, *, members: int = 1, spare: bool = False) -> Batch:
    dice = np.random.default_rng(accounts)
    issuer = Issuer(1, lambda body: token.issue(body, KEY), KEY)
    return issuing.issue(
        issuer, LAST_DAY, accounts=accounts, members=members, spare=spare, random=dice.bytes
    )


def cards(count: int, *, spare: bool = False) -> list[Print]:
    return [paper.printable(card) for card in batch(count, spare=spare).cards]


def printed(data: bytes, page: int = 0) -> Gray:
    """A page in pixels, as a printer lays it down."""
    rendered = pypdfium2.PdfDocument(data)[page].render(scale=PX_PER_MM * MM_PER_PT, grayscale=True)
    return np.array(rendered.to_numpy(), np.uint8).reshape(rendered.height, rendered.width)


def cut_out(picture: Gray, x_mm: float, y_mm: float) -> Gray:
    """What the guillotine leaves of it: one card or slip."""
    x, y = round(x_mm * PX_PER_MM), round(y_mm * PX_PER_MM)
    width, height = (round(side * PX_PER_MM) for side in layout.CARD_MM)
    return picture[y : y + height, x : x + width]


@pytest.fixture(scope="module")
def five() -> list[Print]:
    return cards(5)


@pytest.fixture(scope="module")
def document(five: list[Print]) -> bytes:
    return pdf.document(sheet.sheets(five, NAMES, texts.load("ja")), "cards")


@pytest.fixture(scope="module")
def page(document: bytes) -> Gray:
    return printed(document)


# -- measures -------------------------------------------------------------------------------------


def lines_mm(document: bytes) -> Iterator[tuple[float, float, float, float]]:
    """Every line drawn on the first page, from the PDF itself: x, y, x, y from the top left."""
    drawn = pypdfium2.PdfDocument(document)[0]
    height_mm = drawn.get_height() * MM_PER_PT
    for thing in drawn.get_objects(filter=(pypdfium2.raw.FPDF_PAGEOBJ_PATH,)):
        left, bottom, right, top = (side * MM_PER_PT for side in thing.get_bounds())
        if right - left < 0.5 or top - bottom < 0.5:
            yield left, height_mm - top, right, height_mm - bottom


def test_the_sheet_is_a4_and_its_cut_marks_make_cards_of_id_1(document: bytes) -> None:
    first = pypdfium2.PdfDocument(document)[0]
    assert [side * MM_PER_PT for side in first.get_size()] == pytest.approx([210, 297], abs=0.05)
    marks = [m for m in lines_mm(document) if max(m[2] - m[0], m[3] - m[1]) < 8]
    upright = sorted({round((m[0] + m[2]) / 2, 1) for m in marks if m[3] - m[1] > 4})
    level = sorted({round((m[1] + m[3]) / 2, 1) for m in marks if m[2] - m[0] > 4})
    assert np.diff(upright) == pytest.approx([85.6, 85.6], abs=0.11)
    assert np.diff(level) == pytest.approx([54.0] * 5, abs=0.11)
    left, right, top, bottom = upright[0], upright[-1], level[0], level[-1]
    for x0, y0, x1, y1 in marks:
        outside = x1 < left - 1 or x0 > right + 1 or y1 < top - 1 or y0 > bottom + 1
        assert outside, "a mark inside would stay on the card"


def test_nothing_is_printed_within_a_millimetre_of_a_cut(page: Gray) -> None:
    """A guillotine that is a little off cuts no word and no code."""
    edge = PX_PER_MM
    for row in range(sheet.ROWS):
        card = cut_out(page, sheet.LEFT_MM, sheet.TOP_MM + row * 54.0)
        inner = card[edge:-edge, edge:-edge]
        frame = card.astype(int).sum() - inner.astype(int).sum()
        pale = 255 * (card.size - inner.size) - frame
        # The dashed line between card and slip is all that stands there.
        assert pale / 255 < 0.02 * (card.size - inner.size)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_quiet_zone_is_four_modules_and_at_least_four_millimetres(
    five: list[Print], language: texts.Language
) -> None:
    drawn = png.picture(layout.face(five[0], NAMES, texts.load(language)))
    face = np.array(Image.open(io.BytesIO(drawn)).convert("L"))
    unit = png.PX_PER_MM
    left, top, side = round(4.8 * unit), round(9.6 * unit), round(34.8 * unit)
    quiet = round(4.8 * unit)
    around = face[
        top - quiet : top + side + quiet, max(0, left - quiet) : left + side + quiet
    ].copy()
    at = quiet
    around[at : at + side, at : at + side] = 255
    assert (around > 200).all()
    assert (face[top, left : left + 7 * 18] == 0).all(), "the finder begins at the corner"


def test_a_cards_code_is_version_three_with_the_most_correction_that_costs_no_size() -> None:
    made = symbol(cards(1)[0].token)
    assert (made.side, made.level) == (29, "Q")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("spare", [False, True])
def test_no_line_is_longer_than_its_place_and_none_lies_on_another(
    language: texts.Language, spare: bool
) -> None:
    card, words = cards(1, spare=spare)[0], texts.load(language)
    for drawing in (layout.face(card, NAMES, words), layout.slip(card, NAMES, words)):
        boxes = []
        for shape in drawing.shapes:
            if isinstance(shape, layout.Text):
                assert "…" not in shape.text, shape.text
                long = fonts.width(shape.text, shape.size, shape.weight)
                assert shape.x >= 1 and shape.x + long <= drawing.width - 1, shape.text
                boxes.append(
                    (shape.x, shape.y - 0.72 * shape.size, shape.x + long, shape.y, shape.text)
                )
            elif isinstance(shape, layout.Cells):
                side = shape.module * max(x + w for x, _, w in shape.runs)
                boxes.append((shape.x, shape.y, shape.x + side, shape.y + side, "code"))
        for i, one in enumerate(boxes):
            for two in boxes[i + 1 :]:
                apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
                assert apart or len(one[4]) == len(two[4]) == 1, (one[4], two[4])


def test_what_a_resident_has_to_read_is_large_enough() -> None:
    """12 pt for what matters, and nothing below 7 pt but the number that only staff compare."""
    for language in LANGUAGES:
        words = texts.load(language)
        for card in (*cards(1), *cards(1, spare=True)):
            for drawing in (layout.face(card, NAMES, words), layout.slip(card, NAMES, words)):
                shown = [s for s in drawing.shapes if isinstance(s, layout.Text)]
                assert max(s.size for s in shown) >= 12 * MM_PER_PT
                small = [s.text for s in shown if s.size < 6.9 * MM_PER_PT]
                assert small == [words["number"].format(number=card.number)]


# -- read back ------------------------------------------------------------------------------------


def test_every_card_and_slip_of_a_sheet_is_read_back(page: Gray, five: list[Print]) -> None:
    for row, card in enumerate(five):
        top = sheet.TOP_MM + row * layout.CARD_MM[1]
        (found,) = read_gray(cut_out(page, sheet.LEFT_MM, top))
        assert found.text.decode() == card.token
        (found,) = read_gray(cut_out(page, sheet.LEFT_MM + layout.CARD_MM[0], top))
        assert found.text.decode() == card.recovery


def test_a_picture_for_a_card_printer_is_read_back(five: list[Print]) -> None:
    words = texts.load("ja")
    for drawing, text in (
        (layout.face(five[0], NAMES, words), five[0].token),
        (layout.slip(five[0], NAMES, words), five[0].recovery),
    ):
        image = Image.open(io.BytesIO(png.picture(drawing)))
        assert image.size == (1284, 810)
        assert image.info["dpi"] == pytest.approx((381, 381), abs=0.1)
        (found,) = read_gray(np.array(image.convert("L")))
        assert found.text.decode() == text


def test_an_svg_holds_the_same_code_and_no_text_that_needs_a_font(five: list[Print]) -> None:
    drawn = svg.drawing(layout.face(five[0], NAMES, texts.load("easy"))).decode()
    assert "<text" not in drawn and 'width="85.6mm" height="54.0mm"' in drawn
    (path,) = re.findall(r'<path fill="#000000" d="([^"]*)"', drawn)
    picture = np.full((54 * PX_PER_MM, 86 * PX_PER_MM), 255, np.uint8)
    for run in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", path):
        x, y, width, height = (float(part) * PX_PER_MM for part in run)
        picture[round(y) : round(y + height), round(x) : round(x + width)] = 0
    (found,) = read_gray(picture)
    assert found.text.decode() == five[0].token


def test_printed_cards_are_read_before_the_camera_in_every_condition(
    page: Gray, five: list[Print]
) -> None:
    """Held before the bench's camera, frame by frame in virtual time. Badly worn and in glare some are not
    read at once, drawn or printed alike (docs/benchmarks.md); none is read as another."""
    read = {}
    for condition in CONDITIONS:
        shown = range(PRESENTATIONS)
        read[condition] = sum(is_read(condition, hand, page, five[hand]) for hand in shown)
    assert min(read.values()) >= 1, read
    assert sum(read.values()) >= 0.8 * PRESENTATIONS * len(CONDITIONS), read


def is_read(condition: str, hand: int, page: Gray, card: Print) -> bool:
    """Whether one presentation is read within 1.5 s from the first frame that has the whole code."""
    cut = cut_out(page, sheet.LEFT_MM, sheet.TOP_MM + hand * layout.CARD_MM[1])
    fine = tuple(round(side * cardprint.PX_PER_MM) for side in layout.CARD_MM)
    paper_card = np.asarray(cv2.resize(cut, fine, interpolation=cv2.INTER_AREA), np.uint8)
    held = Presentation(condition, hand, card.token, printed=paper_card)
    exposure = Exposure(SHORT_MS, 2.0) if condition == "swipe" else None
    first, reader = held.whole or 0, FrameReader(lambda: 0.0)
    for number in range(first, min(held.frames, first + FRAMES)):
        data = np.frombuffer(sensor.jpeg(held.frame(number, exposure)), np.uint8)
        codes = reader.read(Frame(data, round(number * 1_000 / FPS), number + 1))
        assert {code.text.decode() for code in codes} <= {card.token}
        if codes:
            return True
    return False


# -- other lengths --------------------------------------------------------------------------------


def test_a_name_that_is_too_long_is_made_small_and_then_cut(tmp_path: Path) -> None:
    long = Names(
        "とても長い名前の町の" * 4, "とても長い名前の公民館の資源ステーション" * 2, "事務室" * 20
    )
    card = cards(1)[0]
    for language in LANGUAGES:
        words = texts.load(language)
        for drawing in (layout.face(card, long, words), layout.slip(card, long, words)):
            for shape in drawing.shapes:
                if isinstance(shape, layout.Text):
                    end = shape.x + fonts.width(shape.text, shape.size, shape.weight)
                    assert end <= drawing.width - 1


def test_the_sheets_number_their_pages_and_hold_every_card() -> None:
    seven = cards(7)
    made = pdf.document(sheet.sheets(seven, NAMES, texts.load("en")), "cards")
    assert len(pypdfium2.PdfDocument(made)) == 2
    second = printed(made, 1)
    (found,) = read_gray(cut_out(second, sheet.LEFT_MM, sheet.TOP_MM + 54.0))
    assert found.text.decode() == seven[6].token
    empty = cut_out(second, sheet.LEFT_MM, sheet.TOP_MM + 2 * 54.0)
    assert read_gray(empty) == []

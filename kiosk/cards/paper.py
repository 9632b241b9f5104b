"""A batch of cards as files: sheets for any printer, or pictures for a card printer or a print shop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from kiosk.cards import texts
from kiosk.cards.issuing import Batch, BatchCard
from kiosk.cards.printing import layout
from kiosk.cards.printing.layout import Names, Print
from kiosk.cards.printing.shapes import Drawing
from kiosk.settings import Settings

Form = Literal[".pdf", ".svg", ".png"]


def files(
    batch: Batch, form: Form, out: Path, names: Names, language: texts.Language
) -> Iterator[tuple[Path, bytes]]:
    """Names and contents. One PDF ``out``; of pictures two a card, ``OUT-NUMBER-card`` and ``-slip``."""
    words = texts.load(language)
    cards = [printable(card) for card in batch.cards]
    if form == ".pdf":
        from kiosk.cards.printing import pdf, sheet

        yield out, pdf.document(sheet.sheets(cards, names, words), names.station)
        return
    for card in cards:
        for part, drawing in (
            ("card", layout.face(card, names, words)),
            ("slip", layout.slip(card, names, words)),
        ):
            yield out.with_stem(f"{out.stem}-{card.number}-{part}"), _drawn(drawing, form)


def _drawn(drawing: Drawing, form: Form) -> bytes:
    if form == ".svg":
        from kiosk.cards.printing import svg

        return svg.drawing(drawing)
    from kiosk.cards.printing import png

    return png.picture(drawing)


def printable(card: BatchCard) -> Print:
    return Print(card.token, card.recovery, card.last_day, card.number, card.spare)


def names_of(settings: Settings) -> Names:
    """What stands on this station's cards."""
    station = settings.station
    contact = f"{station.contact.name} {station.contact.phone}"
    return Names(settings.cards.town, station.name, contact)

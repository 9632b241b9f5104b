"""Reading a still picture: everything that the house has, dearest last, until nothing is left unread.

Most pictures are read by the first look. What it sees and cannot read (``Sight``) is tried again
along a better grid (``qr_grid``). zbar is asked last: it is slow, and its word counts only where
two views of the picture agree.

Bounded by construction: a fixed number of views, each of a bounded number of pixels, ``MAX_SIGHTS``
grids. A picture without a code costs all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from drivers import qr_grid, qr_prepare, qr_views, zbar
from drivers.qr_code import Code
from drivers.qr_grid import Sight
from drivers.qr_views import VIEWS, View
from drivers.qr_zxing import GLOBAL, look, read_modules
from drivers.vision import Gray

MAX_WORK_PIXELS = 16 << 20
"""A larger picture is made smaller first; a module of a code in it still has several pixels."""
MAX_SIGHTS = 8
"""Unread codes that are tried along a better grid, in one picture."""
SIGHTS_A_VIEW = 2
MAX_ZBAR_SIDE_PX = 1_280
BESIDE = 0.08
"""Two sights are one where no corner differs by more, in sides of the code."""


def read_gray(gray: Gray) -> list[Code]:
    """Every code of one grey picture, each once, in the order of finding."""
    if gray.size > MAX_WORK_PIXELS:
        small = qr_prepare.scaled(gray, (MAX_WORK_PIXELS / gray.size) ** 0.5)
        return [code.scaled(gray.shape[1] / small.shape[1]) for code in read_gray(small)]
    found = _Found()
    found.take(gray, gray, View(lambda same: same))
    for number, view in enumerate(VIEWS):
        if found.done(number):
            return found.codes
        if (seen := view.made(gray)) is not None:
            found.take(gray, seen, view)
    found.take_by_grid()
    if not found.codes:
        found.codes += _agreed_by_zbar(gray)
    return found.codes


def glance(gray: Gray) -> list[Code]:
    """What two quick looks read."""
    return look(gray)[0] or look(gray, GLOBAL)[0]


@dataclass(frozen=True, slots=True)
class _Unread:
    """A code that was seen in a view and not read; ``home`` where that is in the picture itself."""

    seen: Gray
    sight: Sight
    home: Sight

    @property
    def box(self) -> Code:
        xs, ys = zip(*self.home.corners, strict=True)
        return Code(b"", min(xs), min(ys), max(xs), max(ys))


class _Found:
    """What was read in one picture, and what was seen there besides."""

    def __init__(self) -> None:
        self.codes: list[Code] = []
        self._unread: list[_Unread] = []

    def take(self, gray: Gray, seen: Gray, view: View) -> None:
        """Looks at a view of ``gray``."""
        codes, sights = look(seen, view.binarizer)
        home = gray.shape[1] / (seen.shape[1] - 2 * view.edge_px)
        for code in codes:
            self._add(code.moved(-view.edge_px).scaled(home))
        for sight in sights[:SIGHTS_A_VIEW]:
            self._note(_Unread(seen, sight, sight.moved(-view.edge_px).scaled(home)))

    def done(self, number: int) -> bool:
        """Whether view ``number`` and those behind it can be left out: something was read, nothing unread
        is known, and where there were several codes a few views have looked for more."""
        if not self.codes or self._still_unread():
            return False
        return len(self.codes) == 1 or number >= qr_views.FEW

    def take_by_grid(self) -> None:
        """Reads what was seen and not read along better grids."""
        for unread in self._still_unread()[:MAX_SIGHTS]:
            box = unread.box
            if any(code.overlaps(box) for code in self.codes):
                continue
            for modules in qr_grid.readings(unread.seen, unread.sight):
                if codes := read_modules(modules):
                    self._add(replace(box, text=codes[0].text, symbol=codes[0].symbol))
                    break

    def _add(self, code: Code) -> None:
        if not any(known.is_again(code) for known in self.codes):
            self.codes.append(code)

    def _note(self, unread: _Unread) -> None:
        if not any(known.home.is_about(unread.home, BESIDE) for known in self._unread):
            self._unread.append(unread)

    def _still_unread(self) -> list[_Unread]:
        return [one for one in self._unread if not any(map(one.box.overlaps, self.codes))]


def _agreed_by_zbar(gray: Gray) -> list[Code]:
    """What zbar reads the same in two views. It keeps no word of what a symbol declares, so bytes that
    are no UTF-8 could be kanji as well, and are nobody's text."""
    small = qr_prepare.within(gray, MAX_ZBAR_SIDE_PX)
    views = [
        qr_prepare.within(gray, 640),
        small,
        qr_prepare.threshold(small),
        qr_prepare.sharp(small),
    ]
    if small.size <= qr_views.MAX_TWICE_PIXELS // 4:
        views.append(qr_prepare.scaled(small, 2))
    seen: dict[bytes, Code] = {}
    agreed: dict[bytes, Code] = {}
    for view in views:
        for code in zbar.scan(view):
            if not _is_utf8(code.text):
                continue
            at_home = code.scaled(gray.shape[1] / view.shape[1])
            if seen.setdefault(code.text, at_home) is not at_home:
                agreed.setdefault(code.text, at_home)
    return list(agreed.values())


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

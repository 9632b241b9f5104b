"""Draws every page of the caretaker's corner, for somebody to look at.

python tests/screen/corner_shots.py OUT      every page, language and orientation
python tests/screen/corner_shots.py --keep   the few that are kept in docs/screens
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from corner_scenes import SCENES
from shots import LANGUAGES, LONG_MS, PANELS, ROOT, browser_page
from test_corner_drawn import before

KEPT = (
    "corner-home-ja-wide",
    "corner-doctor-wrong-ja-wide",
    "corner-adjust-load-ja-wide",
    "corner-number-easy-tall",
)
SETTLE_MS = 450


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "docs" / "screens")
    parser.add_argument("--keep", action="store_true", help="only the pictures kept in the tree")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for orientation, panel in PANELS.items():
        with browser_page(panel) as page:
            page.set_default_timeout(LONG_MS)
            for count in sorted({scene.count for scene in SCENES.values()}):
                for corner in before(page, count):
                    for name, scene in SCENES.items():
                        names = {one: f"{name}-{one}-{orientation}" for one in LANGUAGES}
                        if given.keep:
                            names = {one: file for one, file in names.items() if file in KEPT}
                        if scene.count != count or not names:
                            continue
                        corner.come_to(scene)
                        for language, file in names.items():
                            corner.speak(language)
                            page.wait_for_timeout(SETTLE_MS)
                            page.screenshot(path=given.out / f"{file}.png")
                            sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()

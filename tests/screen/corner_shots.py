"""Draws every page of the caretaker's corner, for somebody to look at.

    python tests/screen/corner_shots.py OUT

Every page, language and orientation; the sheets that are kept: shots.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from corner_scenes import SCENES
from shots import LANGUAGES, LONG_MS, PANELS, browser_page
from test_corner_drawn import before

SETTLE_MS = 450


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for orientation, panel in PANELS.items():
        with browser_page(panel) as page:
            page.set_default_timeout(LONG_MS)
            for count in sorted({scene.count for scene in SCENES.values()}):
                for corner in before(page, count):
                    for name, scene in SCENES.items():
                        names = {one: f"{name}-{one}-{orientation}" for one in LANGUAGES}
                        if scene.count != count:
                            continue
                        corner.come_to(scene)
                        for language, file in names.items():
                            corner.speak(language)
                            page.wait_for_timeout(SETTLE_MS)
                            page.screenshot(path=given.out / f"{file}.png")
                            sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()

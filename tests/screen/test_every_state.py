"""Everything that the page shows can be read and touched: big, strong and whole enough, also enlarged.

Chromium draws, playwright asks it (eyes.py) at every state that walks.py comes to: in every language on one
panel, in one on the other. What is measured is what contracts.md promises. ``KIOSK_SEARCH_SIZE=2`` asks
everything everywhere; docs/screen.md tells what that found.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable

import pytest
from eyes import Eyes, faults, violations
from playwright.sync_api import Page
from shots import PANELS
from walks import WALKS

from kiosk.screen.waiting import WaitingPage


@pytest.mark.parametrize("orientation", PANELS)
def test_the_page_that_asks_for_patience_too(page: Page, orientation: str) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    waiting = WaitingPage("127.0.0.1", port)
    waiting.start()
    page.set_viewport_size(PANELS[orientation])
    page.goto(f"http://127.0.0.1:{port}/")
    found = faults(page) + violations(page, contrast=True)
    page.goto("about:blank")
    waiting.stop()
    assert found == []


@pytest.mark.parametrize("walk", WALKS)
def test_every_state_can_be_read_touched_and_enlarged(
    page: Page, walk: str, record_property: Callable[[str, object], None]
) -> None:
    wide, tall = both = Eyes(page, "wide"), Eyes(page, "tall")
    for stop, (state, languages) in enumerate(WALKS[walk](page)):
        # By turns: each panel is walked on from, too.
        for eyes in (wide, tall) if stop % 2 == 0 else (tall, wide):
            eyes.look(state, languages)
    for eyes in both:
        record_property("looks", json.dumps({**eyes.looks, **eyes.least}))
        assert eyes.wrong == [], json.dumps(eyes.wrong, ensure_ascii=False, indent=1)
        assert all(len(places) == 1 for places in eyes.backs.values()), "back is never looked for"

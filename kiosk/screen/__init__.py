"""The residents' screen: one page, its state as server-sent events, and the few touches it takes.

::

    main thread ── publish(View) ──▶ feed ──▶ GET /events (newest wins, at most ten a second)
    main thread ◀── act(action, bin) ◀────── POST /act    (guarded: Host, Origin, token, size)

Beside the views: named events for what changes seldom (``tell``), and touches that are more than a
finger on a bin (``Taker``).

The page draws what a :class:`kiosk.core.view.View` says and decides nothing.
"""

from kiosk.screen.app import Taker
from kiosk.screen.server import ScreenServer
from kiosk.screen.setup import Setup, speech, station_setup

__all__ = ["ScreenServer", "Setup", "Taker", "speech", "station_setup"]

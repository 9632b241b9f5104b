"""What residents see: the station's real screen, followed over its server-sent events.

One thread reads ``/events``; whoever asks gets the newest :class:`Sight`. When the station dies the
connection ends, and it is tried again every ``RETRY_S``; ``life`` counts the connections, so that a
resident notices that the station died even when it is back already.
"""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass, replace

import msgspec

RETRY_S = 0.15
SILENCE_S = 30.0
"""A stream that says nothing for so long is dropped and opened anew."""
MAX_LINE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Sight:
    """The screen as last seen; the counters are the station's since its start."""

    connected: bool = False
    life: int = 0
    checkins: int = 0
    refusals: int = 0
    records: int = 0
    visits_open: int = 0
    phase: str = ""
    starting: frozenset[str] = frozenset()
    """Bins whose weight the station has not seen yet since its start."""


class _Bin(msgspec.Struct, frozen=True):
    bin: str
    state: str


class _Shown(msgspec.Struct, frozen=True):
    """The part of the screen's state that a resident reads."""

    checkins: int
    refusals: int
    records: int
    visits_open: int
    phase: str
    bins: tuple[_Bin, ...]


class ScreenWatch:
    """Follows ``http://127.0.0.1:port/events`` until stopped."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sight = Sight()
        self._stop = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name="screen-watch", daemon=True)
        self._thread.start()

    @property
    def sight(self) -> Sight:
        return self._sight

    def stop(self) -> None:
        """Idempotent. The reading thread may sleep on a silent socket; it is a daemon."""
        self._stop.set()
        self._thread.join(timeout=2 * RETRY_S)

    def _run(self) -> None:
        while not self._stop.wait(RETRY_S):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SILENCE_S)
            try:
                connection.request("GET", "/events", headers={"Accept": "text/event-stream"})
                response = connection.getresponse()
                if response.status == 200:
                    self._follow(response)
            except (OSError, http.client.HTTPException, msgspec.MsgspecError):
                pass  # no station, or one that was killed in mid-sentence: ordinary here
            finally:
                self._sight = replace(self._sight, connected=False)
                connection.close()

    def _follow(self, response: http.client.HTTPResponse) -> None:
        """Events are ``data:`` lines up to an empty line (HTML, server-sent events); those with a name are
        no views."""
        life = self._sight.life + 1
        data: list[bytes] = []
        named = False
        while not self._stop.is_set():
            line = response.readline(MAX_LINE_BYTES)
            if not line:
                return
            field, _, value = line.rstrip(b"\r\n").partition(b":")
            if field == b"event":
                named = True
            elif field == b"data" and not named:
                data.append(value.removeprefix(b" "))
            elif not field and not value:
                named = False
                if not data:
                    continue
                shown = msgspec.json.decode(b"\n".join(data), type=_Shown)
                data.clear()
                self._sight = Sight(
                    connected=True,
                    life=life,
                    checkins=shown.checkins,
                    refusals=shown.refusals,
                    records=shown.records,
                    visits_open=shown.visits_open,
                    phase=shown.phase,
                    starting=frozenset(b.bin for b in shown.bins if b.state == "starting"),
                )

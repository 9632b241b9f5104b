"""What the rules ask of the station: a batch, a verdict, that it hears how the link is."""

from __future__ import annotations

import logging
from pathlib import Path

from sync.messages import AckError
from sync.station_link import StationGone, StationLink, StationRefused
from sync.station_watch import REQUEST_S, Watcher
from sync.uplink_events import (
    AckJudged,
    BatchFetched,
    Event,
    Fetch,
    Judge,
    NothingFetched,
    Report,
    StationDown,
)

log = logging.getLogger("kiosk.uplink")


class StationDesk:
    """The connection for requests, opened when first needed after a greeting."""

    def __init__(self, path: Path, watcher: Watcher) -> None:
        self._path = path
        self._watcher = watcher
        self._greeting = 0
        self._link: StationLink | None = None

    def greeted(self, number: int) -> None:
        """The watcher met a station: an older connection may lead to a process that is gone."""
        self._greeting = number
        self.close()

    def ask(self, action: Fetch | Judge | Report) -> Event | None:
        """Carry it out; StationDown where the station is not there for it."""
        try:
            return _answer(self.link(), action)
        except StationGone as gone:
            return self.lost(gone)
        except StationRefused as refused:
            log.warning("the station refuses: %s", refused)
            self._watcher.greet_again(self._greeting)
            return StationDown(stalled=True)

    def link(self) -> StationLink:
        """For other questions; whoever asks them hands StationGone to ``lost``. Raises it."""
        if self._link is None:
            self._link = StationLink(self._path, timeout_s=REQUEST_S)
        return self._link

    def lost(self, gone: StationGone) -> StationDown:
        """The connection failed: what the rules have to hear of it."""
        self.close()
        self._watcher.greet_again(self._greeting)
        return StationDown(gone.stalled)

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        if self._link is not None:
            self._link.close()
            self._link = None


def _answer(link: StationLink, action: Fetch | Judge | Report) -> Event | None:
    match action:
        case Fetch(after, max_entries):
            batch = link.batch(after, max_entries)
            return NothingFetched(after) if batch is None else BatchFetched(after, *batch)
        case Judge(payload):
            try:
                text = payload.decode()
            except UnicodeDecodeError:
                return None  # no acknowledgement has such bytes, and the socket speaks UTF-8
            verdict = link.ack(text)
            said = verdict.error
            error = AckError(said.code, said.seq) if said is not None else None
            return AckJudged(
                verdict.accepted, verdict.reason, verdict.watermark, verdict.epoch, error
            )
        case Report(online, code, words):
            link.link(online=online, code=code, words=words)
            return None

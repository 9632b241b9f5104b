"""The city's answer, carried by hand, and what becomes of each of its words at the station.

Nothing is believed for having come on a stick: the file has to be the city's, for this station, and of no
earlier life of its database than is known here; then each word goes the way that the uplink's go, and is
checked again by whoever takes it. The acknowledgement is last, as a running station may start anew on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kiosk.control import ControlClient
from kiosk.core.errors import OperatorError
from sync import stick
from sync.messages import Malformed
from sync.messages.carried import AnswerHead, read_answer, words

if TYPE_CHECKING:
    from kiosk.settings import Settings
    from kiosk.words import Taker

ANSWER_S = 30.0
"""A station that writes a list of 200,000 cards to a slow card takes seconds over its last part."""
KNOWN = frozenset({"old", "old_seq", "other_base", "not_asked"})
"""What the station has already, or has no use for: nothing is wrong."""
LATER = frozenset({"topic"})
"""What only a running station takes."""


@dataclass(slots=True)
class TakenIn:
    """What became of an answer. ``error`` what the city found wrong with this station's ledger."""

    station: str
    epoch: int
    watermark_before: int
    watermark: int
    running: bool
    taken: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    error: str | None = None

    def note(self, topic: str, reason: str | None) -> None:
        """One word's end; the parts of a list count with it."""
        if reason is None:
            self.taken.append(topic)
        elif reason in KNOWN:
            self.known.append(topic)
        elif reason in LATER:
            self.later.append(topic)
        else:
            self.refused.append({"topic": topic, "reason": reason})

    @property
    def good(self) -> bool:
        return not self.refused and self.error is None


def take_in(settings: Settings, path: Path) -> TakenIn:
    """Hands the answer in ``path`` to the station, or to its files where it does not run.

    Raises OperatorError: the file is damaged, another station's, an older one, or cannot be read.
    """
    if settings.city is None:
        raise OperatorError(
            "no_city_key",
            "The settings do not name the city's key, so nothing of the city's can be believed.",
            "Write public_key in [city]; the city's administrator knows it.",
        )
    try:
        file = stick.opened(path)
    except OSError as error:
        raise OperatorError(
            "answer_unreadable",
            f"The file {path} cannot be read ({error.strerror}).",
            "Plug the stick in again, and name the file that the city gave.",
            file=path,
            reason=error.strerror,
        ) from error
    with file:
        head = _proven(file, path, settings)
        try:
            with ControlClient(settings.paths.socket, timeout_s=ANSWER_S) as client:
                return _at_work(client, head, file)
        except OperatorError as error:
            if error.code != "station_unreachable":
                raise
        file.seek(0)
        return _at_rest(settings, _proven(file, path, settings), file)


def _proven(file: BinaryIO, path: Path, settings: Settings) -> AnswerHead:
    assert settings.city is not None, "asked before"
    try:
        head = read_answer(file, settings.city.key)
    except Malformed as malformed:
        case = "none" if malformed.code in ("no_answer", "version") else "torn"
        raise OperatorError(
            "answer_damaged",
            f"{path} is no answer that the city signed, or it is damaged.",
            "Copy the file from the city again; nothing was changed.",
            file=path.name,
            case=case,
        ) from malformed
    own = settings.station
    if (head.city, head.station) != (own.city, own.id):
        raise OperatorError(
            "answer_other_station",
            f"The answer is for the station {head.city}/{head.station}, not for this one.",
            "Take it there, and bring this station's own.",
            station=f"{head.city}/{head.station}",
        )
    return head


def _check_epoch(head: AnswerHead, known: int) -> None:
    if head.epoch < known:
        raise OperatorError(
            "answer_old",
            f"The answer is of an earlier life of the city's database ({head.epoch}, now {known}).",
            "Ask the city for a new one (kiosk-receiver import … --answer).",
            epoch=head.epoch,
            known=known,
        )


def _at_work(client: ControlClient, head: AnswerHead, file: BinaryIO) -> TakenIn:
    hello = client.call("hello")
    _check_epoch(head, hello["epoch"])
    found = TakenIn(head.station, head.epoch, hello["watermark"], hello["watermark"], running=True)
    for word in words(file):
        if word.topic != "ack":
            said = client.call("word", topic=word.topic, payload=word.payload)
            found.note(word.topic, said["reason"])
            continue
        said = client.call("ack", payload=word.payload)
        _acknowledged(found, said["reason"], said["watermark"], said["error"])
    return found


def _at_rest(settings: Settings, head: AnswerHead, file: BinaryIO) -> TakenIn:
    from kiosk.ledger import acks
    from kiosk.ledger.files import Folder, writers_lock
    from kiosk.offline import become_owner

    assert settings.city is not None, "asked before"
    become_owner(settings.paths.data)
    folder = Folder(settings.paths.data)
    with writers_lock(folder.lock):
        ack = acks.kept_ack(folder, settings.city.key)
        before = 0 if ack is None else ack.seq
        _check_epoch(head, 0 if ack is None else ack.epoch)
        found = TakenIn(head.station, head.epoch, before, before, running=False)
        accept = _takers_at_rest(settings)
        for word in words(file):
            if word.topic != "ack":
                found.note(word.topic, accept(word.topic, word.payload.encode()))
                continue
            verdict = acks.take_at_rest(folder, word.payload.encode(), settings.city.key)
            said = None if verdict.error_code is None else {"code": verdict.error_code}
            _acknowledged(found, verdict.reason, verdict.watermark, said)
    return found


def _takers_at_rest(settings: Settings) -> Callable[[str, bytes], str | None]:
    """Who keeps words in files, and so can take them while the station does not run."""
    from kiosk import catalogue
    from kiosk.cards.list_ops import card_lists
    from kiosk.clock import StationClock
    from kiosk.town.town import Town

    clock = StationClock(settings.station.timezone)
    town = Town(settings, catalogue.load(settings.paths.catalogue), clock.now)
    takers: list[Taker] = [card_lists(settings, clock), town]

    def accept(topic: str, payload: bytes) -> str | None:
        for taker in takers:
            if taker.takes(topic):
                return taker.accept(topic, payload).reason
        return "topic"

    return accept


def _acknowledged(
    found: TakenIn, reason: str | None, watermark: int, error: dict[str, Any] | None
) -> None:
    found.note("ack", reason)
    found.watermark = watermark
    found.error = None if error is None else error["code"]

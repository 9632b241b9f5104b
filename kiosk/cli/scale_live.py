"""The running station's scale, live: samples for a guide, a diagnosis or a trace."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from kiosk.cli import asking
from kiosk.control.client import ControlClient, StationError
from kiosk.core.errors import DeviceError, KioskError, OperatorError
from kiosk.scale_work import Heard, Line, parts
from kiosk.settings import Settings


@contextmanager
def listening(
    settings: Settings, bin_id: str, *, service: bool
) -> Iterator[tuple[Line, Iterator[Heard]]]:
    """The bin's line and what its scale says from now on.

    With ``service`` the bin is out of use meanwhile. Raises OperatorError (no such bin, no station)
    and DeviceError (the scale is away, or cannot be worked at now).
    """
    asking.check_bin(settings, bin_id)
    with ControlClient(settings.paths.socket, timeout_s=asking.ANSWER_S) as client:
        stream = client.stream("scale_samples", bin=bin_id, service=service)
        try:
            line = msgspec.convert(next(stream), Line)
        except StationError as error:
            raise work_refused(error) from error
        yield line, (heard for item in stream for heard in parts(item))


def line_of(settings: Settings, bin_id: str) -> Line:
    """What the station knows of the bin's scale."""
    asking.check_bin(settings, bin_id)
    try:
        return msgspec.convert(asking.ask(settings, "scale_line", bin=bin_id), Line)
    except StationError as error:
        raise work_refused(error) from error


def work_refused(error: StationError) -> KioskError:
    """The station's refusal with its kind: the call's fault, or the moment's."""
    if error.code == "bin_without_scale":
        return OperatorError(error.code, error.what, error.todo)
    return DeviceError(error.code, error.what, error.todo)


def check_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """The rules' answer where it is ``done``, else the error that says why not."""
    if answer["code"] == "done":
        return answer
    raise DeviceError(
        f"scale_{answer['code']}",
        f"The station cannot do that now ({answer['code']}).",
        "See kiosk scale list, and try again in a moment.",
    )


def cancelled() -> bool:
    """Whether somebody has pressed 0 and Enter on this terminal."""
    if not sys.stdin.isatty():
        return False
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    if not ready:
        return False
    line = sys.stdin.readline()
    return line == "" or line.strip() == "0"

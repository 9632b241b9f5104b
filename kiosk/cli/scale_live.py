"""The running station's scale, live: samples for a guide, a diagnosis or a trace."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from kiosk.cli import asking
from kiosk.control.client import ControlClient, StationError
from kiosk.core.adjusted import Adjusted
from kiosk.core.adjustment import Instrument
from kiosk.core.errors import DeviceError, KioskError, OperatorError
from kiosk.settings import Settings

MG = 1_000
"""An indicator's samples are milligrams: so many to the gram."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the station knows of a bin's scale; fields of a newer station are passed over.

    ``scale`` the adjustment in force, None where the settings' line is the first one.
    ``temperature_mc`` of its thermometer in 1/1000 °C, ``warmth_gain`` the factor that it puts
    to the slope.
    """

    bin: str
    kind: str
    max_g: int
    division_g: int
    min_increment_g: int
    rate_sps: float
    counts_per_gram: float | None
    zero_counts: int | None
    adjustment: int
    scale: Adjusted | None = None
    gross_g: int | None = None
    empty_g: int = 0
    temperature_mc: int | None = None
    warmth_gain: float = 1.0
    lost: str | None = None

    @property
    def raw(self) -> bool:
        """Whether its samples are counts; else they are milligrams."""
        return self.counts_per_gram is not None

    @property
    def instrument(self) -> Instrument:
        return Instrument(self.max_g, self.division_g, self.counts_per_gram or MG)


@dataclass(frozen=True, slots=True)
class Sample:
    """Counts, or an indicator's stable milligrams."""

    t_ms: int
    counts: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Samples were lost, or said to be moving."""

    moving: bool


@dataclass(frozen=True, slots=True)
class Refusals:
    """So many frames were not believed."""

    frames: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The scale went away."""

    code: str


@dataclass(frozen=True, slots=True)
class Idle:
    """Time passes, and nothing comes."""


Heard = Sample | Doubt | Refusals | Lost | Idle


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


def parts(item: dict[str, Any]) -> Iterator[Heard]:
    """One item of the stream, taken apart."""
    if "lost" in item:
        yield Doubt(moving=False) if item["lost"] is None else Lost(item["lost"])
    elif "counts" in item:
        if item["gap"]:
            yield Doubt(moving=False)
        if item["rejected"]:
            yield Refusals(item["rejected"])
        for t_ms, counts in zip(item["t_ms"], item["counts"], strict=True):
            yield Sample(t_ms, counts)
    elif "gross_mg" in item:
        if item["status"] == "stable" and item["gross_mg"] is not None:
            yield Sample(item["t_ms"], item["gross_mg"])
        else:
            yield Doubt(moving=True)
    else:
        yield Idle()


def scale_lost(code: str) -> DeviceError:
    return DeviceError(
        "scale_lost",
        f"The scale went out of order meanwhile ({code}).",
        "See kiosk doctor scale.",
    )


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

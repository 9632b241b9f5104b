"""``kiosk scale record``: a live scale's counts as a trace that ``kiosk scale replay`` reads.

The header's comments hold what a replay needs. No date and no place stand in it: a trace may be shown to
anybody. Every row is written whole and at once, so that a trace that was broken off is a trace.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from kiosk import __version__
from kiosk.cli.call import Call
from kiosk.cli.scale_live import listening
from kiosk.core.errors import OperatorError
from kiosk.scale_work import Doubt, Heard, Line, Lost, Refusals, Sample

FLUSHED_S = 1.0


def record(call: Call, bin_id: str, file: Path, seconds: float) -> int:
    """Until the time is over, or Ctrl-C."""
    with listening(call.settings, bin_id, service=False) as (line, heard):
        if not line.raw:
            raise OperatorError(
                "no_counts",
                "An indicator sends weights; only an HX711 has counts to record.",
                "Choose a bin with an HX711: kiosk scale list.",
            )
        try:
            with file.open("x", encoding="ascii", newline="\n") as trace:
                trace.write(header(line))
                call.say("record.begins", file=file, seconds=f"{seconds:.0f}")
                samples = rows(trace, heard, seconds)
        except OSError as error:
            raise OperatorError(
                "trace_file",
                f"The file {file} cannot be written ({error.strerror}).",
                "Name a new file in a folder of your own.",
            ) from error
    call.say("record.done", samples=samples, file=file, options=replay_options(line))
    if call.json:
        call.write({"file": str(file), "samples": samples, "replay": replay_options(line)})
    return 0 if samples else 1


def header(line: Line) -> str:
    facts = {
        "software": f"kiosk {__version__}",
        "bin": line.bin,
        "counts_per_gram": line.counts_per_gram,
        "zero_counts": line.zero_counts,
        "max_g": line.max_g,
        "division_g": line.division_g,
        "min_increment_g": line.min_increment_g,
        "rate_sps": line.rate_sps,
        "adjustment": line.adjustment,
        "replay": replay_options(line),
    }
    told = "".join(f"# {name}: {value}\n" for name, value in facts.items())
    return f"{told}t_ms,counts,rejected,gap\n"


def replay_options(line: Line) -> str:
    """What ``kiosk scale replay`` has to be told."""
    return (
        f"--counts-per-gram {line.counts_per_gram} --zero-counts {line.zero_counts}"
        f" --max-g {line.max_g} --division-g {line.division_g} --rate-sps {line.rate_sps}"
        f" --min-increment-g {line.min_increment_g}"
    )


def rows(trace: TextIO, heard: Iterator[Heard], seconds: float) -> int:
    """A row a sample; times count from the first one. How many there were."""
    first_ms: int | None = None
    last_ms, samples, rejected, gap = -1, 0, 0, 0
    until_s, flushed_s = time.monotonic() + seconds, time.monotonic()
    try:
        for one in heard:
            match one:
                case Sample():
                    first_ms = one.t_ms if first_ms is None else first_ms
                    if one.t_ms - first_ms > last_ms:
                        last_ms = one.t_ms - first_ms
                        trace.write(f"{last_ms},{one.counts},{rejected},{gap}\n")
                        samples, rejected, gap = samples + 1, 0, 0
                case Refusals():
                    rejected += one.frames
                case Doubt():
                    gap = 1
                case Lost():
                    trace.write(f"# lost: {one.code}\n")
                case _:
                    pass
            now_s = time.monotonic()
            if now_s - flushed_s > FLUSHED_S:
                trace.flush()
                flushed_s = now_s
            if now_s >= until_s:
                break
    except KeyboardInterrupt:
        # The way to end it; a row half written would be cut off by the buffer's own end.
        pass
    return samples

"""A scale on an HX711: proven samples in blocks, and a verdict when none come.

Invariant: a sample is posted only when its frame was proven (``hx711_witness``); everything else is
counted in ``CountsBlock.rejected``. Between two conversions the thread sleeps, and looks at DOUT only
around the moment at which the next one should be ready.

Codes: ``scale_missing`` never ready (cable off, no power, no GPIO) · ``scale_stuck`` DOUT does not
follow the clock · ``scale_saturated`` the signal is beyond the chip's range · ``scale_rate`` it converts
at another rate than was set · ``scale_garbled`` none of the frames can be believed.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from typing import TYPE_CHECKING

from drivers.clock import boottime_ns
from drivers.hx711_witness import Sample, Witness
from drivers.worker import Worker
from kiosk.core.errors import DeviceError
from kiosk.core.events import CountsBlock

if TYPE_CHECKING:
    from drivers.hx711_safe import SafeHX711

BLOCK_MS = 80
"""At least this between two blocks: at 10 SPS each sample goes at once, at 80 every seventh."""
BLOCK_SAMPLES = 64
MISSING_PERIODS = 8
"""Twice the chip's settling after a reset."""
MISSING_S = 0.3
LOOKS = 64
"""Looks a period around the expected moment: 1.6 ms apart at 10 SPS, 0.2 ms at 80."""
CLOSE = 1 / 32
WIDE = 0.4
"""How long before the expected moment the looks begin, in periods: once the chip's own rate is
known, and before."""
VERDICT_NS = 2_000_000_000
VERDICT_REJECTS = 5
"""So long without a sample, with so many frames refused, and the scale is lost."""

_TROUBLES = {
    "tail": ("scale_stuck", "The scale's data line does not move.", "Check its cable for a short."),
    "saturated": (
        "scale_saturated",
        "The scale's signal is beyond its range.",
        "Take the load off; if it stays, check the four wires of the load cell.",
    ),
    "late": (
        "scale_rate",
        "The scale's samples do not come at the rate in the settings.",
        "Compare rate_sps in the settings with the board's RATE pin.",
    ),
}
_GARBLED = (
    "scale_garbled",
    "The scale answers, but none of it can be believed.",
    "Keep its cable away from mains cables and make it shorter.",
)


class Hx711Scale(Worker):
    """``bin`` for the events; ``gain`` 128, 64 or 32 (32 is channel B)."""

    def __init__(
        self, bin: str, *, dout_pin: int, sck_pin: int, rate_sps: float = 10.0, gain: int = 128
    ) -> None:
        super().__init__(f"scale:{bin}")
        self._bin = bin
        self._pins = (dout_pin, sck_pin)
        self._gain = gain
        self._witness = Witness(rate_sps)
        self._chip: SafeHX711 | None = None
        self._samples: list[Sample] = []
        self._rejected = 0
        self._gap = False
        self._sent_ms = 0
        self._refusals: Counter[str] = Counter()
        self._proven_ns = 0

    # -- Worker ---------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the two pins. The chip goes on as it is; its first frame sets the gain."""
        self._witness.restart()
        self._refusals.clear()
        self._proven_ns = boottime_ns()
        try:
            from drivers.hx711_safe import SafeHX711

            chip = SafeHX711(*self._pins, gain=64 if self._gain == 64 else 128)
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            raise DeviceError(
                "scale_missing",
                f"The scale's pins cannot be used: {error}.",
                "Check that RPi.GPIO (on a Pi 5 rpi-lgpio) is installed and the pins are free.",
            ) from error
        if self._gain == 32:
            chip.channel = "B"
        self._chip = chip

    def step(self) -> None:
        """One conversion: await it, let it bear witness for the one before, read it."""
        chip = self._chip
        assert chip is not None
        looks = self._await_ready(chip)
        if looks is None:
            return
        verdict, sample = self._witness.edge(*looks)
        if sample is not None:
            self._samples.append(sample)
            self._proven_ns = sample.ready_ns
            self._refusals.clear()
        elif verdict is not None:
            self._refuse(verdict)
        if verdict == "early":
            self._reset(chip)
        else:
            self._read(chip)
        self._send()

    def close(self) -> None:
        """Let go. The pins stay as they are: a clock line let float could power the chip down."""
        self._chip = None
        self._samples.clear()
        self._gap = True

    # -- one conversion -------------------------------------------------------------------------

    def _await_ready(self, chip: SafeHX711) -> tuple[int, int] | None:
        """When DOUT was last seen high and first low; None when stopping."""
        period_ns = self._witness.period_ns
        expected_ns = self._witness.expected_ns()
        if expected_ns is not None:
            early = period_ns * (CLOSE if self._witness.locked else WIDE)
            time.sleep(max(0.0, (expected_ns - early - boottime_ns()) / 1e9))
        begun_ns = high_ns = 0
        for _ in range(MISSING_PERIODS * LOOKS * 4):
            if self.stopping:
                return None
            look_ns = boottime_ns()
            if chip.ready():
                return high_ns, look_ns
            begun_ns = begun_ns or look_ns
            high_ns = look_ns
            if look_ns - begun_ns > MISSING_PERIODS * period_ns + MISSING_S * 1e9:
                break
            time.sleep(period_ns / LOOKS / 1e9)
        raise DeviceError("scale_missing", "The scale does not answer.", "Check its cable.")

    def _read(self, chip: SafeHX711) -> None:
        counts = chip.read()
        if counts is None:
            assert chip.flaw is not None
            self._refuse(chip.flaw)
            if chip.flaw in ("slow", "tail"):
                self._reset(chip)
        elif verdict := self._witness.frame(counts, boottime_ns()):
            self._refuse(verdict)

    def _reset(self, chip: SafeHX711) -> None:
        """Bring the chip into a known state: power down and up, gain unknown, four to settle."""
        chip.power_down()
        chip.power_up()
        self._witness.restart()

    def _refuse(self, reason: str) -> None:
        self._rejected += 1
        self._refusals[reason] += 1
        if (
            self._refusals.total() >= VERDICT_REJECTS
            and boottime_ns() - self._proven_ns > VERDICT_NS
        ):
            ((most, _),) = self._refusals.most_common(1)
            raise DeviceError(*_TROUBLES.get(most, _GARBLED))

    def _send(self) -> None:
        """Post what is proven; a block that finds the inbox full is lost, and the next says so."""
        if not self._samples:
            return
        last_ms = self._samples[-1].ready_ns // 1_000_000
        if last_ms - self._sent_ms < BLOCK_MS and len(self._samples) < BLOCK_SAMPLES:
            return
        self._sent_ms = last_ms
        block = CountsBlock(
            self._bin,
            tuple(sample.ready_ns // 1_000_000 for sample in self._samples),
            tuple(sample.counts for sample in self._samples),
            self._rejected,
            self._gap,
        )
        self._samples.clear()
        try:
            self.deliver(block)
        except queue.Full:
            self._gap = True
        else:
            self._gap = False
            self._rejected = 0

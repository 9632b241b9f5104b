"""Scales on HX711s: proven samples in blocks, and a verdict when none come.

Invariant: a sample is posted only when its frame was proven (``hx711_witness``) and its value is
plausible beside its neighbours (``hx711_gate``); everything else is counted in
``CountsBlock.rejected``. How the chips are reached is the wire's business (``hx711_port``).

One thread a clock line. Where several chips share it, each bin has its own witness, its own verdict
and its own ``DeviceLost``; a chip that is missing or stuck does not stop the others.

Codes: ``scale_missing`` never ready (cable off, no power, no GPIO) · ``scale_stuck`` DOUT does not
follow the clock · ``scale_saturated`` the signal is beyond the chip's range · ``scale_rate`` it
converts at another rate than was set · ``scale_restarts`` the chip starts anew again and again ·
``scale_slow`` this machine is too busy for the clock's pulses · ``scale_gain`` the amplifier is not as
set · ``scale_garbled`` none of the frames can be believed.
"""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Iterable, Sequence

from drivers.clock import boottime_ns
from drivers.hx711_gate import Gate
from drivers.hx711_port import Conversion, Flaw, Wire
from drivers.hx711_witness import Sample, Witness
from drivers.worker import Device, Post, Voice, Worker
from kiosk.core.errors import DeviceError
from kiosk.core.events import CountsBlock

BLOCK_MS = 80
"""At least this between two blocks: at 10 SPS each sample goes at once, at 80 every seventh."""
BLOCK_SAMPLES = 64
VERDICT_NS = 2_000_000_000
VERDICT_REJECTS = 5
"""So long without a sample, with so many frames refused, and the scale is lost."""
RESET_REJECTS = 8
"""So many frames refused in a row on a whole clock line, and its chips are powered down and up."""

_RATE = (
    "scale_rate",
    "The scale's samples do not come at the rate in the settings.",
    "Compare rate_sps in the settings with the board's RATE pin.",
)
_TROUBLES = {
    "rate": _RATE,
    "overtaken": _RATE,
    "missing": ("scale_missing", "The scale does not answer.", "Check its cable."),
    "tail": ("scale_stuck", "The scale's data line does not move.", "Check its cable for a short."),
    "unseen": ("scale_stuck", "The scale's data line does not move.", "Check its cable."),
    "saturated": (
        "scale_saturated",
        "The scale's signal is beyond its range.",
        "Take the load off; if it stays, check the four wires of the load cell.",
    ),
    "late": (
        "scale_restarts",
        "The scale's converter starts anew again and again.",
        "Check its 5 V supply and its plugs.",
    ),
    "slow": (
        "scale_slow",
        "This machine is too busy to read the scale.",
        "Look for what keeps it busy, or read the scale by the kernel's driver or by SPI.",
    ),
    "gain": (
        "scale_gain",
        "The scale's amplifier is not as set.",
        "Compare gain in the settings with the device tree's overlay.",
    ),
}
_GARBLED = (
    "scale_garbled",
    "The scale answers, but none of it can be believed.",
    "Keep its cable away from mains cables and make it shorter.",
)


class Hx711Bin:
    """One bin's chip: what is proven, what was refused, and what is said of it."""

    def __init__(
        self, bin: str, rate_sps: float, gain: int = 128, *, must_see: bool = False
    ) -> None:
        self.bin = bin
        self.voice = Voice(f"scale:{bin}")
        self.witness = Witness(rate_sps, gain, must_see=must_see)
        self.gate = Gate()
        self.present = True
        """Whether frames wait for it."""
        self.refused_in_a_row = 0
        self._samples: list[Sample] = []
        self._rejected = 0
        self._gap = False
        self._sent_ms = 0
        self._refusals: Counter[str] = Counter()
        self._proven_ns = 0

    def begin(self) -> None:
        """The wire was opened."""
        self.witness.start()
        self.gate.restart()
        self.present = True
        self.refused_in_a_row = 0
        self._refusals.clear()
        self._proven_ns = boottime_ns()

    def end(self) -> None:
        """The wire was closed."""
        self._samples.clear()
        self._gap = True

    def judge(self, conversion: Conversion) -> None:
        """Let this conversion's edge bear witness for the frame before, then take its own frame."""
        verdict, sample = self.witness.edge(conversion.high_ns, conversion.low_ns)
        if verdict in ("late", "rate", "early", "unseen"):
            self._refuse(verdict)
        reading = conversion.reading
        flaw: str | None
        if isinstance(reading, Flaw):
            flaw = reading.value
        else:
            flaw = self.witness.frame(reading, conversion.end_ns)
        if sample is not None:
            self.refused_in_a_row = 0
            self._take(sample)
        if flaw is not None:
            self._refuse(flaw)
        if reading is Flaw.TAIL or reading is Flaw.GAIN:
            self.witness.restart()  # the chip may have counted other pulses than we sent

    def verdict(self) -> DeviceError | None:
        """Why nothing has been heard for so long, once it is long."""
        if (
            self._refusals.total() < VERDICT_REJECTS
            or boottime_ns() - self._proven_ns <= VERDICT_NS
        ):
            return None
        ((most, _),) = self._refusals.most_common(1)
        self._refusals.clear()
        return trouble(most)

    def block(self) -> CountsBlock | None:
        """What is proven, when it is time to send it."""
        if not self._samples:
            return None
        last_ms = self._samples[-1].ready_ns // 1_000_000
        if last_ms - self._sent_ms < BLOCK_MS and len(self._samples) < BLOCK_SAMPLES:
            return None
        self._sent_ms = last_ms
        block = CountsBlock(
            self.bin,
            tuple(sample.ready_ns // 1_000_000 for sample in self._samples),
            tuple(sample.counts for sample in self._samples),
            self._rejected,
            self._gap,
        )
        self._samples.clear()
        return block

    def sent(self, *, lost: bool) -> None:
        """The block was posted, or found the inbox full: then the next one says so."""
        self._gap = lost
        if not lost:
            self._rejected = 0

    def _take(self, sample: Sample) -> None:
        leaving, wrong = self.gate.feed(sample)
        for _ in range(wrong):
            self._refuse("implausible")
        if leaving:
            self._samples += leaving
            self._proven_ns = sample.ready_ns
            self._refusals.clear()

    def _refuse(self, reason: str) -> None:
        self.refused_in_a_row += 1
        self._rejected += 1
        self._refusals[reason] += 1


def trouble(reason: str) -> DeviceError:
    """The most frequent reason for refusing frames, as a device's failure."""
    return DeviceError(*_TROUBLES.get(reason, _GARBLED))


class Hx711Scale(Worker):
    """The thread of one clock line: ``bins`` in the order of the wire's chips."""

    def __init__(self, bins: Sequence[Hx711Bin], wire: Wire) -> None:
        super().__init__(bins[0].voice.device)
        self._bins = bins
        self._wire = wire

    def riders(self) -> Iterable[Device]:
        """The other bins' scales, as devices whose thread this one is."""
        return [_Rider(one.voice.device, self) for one in self._bins[1:]]

    # -- Worker ---------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the wire. The chips go on as they are; the first frame sets the gain."""
        self._wire.open()
        for one in self._bins:
            one.begin()

    def step(self) -> None:
        """One conversion of each chip: await them, judge the ones before, read these."""
        due = [one.witness.due(awaited=one.present) for one in self._bins]
        found = self._wire.take(due, lambda: self.stopping)
        if found is None:
            return
        if not any(found):
            raise trouble("missing")
        for one, conversion in zip(self._bins, found, strict=True):
            if conversion is None:
                self._miss(one)
                continue
            one.present = True
            one.judge(conversion)
            self._send(one)
            if error := one.verdict():
                self._give_up(one, error)
        if all(one.refused_in_a_row >= RESET_REJECTS for one in self._bins if one.present):
            self._reset()

    def close(self) -> None:
        """Let go. The pins stay as they are: a clock line let float could power the chip down."""
        self._wire.close()
        for one in self._bins:
            one.end()

    def lose(self, error: DeviceError) -> None:
        for one in self._bins:
            self.lose_of(one.voice, error)

    # -- one chip -------------------------------------------------------------------------------

    def _miss(self, one: Hx711Bin) -> None:
        """A frame went by it while it was not ready: what gain it has then, nobody knows."""
        one.witness.restart()
        if one.present:
            one.present = False
            one.end()
            self.lose_of(one.voice, trouble("missing"))

    def _give_up(self, one: Hx711Bin, error: DeviceError) -> None:
        """A scale alone on its line is opened anew; among others it is only told of."""
        if len(self._bins) == 1:
            raise error
        one.end()
        self.lose_of(one.voice, error)

    def _reset(self) -> None:
        self._wire.reset()
        for one in self._bins:
            one.witness.restart()
            one.refused_in_a_row = 0

    def _send(self, one: Hx711Bin) -> None:
        block = one.block()
        if block is None:
            return
        try:
            self.deliver_of(one.voice, block)
        except queue.Full:
            one.sent(lost=True)
        else:
            one.sent(lost=False)


class _Rider:
    """A scale that shares another's clock line, and so its thread."""

    def __init__(self, name: str, line: Hx711Scale) -> None:
        self.name = name
        self._line = line

    def start(self, post: Post) -> None:
        """The line's thread is started with its first bin."""

    def stop(self) -> None:
        self._line.stop()

    def beat_ms(self) -> int:
        return self._line.beat_ms()

    @property
    def hint(self) -> str | None:
        return self._line.hint

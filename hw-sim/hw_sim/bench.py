"""The bench: a station's wires as memory that several processes share.

The *world* process owns the physics and writes what acts on the wires from outside (the load on
each bridge, the level of a lid switch). The *station* process drives and reads its pins through the
bench's stand-in for ``RPi.GPIO`` (``hw-sim/bench-site``), and each HX711 model hangs on its clock pin.
Everything that hardware would keep while the station's program is dead stands in this memory: pin
functions and levels, the chips' registers and gains, the loads. So killing the station resets
nothing, and the chips go on converting (their time is CLOCK_MONOTONIC, one for the whole machine).

Who writes what: the world the fields of :class:`Hx711Slot` above the line, ``outside``; the station
all others. No field has two writers, so there is no lock; a ring's head is moved after its record is
written.

World's side::

    bench = Bench.create(path, [Hx711Wiring(dout_pin=5, sck_pin=6, rate_sps=10, seed=1)])
    bench.load(0, counts=84_000 + 43.0 * grams)     # at 100 Hz or more
    bench.drive(17, 0)                              # a lid switch closes to ground
    bench.lit(27), bench.tone_hz(22)                # lamp, buzzer
    subprocess.Popen([...], env={**os.environ, **station_environment(path)})
"""

from __future__ import annotations

import ctypes
import mmap
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"KBENCH02"
ENVIRONMENT = "HW_SIM_BENCH"
PINS = 28
"""BCM 0 to 27, the 40-pin header."""
CHIPS = 16
HISTORY = 512
"""Load samples kept a chip: 0.4 s, the filter's length at 10 SPS, at up to 1 kHz."""
RING = 1024
"""Output changes kept; a listener that looks once a second loses none below 1 kHz."""
FLOATING = 2
"""In ``outside``: nobody drives the pin, its pull decides."""

FUNCTION_IN, FUNCTION_OUT = 0, 1
LEVEL, TONE = 0, 1


class Hx711Slot(ctypes.Structure):
    """One HX711 and its wires. Counts are those of channel A at gain 128."""

    _fields_ = (
        # the world's
        ("used", ctypes.c_uint8),
        ("dout_pin", ctypes.c_uint8),
        ("sck_pin", ctypes.c_uint8),
        ("connected", ctypes.c_uint8),  # 0: the cable is off, DOUT follows the Pi's pull
        ("stuck_low", ctypes.c_uint8),  # 1: DOUT shorted to ground
        ("reset_keeps_gain", ctypes.c_uint8),  # the data sheet's two editions disagree
        ("reloads", ctypes.c_uint8),  # a conversion ends a frame that was broken off
        ("period_ns", ctypes.c_uint64),
        ("seed", ctypes.c_uint64),
        ("noise_counts", ctypes.c_double),  # rms
        ("spike_ppm", ctypes.c_uint32),  # a conversion: begins a pair of wrong values
        ("flip_ppm", ctypes.c_uint32),  # a read of DOUT: the level comes wrong
        ("loose_ppm", ctypes.c_uint32),  # a conversion: DOUT's wire hangs loose for a part of it
        ("history_head", ctypes.c_uint64),  # samples ever written
        ("history_ns", ctypes.c_uint64 * HISTORY),
        ("history_counts", ctypes.c_double * HISTORY),
        # the chip's own (written in the station's process)
        ("next_ns", ctypes.c_uint64),  # when the running conversion ends
        ("conversions", ctypes.c_uint64),  # ended so far
        ("register", ctypes.c_int32),  # what the pulses shift out
        ("pulses", ctypes.c_uint8),  # of the present frame
        ("ready", ctypes.c_uint8),  # a conversion waits to be read
        ("dout", ctypes.c_uint8),
        ("clock", ctypes.c_uint8),
        ("gain", ctypes.c_uint8),
        ("gain_before", ctypes.c_uint8),
        ("chosen_gain", ctypes.c_uint8),  # by the pulses of the last frame
        ("rise_ns", ctypes.c_uint64),  # of the clock
        ("gain_ns", ctypes.c_uint64),  # when the gain was changed
    )


class OutputChange(ctypes.Structure):
    """The station changed an output: a level, or a tone in Hz (0 silent)."""

    _fields_ = (
        ("t_ns", ctypes.c_uint64),
        ("value", ctypes.c_uint32),
        ("pin", ctypes.c_uint8),
        ("kind", ctypes.c_uint8),
    )


class Layout(ctypes.Structure):
    """The whole shared memory. A change of it needs a new ``MAGIC``."""

    _fields_ = (
        ("magic", ctypes.c_char * 8),
        ("size", ctypes.c_uint32),
        ("outside", ctypes.c_uint8 * PINS),  # driven by the world: 0, 1 or FLOATING
        ("function", ctypes.c_uint8 * PINS),
        ("pull", ctypes.c_uint8 * PINS),  # level of an undriven input
        ("out", ctypes.c_uint8 * PINS),  # level of an output
        ("tone_hz", ctypes.c_uint32 * PINS),
        ("ring_head", ctypes.c_uint64),  # changes ever written
        ("ring", OutputChange * RING),
        ("chips", Hx711Slot * CHIPS),
    )


@dataclass(frozen=True, slots=True)
class Hx711Wiring:
    """How one HX711 is wired and what it is like; ``noise_counts`` None as the data sheet has it."""

    dout_pin: int
    sck_pin: int
    rate_sps: float = 10.0
    seed: int = 0
    noise_counts: float | None = None
    spike_ppm: int = 0
    flip_ppm: int = 0
    loose_ppm: int = 0
    reset_keeps_gain: bool = False
    reloads: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One output change as the world hears it; ``kind`` LEVEL or TONE."""

    t_ns: int
    pin: int
    kind: int
    value: int


class Bench:
    """One process's view of the shared memory."""

    def __init__(self, memory: mmap.mmap) -> None:
        self.layout = Layout.from_buffer(memory)
        self.chips: list[Hx711Slot] = [slot for slot in self.layout.chips if slot.used]

    @classmethod
    def create(cls, path: Path, wiring: Sequence[Hx711Wiring]) -> Bench:
        """A fresh bench, switched on now. It appears at ``path`` only when it is complete."""
        if len(wiring) > CHIPS:
            raise ValueError(f"a bench has room for {CHIPS} HX711")
        layout = Layout(magic=MAGIC, size=ctypes.sizeof(Layout))
        layout.outside[:] = [FLOATING] * PINS
        now = time.monotonic_ns()
        for slot, wires in zip(layout.chips, wiring, strict=False):
            _power_on(slot, wires, now)
        draft = path.with_suffix(".draft")
        draft.write_bytes(bytes(layout))
        draft.replace(path)
        return cls.attach(path)

    @classmethod
    def attach(cls, path: Path) -> Bench:
        """A bench that another process made. ``ValueError`` where it is no bench of this version."""
        with path.open("r+b") as file:
            memory = mmap.mmap(file.fileno(), 0)
        if len(memory) != ctypes.sizeof(Layout) or memory[: len(MAGIC)] != MAGIC:
            raise ValueError(f"{path} is no bench of version {MAGIC.decode()}")
        return cls(memory)

    # -- the world's side -----------------------------------------------------------------------

    def load(self, chip: int, counts: float, t_ns: int | None = None) -> None:
        """The bridge's signal from ``t_ns`` (CLOCK_MONOTONIC, rising; now) on, without noise."""
        slot = self.chips[chip]
        at = slot.history_head % HISTORY
        slot.history_ns[at] = time.monotonic_ns() if t_ns is None else t_ns
        slot.history_counts[at] = counts
        slot.history_head += 1

    def drive(self, pin: int, level: int | None) -> None:
        """Put a level on a pin from outside; None lets go of it."""
        self.layout.outside[pin] = FLOATING if level is None else level

    def lit(self, pin: int) -> bool:
        """Whether the station drives this output high."""
        return self.layout.function[pin] == FUNCTION_OUT and bool(self.layout.out[pin])

    def tone_hz(self, pin: int) -> int:
        """The tone on a buzzer's pin, 0 when silent."""
        return int(self.layout.tone_hz[pin])

    def changes(self, since: int) -> tuple[int, list[Change]]:
        """Output changes from number ``since`` on (0 the first), and the number to go on from."""
        head = int(self.layout.ring_head)
        ring = self.layout.ring
        found = [
            Change(record.t_ns, record.pin, record.kind, record.value)
            for record in (ring[i % RING] for i in range(max(since, head - RING), head))
        ]
        return head, found

    # -- the station's side ---------------------------------------------------------------------

    def tell(self, pin: int, kind: int, value: int) -> None:
        """Write an output change where the world hears it."""
        head = self.layout.ring_head
        record = self.layout.ring[head % RING]
        record.t_ns, record.pin = time.monotonic_ns(), pin
        record.kind, record.value = kind, value
        self.layout.ring_head = head + 1


def station_environment(path: Path) -> dict[str, str]:
    """What to add to a station's environment so that its pins are those of the bench at ``path``."""
    site = Path(__file__).resolve().parent.parent / "bench-site"
    inherited = os.environ.get("PYTHONPATH")
    return {
        ENVIRONMENT: str(path.resolve()),
        "PYTHONPATH": f"{site}{os.pathsep}{inherited}" if inherited else str(site),
        "GPIOZERO_PIN_FACTORY": "bench",
    }


def _power_on(slot: Hx711Slot, wires: Hx711Wiring, now_ns: int) -> None:
    """Rate pin and noise as the data sheet has them: 50 and 90 nV rms at 10 and 80 SPS."""
    typical = 21.0 if wires.rate_sps < 40 else 39.0
    slot.used = slot.connected = 1
    slot.dout_pin, slot.sck_pin = wires.dout_pin, wires.sck_pin
    slot.reset_keeps_gain = wires.reset_keeps_gain
    slot.reloads = wires.reloads
    slot.period_ns = round(1e9 / wires.rate_sps)
    slot.seed = wires.seed
    slot.noise_counts = typical if wires.noise_counts is None else wires.noise_counts
    slot.spike_ppm, slot.flip_ppm = wires.spike_ppm, wires.flip_ppm
    slot.loose_ppm = wires.loose_ppm
    slot.gain = slot.gain_before = slot.chosen_gain = 128
    slot.dout = 1
    slot.next_ns = now_ns + 4 * slot.period_ns

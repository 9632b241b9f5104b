"""gpiozero's ``rpigpio`` pin factory on a machine that is no Pi.

gpiozero asks ``/proc`` which board it runs on. The bench answers instead, through gpiozero's own way
to add a pin factory: an entry point, in ``bench_pins-1.dist-info`` beside this file, so that it is
there only on the bench's path. ``GPIOZERO_PIN_FACTORY=bench`` chooses it.
"""

from __future__ import annotations

from gpiozero.pins.rpigpio import RPiGPIOFactory
from RPi import GPIO


class BenchFactory(RPiGPIOFactory):  # type: ignore[misc]  # gpiozero has no types
    """Everything but the board's revision is gpiozero's own."""

    def _get_revision(self) -> int:
        return int(str(GPIO.RPI_INFO["REVISION"]), 16)

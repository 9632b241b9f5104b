r"""A weighing indicator on a pseudo-terminal, speaking one maker's telegrams (``indicator_speech``).

It has a platform's force fed to it some hundred times a second, averages over ``FILTER_S``, rounds to
its division and says what it shows ten times a second, or only when asked: as A&D's
``ST,GS,+00012.34kg\r\n``, ``US`` while its average has moved by more than a division within
``STILL_S``, ``OL`` beyond Max + 9 divisions. Many indicators take what lies on them at power-on as
zero: ``zeroes_itself``. With a ``baud`` it is understood at that speed only: at another its bytes come out
as others, as they do on a wire.

It keeps the far end of its line open itself: a station may die and come back. It has no thread; what
nobody reads is dropped, as on a wire. It shares no code with the driver.
"""

from __future__ import annotations

import os
import termios
from collections import deque
from contextlib import suppress
from pathlib import Path

from hw_sim.indicator_speech import SPEECHES
from hw_sim.plug import Plug

FILTER_S = 0.4
STILL_S = 0.6
PERIOD_S = 0.1
MAX_SAMPLES = 1024
"""One filter's length at up to 2.5 kHz."""
MAX_HEARD_BYTES = 64


class IndicatorPeer:
    """The indicator and its line; ``link`` becomes a symbolic link to the port."""

    def __init__(
        self,
        link: Path,
        *,
        max_g: int,
        division_g: int,
        stream: bool = True,
        zeroes_itself: bool = False,
        protocol: str = "ad",
        baud: int | None = None,
    ) -> None:
        self._plug = Plug(link)
        self._max_g, self._division_g = max_g, division_g
        self._stream = stream
        self._speech = SPEECHES[protocol]
        self._baud = baud
        self._zeroes_itself = zeroes_itself
        self._samples: deque[tuple[float, float]] = deque(maxlen=MAX_SAMPLES)
        self._means: deque[tuple[float, float]] = deque(maxlen=MAX_SAMPLES)
        self._next_s = 0.0
        self._heard = b""
        self._zero_g: float | None = None if zeroes_itself else 0.0

    def feed(self, now_s: float, grams: float) -> None:
        """What the platform feels at ``now_s``; sends a telegram when one is due."""
        if self._zero_g is None:
            self._zero_g = grams
        self._samples.append((now_s, grams - self._zero_g))
        _drop_before(self._samples, now_s - FILTER_S)
        due = now_s >= self._next_s
        if due:
            self._next_s = max(self._next_s + PERIOD_S, now_s)
            mean_g = sum(each for _, each in self._samples) / len(self._samples)
            self._means.append((now_s, mean_g))
            _drop_before(self._means, now_s - STILL_S)
        if self._means and (due if self._stream else self._asked()):
            self.send(self._telegram())

    def send(self, raw: bytes) -> None:
        """Put bytes on the line, telegram or not."""
        if not self._same_speed():
            raw = bytes(byte * 37 & 0xFF for byte in raw)
        with suppress(BlockingIOError):
            os.write(self._plug.device, raw)

    def _same_speed(self) -> bool:
        """Whether the other end has set the line to our speed."""
        if self._baud is None:
            return True
        speed = getattr(termios, f"B{self._baud}")
        return termios.tcgetattr(self._plug.terminal)[4:6] == [speed, speed]

    def power_cycle(self) -> None:
        """Off and on: it has forgotten what it weighed, and may take it as zero now."""
        self._samples.clear()
        self._means.clear()
        self._heard = b""
        self._zero_g = None if self._zeroes_itself else 0.0

    def stop(self) -> None:
        """Pull the plug: whoever holds the port sees it vanish."""
        self._plug.pull()

    def _asked(self) -> bool:
        """Whether its request came."""
        with suppress(BlockingIOError):
            self._heard += os.read(self._plug.device, MAX_HEARD_BYTES)
        asked = self._speech.request in self._heard and self._same_speed()
        self._heard = b"" if asked else self._heard[-MAX_HEARD_BYTES:]
        return asked

    def _telegram(self) -> bytes:
        mean_g = self._means[-1][1]
        values = [each for _, each in self._means]
        still = len(values) > 1 and max(values) - min(values) <= self._division_g
        shown_g = round(mean_g / self._division_g) * self._division_g
        if mean_g > self._max_g + 9 * self._division_g:
            return self._speech.over
        return self._speech.say(shown_g, still)


def _drop_before(line: deque[tuple[float, float]], oldest_s: float) -> None:
    while line and line[0][0] < oldest_s:
        line.popleft()

"""A load-cell transmitter on Modbus RTU: the pump around ``indicator_modbus``.

It is the line's only master: it asks each ``poll_ms`` and waits ``ANSWER_S`` for the reply, so that an
answer that comes late is never taken for the next question's (``reset_input_buffer``).
"""

from __future__ import annotations

import termios

from drivers import indicator_modbus
from drivers.clock import boottime_ms
from drivers.indicator_modbus import Registers
from drivers.serial_line import Line
from drivers.serial_scale import SerialScale, gone

ANSWER_S = 0.3


class ModbusScale(SerialScale):
    """``registers``: where this transmitter says what."""

    def __init__(
        self,
        bin_id: str,
        port: str,
        registers: Registers,
        *,
        poll_ms: int = 200,
        line: Line,
    ) -> None:
        super().__init__(
            bin_id,
            port,
            decoder=lambda: indicator_modbus.decoder(registers),
            request=indicator_modbus.request(registers),
            poll_ms=poll_ms,
            line=line,
        )
        self._reply_bytes = registers.reply_bytes

    def step(self) -> None:
        """One question and its answer."""
        assert self._serial is not None and self._request is not None
        wait_ms = self._asked_ms + self._poll_ms - boottime_ms()
        if wait_ms > 0:
            self.rest(wait_ms / 1000)
        self._asked_ms = boottime_ms()
        try:
            self._serial.reset_input_buffer()
            self._serial.write(self._request)
            data = self._answer()
        except (OSError, termios.error) as error:
            raise gone(self._port, error) from error
        self._decoder = self._make()
        self._take([*self._decoder.feed(data), *self._decoder.end()])

    def _answer(self) -> bytes:
        """What comes within ``ANSWER_S``, at most a reply; an exception is shorter."""
        assert self._serial is not None
        data = b""
        until_ms = boottime_ms() + int(1000 * ANSWER_S)
        while len(data) < self._reply_bytes and boottime_ms() < until_ms and not self.stopping:
            more = self._serial.read(self._reply_bytes - len(data))
            data += more
            if not more and data:
                break
        return data

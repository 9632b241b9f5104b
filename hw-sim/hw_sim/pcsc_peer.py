"""A PC/SC reader without hardware: the real pcscd with vsmartcard's virtual reader, and cards held to it.

The daemon runs for this bench alone, on a socket of its own that it is handed as by systemd; clients find
it by ``PCSCLITE_CSOCK_NAME`` in their environment. A card is a connection to the virtual reader's port, on
which every message has its length in two bytes before it; of one byte they are the reader's own (power off,
on, reset, "what is your ATR"), longer ones are commands for the card. (vsmartcard, ``vpcd``.)

To "which number" (``FF CA 00 00 00``), which a contactless reader answers itself, the card answers here.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DAEMON = "/usr/sbin/pcscd"
DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
READER = "Virtual PCD"
GET_UID = bytes.fromhex("ffca000000")
ATR_WANTED, POWER_BYTES = b"\x04", 1
START_S = 10.0
CONFIG = """FRIENDLYNAME "{reader}"
DEVICENAME /dev/null:{port:#x}
LIBPATH {driver}
CHANNELID {port:#x}
"""
HAND_OVER = """import os, sys
os.dup2({fd}, 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv({daemon!r}, ["pcscd", "--foreground", "--config", {config!r}])
"""


def is_there() -> bool:
    """Whether this machine has the daemon and the virtual reader."""
    return shutil.which(DAEMON) is not None and Path(DRIVER).exists()


@dataclass(frozen=True, slots=True)
class PcscCard:
    """A card as the reader tells of it: ``uid`` empty where it tells no number."""

    atr: bytes
    uid: bytes

    @classmethod
    def ntag(cls, uid: bytes) -> PcscCard:
        """An NTAG 21x: ISO 14443 A part 3, Mifare Ultralight (SS 03, NN 0003)."""
        return cls(bytes.fromhex("3b8f8001804f0ca0000003060300030000000068"), uid)

    @classmethod
    def felica(cls, idm: bytes) -> PcscCard:
        """A FeliCa card at 212 kbit/s (SS 11, NN 003B)."""
        return cls(bytes.fromhex("3b8f8001804f0ca00000030611003b0000000042"), idm)

    @classmethod
    def my_number(cls, pupi: bytes) -> PcscCard:
        """A type B card with a chip: the number is made up at each look."""
        return cls(bytes.fromhex("3b88800100000000338181003a"), pupi)


class PcscPeer:
    """The daemon, its reader, and the card on it. ``stop`` and ``start`` are an unplugged reader."""

    def __init__(self, folder: Path) -> None:
        self.socket = str(folder / "pcscd.comm")
        self._config = folder / "reader.conf"
        self._port = _two_free_ports()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._card: _Connection | None = None

    def start(self) -> None:
        """Switch it on; returns when the virtual reader listens."""
        self._config.write_text(CONFIG.format(reader=READER, port=self._port, driver=DRIVER))
        Path(self.socket).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.socket)
            listener.listen(8)
            code = HAND_OVER.format(fd=listener.fileno(), daemon=DAEMON, config=str(self._config))
            self._daemon = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[listener.fileno()],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def place(self, card: PcscCard) -> None:
        """Lay a card on the reader, in place of what lay there."""
        self.remove()
        self._card = _Connection(self._port, card)

    def remove(self) -> None:
        """Take it away."""
        if self._card is not None:
            self._card.stop()
            self._card = None

    def stop(self) -> None:
        """Switch the daemon off, and the reader with it."""
        self.remove()
        if self._daemon is not None:
            self._daemon.send_signal(signal.SIGTERM)
            try:
                self._daemon.wait(5)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
            self._daemon = None


class _Connection:
    """One card's life on the reader."""

    def __init__(self, port: int, card: PcscCard) -> None:
        self._card = card
        until_s = time.monotonic() + START_S
        while True:
            try:
                self._line = socket.create_connection(("127.0.0.1", port), timeout=5)
                break
            except OSError:
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.05)
        self._line.settimeout(None)
        self._thread = threading.Thread(target=self._serve, name="pcsc-card", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)
        self._line.close()

    def _serve(self) -> None:
        while (head := self._read(2)) and len(head) == 2:
            message = self._read(int.from_bytes(head, "big"))
            if message == ATR_WANTED:
                self._say(self._card.atr)
            elif len(message) > POWER_BYTES:
                known = message == GET_UID and self._card.uid
                self._say(self._card.uid + b"\x90\x00" if known else b"\x6a\x81")

    def _read(self, size: int) -> bytes:
        held = b""
        while len(held) < size:
            try:
                more = self._line.recv(size - len(held))
            except OSError:
                return b""
            if not more:
                return b""
            held += more
        return held

    def _say(self, message: bytes) -> None:
        with suppress(ConnectionError):  # taken away in mid-answer: the next read ends it
            self._line.sendall(len(message).to_bytes(2, "big") + message)


def _two_free_ports() -> int:
    """A port with the next one free as well: the driver takes one for each of its two slots."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port

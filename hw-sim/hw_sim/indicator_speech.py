r"""How each maker's indicator says what it shows, written from the makers' manuals and from nothing else.

``say`` puts grams and stillness into one telegram, ``request`` is what makes it speak, ``over`` is what it
says beyond its range. It shares no code with the drivers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speech:
    """One maker's."""

    say: Callable[[int, bool], bytes]
    request: bytes
    over: bytes


def _kg(grams: int, decimals: int = 2) -> str:
    return f"{grams / 1000:.{decimals}f}"


def _ad(grams: int, still: bool) -> bytes:
    sign = "-" if grams < 0 else "+"
    return f"{'ST' if still else 'US'},GS,{sign}{_kg(abs(grams)):0>8}kg\r\n".encode()


def _dini(grams: int, still: bool) -> bytes:
    return f"01{'ST' if still else 'US'},GS,{_kg(grams):>8},kg\r\n".encode()


def _cas(grams: int, still: bool) -> bytes:
    lamps = 0x84 | (0x40 if still else 0)
    sign, room = ("-", 7) if grams < 0 else ("", 8)
    number = f"{sign}{_kg(abs(grams)):0>{room}}"
    head = f"{'ST' if still else 'US'},GS,1".encode()
    return head + bytes((lamps,)) + f",{number} kg\r\n".encode()


def _sma(grams: int, still: bool) -> bytes:
    return f"\n 1G{' ' if still else 'M'} {_kg(grams):>10}kg \r".encode()


def _sics(grams: int, still: bool) -> bytes:
    return f"S {'S' if still else 'D'} {_kg(grams):>10} kg\r\n".encode()


def _shinko(grams: int, still: bool) -> bytes:
    sign = "-" if grams < 0 else "+"
    return f"{sign}{_kg(abs(grams)):0>8}KG {'S' if still else 'U'}\r\n".encode()


def _sartorius(grams: int, still: bool) -> bytes:
    sign = "-" if grams < 0 else "+"
    return f"{sign}{_kg(abs(grams)):>9} {'kg ' if still else '   '}\r\n".encode()


def _kern(grams: int, still: bool) -> bytes:
    return f"  {_kg(grams):>10} {'kg ' if still else ''}\r\n".encode()


def _ohaus(grams: int, still: bool) -> bytes:
    return f"{_kg(grams):>8} kg   {' ' if still else '?'}G\r\n".encode()


def _generic(grams: int, still: bool) -> bytes:
    """As T-Scale's NHB, but in kilograms."""
    return f"{'ST' if still else 'US'},GS{_kg(grams):>8}kg  \r\n".encode()


def _modbus(grams: int, still: bool) -> bytes:
    """Laumas's status and gross weight with two decimals, registers 6 to 8 of unit 1."""
    status = (0x0800 if still else 0) | (0x0080 if grams < 0 else 0)
    return _reply(status, abs(grams) // 10)


def _reply(status: int, weight: int) -> bytes:
    body = b"\x01\x03\x06" + status.to_bytes(2, "big") + weight.to_bytes(4, "big")
    return body + _crc16(body)


def _crc16(body: bytes) -> bytes:
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


_READ = b"\x01\x03\x00\x06\x00\x03"

SPEECHES: dict[str, Speech] = {
    "ad": Speech(_ad, b"Q\r\n", b"OL,GS,+99999.99kg\r\n"),
    "dini": Speech(_dini, b"READ\r\n", b"01OL,GS, 9999.99,kg\r\n"),
    "cas": Speech(_cas, b"\x01", b"OL,GS,1\xc4,00000.00 kg\r\n"),
    "sma": Speech(_sma, b"\nW\r", b"\nO1G    9999.99 kg \r"),
    "sics": Speech(_sics, b"SI\r\n", b"S +\r\n"),
    "shinko": Speech(_shinko, b"O8\r\n", b"+00000.00KG E\r\n"),
    "sartorius": Speech(_sartorius, b"\x1bP", b"      High    \r\n"),
    "kern": Speech(_kern, b"w", b"       Error\r\n"),
    "ohaus": Speech(_ohaus, b"IP\r\n", b"  Over Capacity\r\n"),
    "generic": Speech(_generic, b"P\r\n", b"  -OL-  \r\n"),
    "modbus": Speech(_modbus, _READ + _crc16(_READ), _reply(0x0004, 0)),
}

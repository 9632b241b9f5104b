"""``kiosk scale probe``: what was tried at a port, and what speaks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kiosk.cli.call import Call, json_line

if TYPE_CHECKING:
    from drivers.probe import Found, Tried


def tried(call: Call, one: Tried) -> None:
    """One attempt at an indicator's port."""
    asked = None if one.asked is None else ascii(one.asked.decode("latin-1"))[1:-1]
    if call.json:
        counted = {"bytes": one.bytes, "frames": one.frames}
        call.write({"kind": "tried", "line": str(one.line), "asked": asked, **counted})
        return
    how = call.words("probe.listening") if asked is None else ""
    call.say(
        "probe.tried",
        line=one.line,
        how=how or call.words("probe.asking", request=asked),
        bytes=one.bytes,
        frames=one.frames,
    )


def found(call: Call, port: str, one: Found) -> None:
    """What speaks at the port, as it goes into the settings."""
    line = {
        "baud": one.line.baud,
        "bytesize": one.line.bytesize,
        "parity": one.line.parity,
        "stopbits": one.line.stopbits,
        "stream": one.stream,
    }
    if call.json:
        told = {"kind": "found", "port": port, "protocol": one.protocol, **line}
        call.write({**told, "unit_id": one.unit_id})
        return
    call.say("probe.found", protocol=one.protocol, line=one.line)
    said = {"port": port, "protocol": one.protocol, **line}
    click.echo("  " + ", ".join(f"{name} = {json_line(value)}" for name, value in said.items()))
    if one.unit_id is not None:
        click.echo(f"  modbus = {{ unit_id = {one.unit_id}, decimals = … }}")
    call.say("probe.streams" if one.stream else "probe.answers")


def nothing(call: Call, port: str) -> None:
    """Nobody there that we know."""
    if call.json:
        call.write({"kind": "nothing", "port": port})
    call.say("probe.nothing", port=port)

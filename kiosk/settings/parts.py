"""What all tables of ``station.toml`` are made of."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

IDENTIFIER = r"\A[a-z0-9-]{1,32}\Z"
Identifier = Annotated[str, Meta(pattern=IDENTIFIER)]
PLAIN = r"\A[^\x00-\x1f\x7f-\x9f]*\Z"
Text = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN)]
Pin = Annotated[int, Meta(ge=0, le=27)]
"""A GPIO line by its BCM number."""
Port = Annotated[int, Meta(ge=1, le=65535)]
Grams = Annotated[int, Meta(ge=1, le=3_000_000)]
Baud = Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file. A misspelt name is an error, never a silent default."""

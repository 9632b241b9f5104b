"""Plain values in their shape, from any thread.

Invariant: one at a time. msgspec learns a type when it first meets it, and puts what it has learnt where
others find it before it is whole (0.22, ``StructInfo_Convert``): two threads that meet the same type for
the first time at once end the process with a segmentation fault. Looking at the town's file is such a
moment, at every start, and so are two callers of the control socket.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_ONE_AT_A_TIME = threading.Lock()


def shaped(value: object, kind: type[T], dec_hook: Callable[[type, Any], Any] | None = None) -> T:
    """As ``msgspec.convert``, which raises ``msgspec.ValidationError``."""
    with _ONE_AT_A_TIME:
        return msgspec.convert(value, kind, dec_hook=dec_hook)

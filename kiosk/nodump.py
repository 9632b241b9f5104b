"""No core dumps of a process that handles cards: its memory holds keys, and for moments a card's token.

Two locks, since one alone leaves a gap (core(5), prctl(2)):

- ``RLIMIT_CORE`` 0: the kernel writes no core file. A ``core_pattern`` that begins with a pipe (systemd-
  coredump, apport) is not held by it.
- ``PR_SET_DUMPABLE`` 0: the kernel dumps nothing at all, through a pipe either, and no other process of
  the same user may read this one's memory (ptrace(2), ``/proc/PID/mem``, ``environ``).

The systemd units say ``LimitCORE=0`` beside it. A dump that root takes on purpose, a hibernated or swapped
machine are not prevented.
"""

from __future__ import annotations

import ctypes
import resource

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


def no_core_dumps() -> None:
    """From now on for this process and what it starts (the second lock ends at an exec)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    _LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def may_dump_core() -> bool:
    """Whether the kernel may still write this process's memory anywhere."""
    dumpable: int = _LIBC.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)
    return dumpable != 0 or resource.getrlimit(resource.RLIMIT_CORE)[0] != 0

"""Standard output as a Unix tool has it: UTF-8 in every locale, and no failure of it passes in silence.

Who reads no more ends us quietly, as the signal would. A full disk or a closed output is told on standard
error. A descriptor that was closed when we began is held open here for nobody: else the next file to
be opened, the ledger perhaps, would take its number, and whatever is printed would go into it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable

BROKEN_PIPE = 141
"""What a shell says of a tool that SIGPIPE ended."""
FAILED = 1


class OutputFailed(Exception):
    """Standard output took nothing more. No OSError: nobody may take it for a file's or a socket's."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.errno = error.errno
        self.reason = error.strerror or "?"


class _Output(io.FileIO):
    """Descriptor 1, whose refusals are of a kind of their own."""

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]  # a buffer, as BufferedWriter gives it
        except OSError as error:
            raise OutputFailed(error) from error


def prepare() -> None:
    """Makes the three standard streams usable; once, before anything is printed."""
    for number in (0, 1, 2):
        _hold(number)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - lives as long as the process
    if isinstance(sys.stdin, io.TextIOWrapper):
        # What is no text is no answer to any question, and no reason to end in the middle of one.
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    if isinstance(sys.stderr, io.TextIOWrapper):
        # Also in a plain C locale, and file names as the shell gave them.
        sys.stderr.reconfigure(encoding="utf-8", errors="surrogateescape")
    if sys.stdout is None or _is_descriptor_1(sys.stdout):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Output(1, "w", closefd=False)),
            encoding="utf-8",
            errors="surrogateescape",
            line_buffering=os.isatty(1),
        )


def ended(run: Callable[[], int], tell: Callable[[str], None]) -> int:
    """What ``run`` gives, or the exit code of a failed output, which ``tell`` is given the reason of."""
    try:
        code = run()
        sys.stdout.flush()
    except OutputFailed as failed:
        _let_go(1)
        if failed.errno == errno.EPIPE:
            return BROKEN_PIPE
        tell(failed.reason)
        return FAILED
    return code


def complain(line: str) -> None:
    """A line on standard error; where that fails too, nobody can be told any more."""
    try:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - here it belongs
    except OSError:
        _let_go(2)


def _let_go(number: int) -> None:
    """What is still buffered goes nowhere, so that the interpreter's own last flush is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _hold(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # Output to be refused as a closed one is (EBADF): it is open for reading alone.
        held = os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
        if held != number:
            os.dup2(held, number)
            os.close(held)


def _is_descriptor_1(stream: object) -> bool:
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == 1
    except OSError:  # somebody else's stream in its place, without a descriptor
        return False

"""Files on a medium that people pull out: never a half one under a whole one's name.

A file is written beside its name (``NAME.part``), synced, read back from the medium, and only then renamed.
FAT keeps neither owners nor modes: 0600 is asked for where the medium can. Whatever stands there of
somebody else's is left alone.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from kiosk.core.errors import OperatorError, StorageError

MODE = 0o600
PART = ".part"
READ_BYTES = 1 << 20
MOUNTS = (Path("/media"), Path("/run/media"), Path("/mnt"))
"""Where sticks appear (FHS 3.0, udisks2). What lies there on the system's own disk is an empty place."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No more fits; FAT holds no file of 4 GiB."""


def place(target: Path, name: str) -> Path:
    """``target`` itself, or ``name`` in it where it is a folder. A name without an ending that is not
    there is meant as a folder: else the ledger would lie on the station's own disk, under the stick's name.
    OperatorError where there is no folder, or no stick in it."""
    is_file = not target.is_dir() and (target.exists() or bool(target.suffix))
    folder = target.parent if is_file else target
    if not folder.is_dir():
        raise OperatorError(
            "no_medium",
            f"There is no folder {folder}.",
            "Plug the stick in, and name the folder where it appears.",
            path=folder,
        )
    if _unplugged(folder):
        raise OperatorError(
            "medium_unplugged",
            f"There is no stick at {folder}: that is a folder on the machine's own disk.",
            "Plug the stick in, and name the folder where it appears (lsblk shows it).",
            path=folder,
        )
    return target if is_file else target / name


def _unplugged(folder: Path) -> bool:
    """Whether this is where sticks appear, and none is mounted there."""
    real = folder.resolve()
    return any(
        real.is_relative_to(place) and real.stat().st_dev == place.parent.stat().st_dev
        for place in MOUNTS
    )


def opened(path: Path) -> BinaryIO:
    """A file that somebody brought, to be read. OSError, also where it is no regular one: a pipe that
    nobody writes would be waited for."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(fd, "rb")


def write(
    path: Path,
    lines: Iterable[bytes],
    *,
    ours: Callable[[bytes], bool],
    keep: int = 0,
) -> int:
    """Writes ``lines`` as the file ``path``; its length in bytes.

    ``ours`` says by its beginning whether a file that is there already may be replaced. ``keep`` so
    many bytes of ``path.part`` count already and stay before ``lines``. Raises OperatorError where another
    file is in the way, StorageError where the medium is full or refuses.
    """
    refuse_anothers(path, ours)
    part = part_of(path)
    try:
        fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
        try:
            with os.fdopen(fd, "r+b", closefd=False) as file:
                file.truncate(keep)
                digest = _digest(fd, keep)
                file.seek(keep)
                for line in lines:
                    file.write(line)
                    digest.update(line)
                file.flush()
                os.fsync(fd)
                length = file.tell()
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            if _digest(fd, length).digest() != digest.digest():
                raise _failed("the medium gives back something else")
        finally:
            os.close(fd)
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno in FULL:
            with suppress(OSError):  # it may be gone, pulled out
                part.unlink()
            raise StorageError(
                "medium_full",
                "The medium is full; nothing new is on it.",
                "Make room on it, or take another one.",
            ) from error
        raise _failed(error.strerror or "?") from error
    return length


def refuse_anothers(path: Path, ours: Callable[[bytes], bool]) -> None:
    """OperatorError where a file of somebody else's has the name, or the name of its beginnings."""
    for file in (path, part_of(path)):
        if file.exists() and not file.is_file():  # a device would be replaced, a pipe waited for
            raise OperatorError(
                "file_in_the_way",
                f"Another file is there already: {file}.",
                "Name another file or folder, or move that one away.",
                file=file,
            )
        beginning = first_line(file)
        if beginning and not ours(beginning):
            raise OperatorError(
                "file_in_the_way",
                f"Another file is there already: {file}.",
                "Name another file or folder, or move that one away.",
                file=file,
            )


def part_of(path: Path) -> Path:
    return path.with_name(path.name + PART)


def first_line(path: Path) -> bytes | None:
    """The beginning of a file up to its first line feed; None where there is no file."""
    try:
        with path.open("rb") as file:
            return file.readline(READ_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(error.strerror or "?") from error


def _digest(fd: int, length: int) -> hashlib._Hash:
    digest, at = hashlib.sha256(), 0
    while at < length:
        data = os.pread(fd, min(READ_BYTES, length - at), at)
        if not data:
            break
        digest.update(data)
        at += len(data)
    return digest


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # not every medium's driver can sync a folder (EINVAL)
            os.fsync(fd)
    finally:
        os.close(fd)


def _failed(reason: str) -> StorageError:
    return StorageError(
        "medium_failed",
        f"The file cannot be written or read there ({reason}).",
        "Plug the stick in again, or take another one; nothing is lost at the station.",
        reason=reason,
    )

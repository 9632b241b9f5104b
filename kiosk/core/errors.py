"""Failures as types: whose fault it is stands in the type, what to do in the value.

::

    KioskError
    ├── OperatorError   who runs the station can mend it: a setting, a call, a misplaced file
    ├── DeviceError     a scale, reader, lamp or camera: becomes the events DeviceLost, DeviceBack
    ├── CityError       the city's side or the way to it: broker, receiver, a bad signature
    └── StorageError    the station's own disk or ledger: nothing was written

What none of them covers is our own bug. It is not caught: the process ends and systemd starts it
anew.

Every error says two sentences, never a traceback: what is wrong, and what to do. ``code`` is stable
(``[a-z0-9_]``); ``kiosk doctor CODE`` explains it, events and the ledger's alarms carry it.

>>> error = DeviceError("scale_missing", "The scale never answers.", "Check its cable.")
>>> print(error)
The scale never answers. Check its cable.
>>> error.code, error.what, error.todo
('scale_missing', 'The scale never answers.', 'Check its cable.')

A caller that knows only Python's own errors still finds the operator's among them:

>>> issubclass(OperatorError, ValueError)
True

The others share nothing with Python's, so that an ``except OSError`` around a read never swallows a
device's verdict:

>>> [issubclass(kind, OSError) for kind in (DeviceError, CityError, StorageError)]
[False, False, False]
"""

from __future__ import annotations


class KioskError(Exception):
    """A failure that was foreseen. ``what`` and ``todo`` are one plain sentence each; ``values`` what a
    translation of the two needs."""

    def __init__(self, code: str, what: str, todo: str, **values: object) -> None:
        super().__init__(f"{what} {todo}")
        self.values: dict[str, object] = values
        self.code = code
        self.what = what
        self.todo = todo


class OperatorError(KioskError, ValueError):
    """Who runs the station can mend it: settings, the call, files."""


class DeviceError(KioskError):
    """A device failed, is missing, or says what cannot be true."""


class CityError(KioskError):
    """The city's server, its broker, or the way there."""


class StorageError(KioskError):
    """The disk or the ledger refused; nothing of what was asked is kept."""

"""The command line: ``kiosk``. ``main`` is the console script, ``app`` its click group."""

from kiosk.cli.app import app, main

__all__ = ["app", "main"]

"""The station: ledger, settings, loop, screen, control socket and command line."""

__version__ = "0.1.0"

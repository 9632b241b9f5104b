"""The ledger: one append-only, hash-chained SQLite table, and what it adds up to."""

from kiosk.ledger.acks import AckVerdict
from kiosk.ledger.ledger import Ledger, Progress, hold
from kiosk.ledger.opening import TurnOver

__all__ = ["AckVerdict", "Ledger", "Progress", "TurnOver", "hold"]

"""The caretaker's corner at the edge: the touches of its pages, and what they set going.

Whether the corner is open the rules say (``kiosk.core.corner``); here nothing is decided, only asked.
"""

from kiosk.corner.desk import CornerDesk

__all__ = ["CornerDesk"]

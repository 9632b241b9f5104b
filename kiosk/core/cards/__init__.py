"""Cards: what a reader reads becomes a pseudonym or a refusal, and nothing else leaves.

``token`` the town's QR card, ``names`` what stands for a card, ``knowledge`` the ports to what the
station knows of cards, ``desk`` where it comes together.
"""

from kiosk.core.cards.desk import CardDesk
from kiosk.core.cards.names import is_random_uid, pseudonym
from kiosk.core.cards.token import CardBody, CardError, check, day_of, issue

__all__ = [
    "CardBody",
    "CardDesk",
    "CardError",
    "check",
    "day_of",
    "is_random_uid",
    "issue",
    "pseudonym",
]

"""Is the database's schema the one that this program writes?

``PRAGMA user_version`` holds the number of migrations applied; each sets it in its own transaction.
The migrations themselves need sqlite-utils, whose import costs a start's whole time budget, so they
are loaded only when there is something to do.
"""

from __future__ import annotations

import sqlite3

from kiosk.core.errors import OperatorError

SCHEMA = 7
"""The number of migrations in ``kiosk.ledger.migrations``."""


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Applies what is missing, one transaction each. Raises OperatorError for a newer schema."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA:
        raise OperatorError(
            "newer_ledger",
            "A newer version of this program has written the ledger.",
            "Install that version again; an older one must not write here.",
        )
    if version < SCHEMA:
        from kiosk.ledger.migrations import migrate

        migrate(connection)

"""What every kind of ledger entry is before it has a place in the ledger."""

from __future__ import annotations

import msgspec


class Draft(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """An entry before it has a place in the ledger."""

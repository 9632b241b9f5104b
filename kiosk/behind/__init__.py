"""The town behind the station, for its screen: what becomes of the things, and what people say there.

::

    ledger ── stocked ──┐
    catalogue, becomes ─┼──▶ told (one value, no individual) ──▶ teller ──▶ event "town"
    town.toml ── file ──┘

``teller`` is a thread of its own: nothing of this is ever between a resident and the bin.
"""

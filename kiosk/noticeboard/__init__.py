"""The town on the station's screen: what becomes of the things, and what people say there.

::

    ledger ── stocked ──┐
    catalogue, becomes ─┼──▶ told (one value, no individual) ──▶ teller ──▶ event "town"
    town.toml ── file ──┘

``looking`` is the thread that tells: nothing of this is ever between a resident and the bin.
"""

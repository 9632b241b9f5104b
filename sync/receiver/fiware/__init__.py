"""Projections to FIWARE: NGSI-LD entities and measures of the IoT Agent JSON. ``docs/fiware.md``."""

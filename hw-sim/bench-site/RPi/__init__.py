"""Stands in for the package that owns a Raspberry Pi's pins; only ever on the bench's path."""

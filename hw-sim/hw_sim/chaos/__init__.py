"""Kills at random, over every process between a station's ledger and the city's table."""

"""Catalogue and tariff from the city: taken, kept, and brought into force at the station."""

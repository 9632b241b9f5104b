"""The bench: simulated chips, serial peers, cameras, people and a city. Never on a station."""

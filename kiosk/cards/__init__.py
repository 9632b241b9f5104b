"""Cards at the edge: their key files, what the station keeps of cards, and issuing."""

"""From the station's ledger to the city's database: wire messages, uplink, receiver."""

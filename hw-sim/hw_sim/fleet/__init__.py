"""Many stations in one process: the uplink's own rules, real batches, a light MQTT client."""

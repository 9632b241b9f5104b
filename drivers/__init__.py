"""Device drivers: one file a device family, pure frame codecs apart from the pump that owns a port."""

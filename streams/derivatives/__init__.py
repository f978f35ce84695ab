"""The derivatives processor: which models derive from which, up to the root."""

"""The downloads processor: raw counters to clean series, daily deltas and points."""

"""What must not be possible, tried on real processes."""

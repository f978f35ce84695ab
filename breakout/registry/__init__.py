"""Which models are tracked and what is known of them. No I/O: bytes in, typed rows out."""

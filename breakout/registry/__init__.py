"""The registry: tracked models and their metadata. No I/O: bytes in, typed rows out."""

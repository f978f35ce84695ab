"""The HTTP API for researchers: read-only, citable, streamed from ClickHouse."""

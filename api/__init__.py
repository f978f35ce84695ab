"""The HTTP API for researchers: ClickHouse's answers, read-only, citable, streamed."""

"""ClickHouse's HTTP interface over the engine embedded in this process."""

"""Stream processors: Kafka to ClickHouse, on Faust."""

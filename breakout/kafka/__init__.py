"""Kafka: connections, topics, offsets and consumer positions."""

"""Collectors: each reads one public source and publishes its data to Kafka."""

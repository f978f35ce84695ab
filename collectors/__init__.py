"""Collectors: each reads one public source and publishes what it says to Kafka."""

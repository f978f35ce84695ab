"""From rows of a source to acknowledged records on Kafka."""

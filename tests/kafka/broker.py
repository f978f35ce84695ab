"""Where other people's scripts import the Kafka harness from."""

from tests.support.kafka.broker import KafkaBroker

__all__ = ["KafkaBroker"]

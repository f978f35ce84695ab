"""A broker without topics for each test that asks for one."""

from tests.support.empty_brokers import broker, each_broker, kafka, stopped_broker

__all__ = ["broker", "each_broker", "kafka", "stopped_broker"]

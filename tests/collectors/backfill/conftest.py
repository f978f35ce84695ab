"""A broker of its own for each test that asks for one."""

from tests.collectors.conftest import broker, kafka

__all__ = ["broker", "kafka"]

"""The broker of all benchmarks: Apache Kafka where it can run, otherwise the embedded one."""

from typing import Final

from tests.support.kafka.installed import why_not

WHY_EMBEDDED: Final = why_not()
KIND: Final = "kafka" if WHY_EMBEDDED is None else "embedded"


def description() -> str:
    """Return the kind of broker, and why it is not Apache Kafka."""
    if WHY_EMBEDDED is None:
        return "Apache Kafka"
    return f"embedded, without the peers that need Apache Kafka ({WHY_EMBEDDED})"

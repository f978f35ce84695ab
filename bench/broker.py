"""The broker that everything is measured on: Apache Kafka where it runs, else the embedded one."""

from typing import Final

from tests.support.kafka.installed import why_not

WHY_EMBEDDED: Final = why_not()
KIND: Final = "kafka" if WHY_EMBEDDED is None else "embedded"


def described() -> str:
    """Return which broker it is, and why not the other."""
    if WHY_EMBEDDED is None:
        return "Apache Kafka"
    return f"embedded, ours and what needs no other packages only ({WHY_EMBEDDED})"

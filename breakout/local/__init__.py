"""The broker and ClickHouse on one machine, from pip packages only.

Nothing else in the project knows this package: it speaks Kafka and ClickHouse's HTTP
interface on 127.0.0.1, so that the rest only needs ``KAFKA_BOOTSTRAP_SERVERS`` and
``CLICKHOUSE_URL``.
"""
